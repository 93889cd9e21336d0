"""What stands in the address of the list of companies: a search, filters, and an order.

The same list always has the same query string, so that a saved view can be told from another, and
a link that somebody sends shows what its sender saw.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

from werkzeug.datastructures import MultiDict

from models.companies.company_filter import Filter, meanings
from models.companies.company_list import Order, Sorting

FIELD = "field."
"""What begins the name of a parameter that filters by a field."""

LONGEST_TEXT = 200

_SORTS = {
    "name": Order.NAME,
    "status": Order.STATUS,
    "score": Order.SCORE,
    "since": Order.SINCE,
    "last-event": Order.LAST_EVENT,
}
_DESCENDING_FIRST = ("status", "since", "last-event")
"""What a first click on a column's head sorts from the worst or the latest on."""

WORST_FIRST = "-status"


@dataclass(frozen=True)
class Listing:
    """One list of companies.

    `flag_status` is empty for any status but the best. Several values of one field are
    alternatives. `sort` is a column, with a `-` before it from the greatest to the least.
    """

    text: str = ""
    status: str = ""
    flag: str = ""
    flag_status: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    sort: str = WORST_FIRST

    @classmethod
    def from_parameters(cls, given: "MultiDict[str, str]") -> "Listing":
        """The list that an address asks for; what it does not understand it leaves out.

        `add_field` and `add_value` are what a form adds to the fields.
        """
        found = [
            (name.removeprefix(FIELD), value)
            for name, value in given.items(multi=True)
            if name.startswith(FIELD) and name != FIELD
        ]
        added = given.get("add_field", ""), given.get("add_value", "").strip()
        if all(added):
            found.append(added)
        sort = given.get("sort", WORST_FIRST)
        flag = given.get("flag", "")
        return cls(
            text=given.get("q", "").strip()[:LONGEST_TEXT],
            status=given.get("status", ""),
            flag=flag,
            flag_status=given.get("flag_status", "") if flag else "",
            fields=tuple(sorted(set(found))),
            sort=sort if sort.removeprefix("-") in _SORTS else WORST_FIRST,
        )

    @classmethod
    def from_query(cls, query: str) -> "Listing":
        """The same from a query string."""
        return cls.from_parameters(MultiDict(parse_qsl(query, keep_blank_values=True)))

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The parameters of its address; nothing that goes without saying."""
        named = [
            ("q", self.text),
            ("status", self.status),
            ("flag", self.flag),
            ("flag_status", self.flag_status),
            ("sort", "" if self.sort == WORST_FIRST else self.sort),
        ]
        fields = [(FIELD + name, value) for name, value in self.fields]
        return [(name, value) for name, value in named if value] + fields

    @property
    def query(self) -> str:
        """Its query string."""
        return urlencode(self.parameters)

    @property
    def is_filtered(self) -> bool:
        """Whether it leaves out any company."""
        return bool(self.text or self.status or self.flag or self.fields)

    def sorted_by(self, column: str) -> "Listing":
        """The same companies by a column; by it in the other direction if they are already."""
        descending_first = column in _DESCENDING_FIRST
        if self.sort == column or (self.sort != f"-{column}" and descending_first):
            return replace(self, sort=f"-{column}")
        return replace(self, sort=column)

    def direction(self, column: str) -> str:
        """How it is sorted by a column, as `aria-sort` says it."""
        if self.sort.removeprefix("-") != column:
            return "none"
        return "descending" if self.sort.startswith("-") else "ascending"

    def having(self, **changes: str) -> "Listing":
        """The same list with another search, status or flag."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def without_field(self, name: str, value: str) -> "Listing":
        """The same list without one filter by a field."""
        return replace(self, fields=tuple(f for f in self.fields if f != (name, value)))

    def filter(self, statuses: Sequence[str]) -> Filter:
        """What it finds, as `models` takes it; `statuses` are those of the rules, best first."""
        by_name: dict[str, tuple[object, ...]] = {}
        for name, value in self.fields:
            by_name[name] = (*by_name.get(name, ()), *meanings(value))
        return Filter(
            text=self.text or None,
            status=self.status or None,
            flag=self.flag or None,
            flag_status=self.flag_status or None,
            flag_statuses=tuple(statuses[1:]) if self.flag and not self.flag_status else (),
            fields=tuple(by_name.items()),
        )

    def sorting(self, statuses: Sequence[str]) -> Sorting:
        """Its order, as `models` takes it."""
        by = _SORTS[self.sort.removeprefix("-")]
        return Sorting(by, descending=self.sort.startswith("-"), statuses=tuple(statuses))
