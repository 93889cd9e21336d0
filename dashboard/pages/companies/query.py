"""The query string of the list of companies: a search, filters, and an order.

The same list always has the same query string, so that saved views can be compared, and a shared
link shows what its sender saw.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

from werkzeug.datastructures import MultiDict

from models.companies.company_filter import CompanyFilter, possible_values
from models.companies.company_list import Order, Sorting

FIELD = "field."
"""Prefix of the parameters that filter by a field."""

LONGEST_TEXT = 200

MOST_FIELDS = 20
"""Filters by fields; further ones are ignored."""

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
_DESCENDING_FIRST = ("status", "since", "last-event", "value")
"""Columns that the first click on their header sorts from the worst, latest or greatest down."""

_LEFT = {"no": False, "only": True}
"""The values of the parameter `left`; without it, companies that left are in the list."""

ME = "me"
"""The owner that means the person who reads the list; see `services.accounts.owners`."""

WORST_FIRST = "-status"


@dataclass(frozen=True)
class CompanyQuery:
    """A query for companies.

    `left` is `no` for companies that did not leave, and `only` for those that did. `flag_status` is
    empty for any status but the best. `owner` may be `ME`. Several values of one
    field are alternatives. `sort` is a column; a leading `-` means descending order.
    """

    text: str = ""
    status: str = ""
    flag: str = ""
    flag_status: str = ""
    owner: str = ""
    left: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    sort: str = WORST_FIRST

    @classmethod
    def from_parameters(cls, arguments: "MultiDict[str, str]") -> "CompanyQuery":
        """Read the arguments of a request; what cannot be understood is ignored.

        `add_field` and `add_value` are the filter that the form adds.
        """
        fields = [
            (name.removeprefix(FIELD), value)
            for name, value in arguments.items(multi=True)
            if name.startswith(FIELD) and name != FIELD
        ]
        added = arguments.get("add_field", ""), arguments.get("add_value", "").strip()
        if all(added):
            fields.append(added)
        sort = arguments.get("sort", WORST_FIRST)
        flag, left = arguments.get("flag", ""), arguments.get("left", "")
        return cls(
            text=arguments.get("q", "").strip()[:LONGEST_TEXT],
            status=arguments.get("status", ""),
            flag=flag,
            flag_status=arguments.get("flag_status", "") if flag else "",
            owner=arguments.get("owner", "").strip()[:LONGEST_TEXT],
            left=left if left in _LEFT else "",
            fields=tuple(sorted(set(fields[-MOST_FIELDS:]))),
            sort=sort if sort.removeprefix("-") in _SORTS else WORST_FIRST,
        )

    @classmethod
    def from_query(cls, query: str) -> "CompanyQuery":
        """Read a query string."""
        return cls.from_parameters(MultiDict(parse_qsl(query, keep_blank_values=True)))

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The parameters of the query string, without default values."""
        named = [
            ("q", self.text),
            ("status", self.status),
            ("flag", self.flag),
            ("flag_status", self.flag_status),
            ("owner", self.owner),
            ("left", self.left),
            ("sort", "" if self.sort == WORST_FIRST else self.sort),
        ]
        fields = [(FIELD + name, value) for name, value in self.fields]
        return [(name, value) for name, value in named if value] + fields

    @property
    def query_string(self) -> str:
        """The query string, the same for equal queries."""
        return urlencode(self.parameters)

    @property
    def is_filtered(self) -> bool:
        """Whether the query can exclude companies."""
        return bool(self.text or self.status or self.flag or self.owner or self.left or self.fields)

    def sorted_by(self, column: str) -> "CompanyQuery":
        """Return the query sorted by a column; in reverse order if it is sorted by it already."""
        descending_first = column in _DESCENDING_FIRST
        if self.sort == column or (self.sort != f"-{column}" and descending_first):
            return replace(self, sort=f"-{column}")
        return replace(self, sort=column)

    def direction(self, column: str) -> str:
        """Return how the list is sorted by a column, as a value of `aria-sort`."""
        if self.sort.removeprefix("-") != column:
            return "none"
        return "descending" if self.sort.startswith("-") else "ascending"

    def having(self, **changes: str) -> "CompanyQuery":
        """Return the query with another search, status, flag, owner or `left`."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def without_field(self, name: str, value: str) -> "CompanyQuery":
        """Return the query without one filter by a field."""
        return replace(self, fields=tuple(f for f in self.fields if f != (name, value)))

    def owners_for(self, reader: Sequence[str]) -> tuple[str, ...]:
        """Return the owners of the companies in question; those of `reader` for `ME`."""
        if self.owner == ME:
            return tuple(reader)
        return (self.owner,) if self.owner else ()

    def filter(self, statuses: Sequence[str], reader: Sequence[str]) -> CompanyFilter:
        """Return the filter for `models`.

        `statuses` are the statuses of the rules, best first; `reader` lists the owners that mean
        the person who reads the list.
        """
        by_name: dict[str, tuple[object, ...]] = {}
        for name, value in self.fields:
            by_name[name] = (*by_name.get(name, ()), *possible_values(value))
        return CompanyFilter(
            text=self.text or None,
            status=self.status or None,
            flag=self.flag or None,
            flag_status=self.flag_status or None,
            flag_statuses=tuple(statuses[1:]) if self.flag and not self.flag_status else (),
            fields=tuple(by_name.items()),
            owners=self.owners_for(reader),
            left=_LEFT.get(self.left),
        )

    def sorting(self, statuses: Sequence[str]) -> Sorting:
        """Return the order for `models`."""
        by = _SORTS[self.sort.removeprefix("-")]
        return Sorting(by, descending=self.sort.startswith("-"), statuses=tuple(statuses))
