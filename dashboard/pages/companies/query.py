"""The query string of the list of companies: a search, filters, columns, and an order.

The same list always has the same query string, so that saved views can be compared, and a shared
link shows what its sender saw.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from dashboard.filters.field_filters import LONGEST_TEXT, ME, FieldFilter, Verb, conditions
from dashboard.filters.field_filters import read_filter as read_field_filter
from dashboard.pages.companies.columns import MOST_COLUMNS, TEAM, is_column, moved
from dashboard.web import sort_order
from dashboard.web.request_values import parse_query
from models.companies.company_filter import CompanyFilter
from models.companies.company_list import Order, Sorting
from models.companies.filters.subjects import FIELD
from rules.team import TeamFields

MOST_FILTERS = 20
"""Filters by columns and fields, and by flags; further ones are ignored."""

_SORTS = {
    "name": Order.NAME,
    "status": Order.STATUS,
    "score": Order.SCORE,
    "since": Order.SINCE,
    "last-event": Order.LAST_EVENT,
    "owner": Order.OWNER,
    "value": Order.VALUE,
    "renewal": Order.RENEWAL,
}
DESCENDING_FIRST = ("status", "since", "last-event", "value")
"""Columns that the first click on their header sorts from the worst, latest or greatest down."""

WORST_FIRST = "-status"

_LEFT = {"no": False, "only": True}
"""The values of the parameter `left`; without it, companies that left are in the list."""

MINE = FieldFilter("owner", Verb.IS, ME)

RENEWS_IN = tuple(FieldFilter("renewal", Verb.NEXT, days) for days in ("30", "60", "90"))


@dataclass(frozen=True)
class CompanyQuery:
    """A query for companies.

    Each of `flags` has `flag_status`, or any status but the best if it is empty; `without_flags`
    have the best one or none. `left` is `no` for companies that did not leave, and `only` for those
    that did. Several values of one filter are alternatives. `columns` are those to
    show, in this order, the usual ones if it is empty. `sort` is a column; a leading `-` means
    descending order.
    """

    text: str = ""
    status: str = ""
    flags: tuple[str, ...] = ()
    flag_status: str = ""
    without_flags: tuple[str, ...] = ()
    left: str = ""
    filters: tuple[FieldFilter, ...] = ()
    columns: tuple[str, ...] = ()
    sort: str = WORST_FIRST

    @classmethod
    def from_parameters(cls, arguments: "MultiDict[str, str]") -> "CompanyQuery":
        """Read the arguments of a request; what cannot be understood is ignored.

        `add_field`, `add_verb` and `add_value` are the filter that the form adds.
        """
        filters = [
            found
            for name, value in arguments.items(multi=True)
            if (found := read_field_filter(name, value))
        ]
        filters += _added(arguments)
        flags = _distinct(arguments.getlist("flag"))
        sort, left = arguments.get("sort", WORST_FIRST), arguments.get("left", "")
        return cls(
            text=arguments.get("q", "").strip()[:LONGEST_TEXT],
            status=arguments.get("status", ""),
            flags=flags,
            flag_status=arguments.get("flag_status", "") if flags else "",
            without_flags=_distinct(arguments.getlist("not.flag")),
            left=left if left in _LEFT else "",
            filters=tuple(sorted(set(filters[-MOST_FILTERS:]))),
            columns=tuple(
                dict.fromkeys(name for name in arguments.getlist("column") if is_column(name))
            )[:MOST_COLUMNS],
            sort=sort if _is_sort(sort) else WORST_FIRST,
        )

    @classmethod
    def from_query(cls, query: str) -> "CompanyQuery":
        """Read a query string."""
        return cls.from_parameters(parse_query(query))

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The parameters of the query string, without default values."""
        named = [
            ("q", self.text),
            ("status", self.status),
            *(("flag", flag) for flag in self.flags),
            ("flag_status", self.flag_status),
            *(("not.flag", flag) for flag in self.without_flags),
            ("left", self.left),
            ("sort", "" if self.sort == WORST_FIRST else self.sort),
        ]
        return [
            *((name, value) for name, value in named if value),
            *((given.name, given.value) for given in self.filters),
            *(("column", name) for name in self.columns),
        ]

    @property
    def query_string(self) -> str:
        """The query string, the same for equal queries."""
        return urlencode(self.parameters)

    @property
    def is_filtered(self) -> bool:
        """Whether the query can exclude companies."""
        flags = self.flags or self.without_flags
        return bool(self.text or self.status or flags or self.left or self.filters)

    @property
    def is_mine(self) -> bool:
        """Whether the query asks for the companies of its reader."""
        return MINE in self.filters

    def sorted_by(self, column: str) -> "CompanyQuery":
        """Return the query sorted by a column; in reverse order if it is sorted by it already."""
        return replace(self, sort=sort_order.sorted_by(column, self.sort, DESCENDING_FIRST))

    def reversed(self) -> "CompanyQuery":
        """Return the query in the opposite order."""
        return replace(self, sort=sort_order.reversed_order(self.sort))

    def direction(self, column: str) -> str:
        """Return how the list is sorted by a column, as a value of `aria-sort`."""
        return sort_order.direction(column, self.sort)

    def having(self, **changes: str) -> "CompanyQuery":
        """Return the query with another search, status, order or `left`."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def with_filter(self, added: FieldFilter) -> "CompanyQuery":
        """Return the query with one filter more, in place of others by the same name."""
        others = [given for given in self.filters if given.name != added.name]
        return replace(self, filters=tuple(sorted((*others, added))))

    def without_filter(self, removed: FieldFilter) -> "CompanyQuery":
        """Return the query without one filter by a column or field."""
        return replace(self, filters=tuple(f for f in self.filters if f != removed))

    def toggled(self, given: FieldFilter) -> "CompanyQuery":
        """Return the query with a filter, or without it if it has it."""
        return self.without_filter(given) if given in self.filters else self.with_filter(given)

    def without_flag(self, flag: str) -> "CompanyQuery":
        """Return the query without the filters by a flag."""
        flags = tuple(name for name in self.flags if name != flag)
        return replace(
            self,
            flags=flags,
            flag_status=self.flag_status if flags else "",
            without_flags=tuple(name for name in self.without_flags if name != flag),
        )

    def instead_of_flag(self, former: str, flag: str) -> "CompanyQuery":
        """Return the query with another flag in place of one."""

        def changed(flags: tuple[str, ...]) -> tuple[str, ...]:
            return _distinct([flag if name == former else name for name in flags])

        return replace(self, flags=changed(self.flags), without_flags=changed(self.without_flags))

    def showing(self, columns: Sequence[str], usual: Sequence[str]) -> "CompanyQuery":
        """Return the query with these columns; `usual` are those that no query names."""
        chosen = tuple(columns)
        return replace(self, columns=() if chosen == tuple(usual) else chosen)

    def moving(self, column: str, by: int, shown: Sequence[str]) -> "CompanyQuery":
        """Return the query with one of the columns that are shown moved by some places."""
        return replace(self, columns=moved(shown, column, by))

    def sortable(self, team: TeamFields) -> "CompanyQuery":
        """Return the query in the usual order if the rules name no field of the one to sort by."""
        column = sort_order.column_of(self.sort)
        is_empty = column in TEAM and not getattr(team, column)
        return replace(self, sort=WORST_FIRST) if is_empty else self

    def filter(self, statuses: Sequence[str], reader: Sequence[str], today: date) -> CompanyFilter:
        """Return the filter for `models`.

        `statuses` are the statuses of the rules, best first; `reader` lists the owners that mean
        the person who reads the list; `today` is their day.
        """
        return CompanyFilter(
            text=self.text or None,
            status=self.status or None,
            flags=self.flags,
            flag_status=self.flag_status or None,
            flag_statuses=tuple(statuses[1:]) if self.flags or self.without_flags else (),
            without_flags=self.without_flags,
            left=_LEFT.get(self.left),
            conditions=conditions(self.filters, reader, today),
        )

    def sorting(self, statuses: Sequence[str]) -> Sorting:
        """Return the order for `models`."""
        column = sort_order.column_of(self.sort)
        descending = sort_order.is_descending(self.sort)
        if column.startswith(FIELD):
            return Sorting(Order.FIELD, descending, tuple(statuses), column)
        return Sorting(_SORTS[column], descending, tuple(statuses))


def _is_sort(text: str) -> bool:
    column = sort_order.column_of(text)
    return column in _SORTS or (column.startswith(FIELD) and is_column(column))


def _distinct(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({text for text in texts if text})[:MOST_FILTERS])


def _added(arguments: "MultiDict[str, str]") -> list[FieldFilter]:
    """Return the filter that the form adds, if it is complete."""
    about, verb = arguments.get("add_field", ""), arguments.get("add_verb", Verb.IS)
    value = arguments.get("add_value", "").strip()
    if verb in ("empty", "filled"):
        verb, value = (Verb.IS if verb == "empty" else Verb.NOT), ""
    elif not value:
        return []
    if about == "status" and verb == Verb.IS:
        return []
    added = read_field_filter(about if verb == Verb.IS else f"{verb}.{about}", value)
    return [added] if added else []
