"""The query string of the worklist: whose items, in which state, further filters, and an order."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from dashboard.web import sort_order
from dashboard.web.request_values import parse_query
from models.health.work_items.item_filter import CLOSED_FOR, Due, ItemFilter, Shown
from models.health.work_items.item_order import Order, Sorting
from rules.team import TeamFields
from services.work_items.assignees import Assignees

MINE, TEAM, UNASSIGNED = "mine", "team", "unassigned"
WHOSE = {MINE: "Mine", TEAM: "Team", UNASSIGNED: "Unassigned"}
SHOWN = {
    Shown.TO_DO: "To do",
    Shown.OPEN: "Open",
    Shown.SEEN: "Seen",
    Shown.WORKING: "In work",
    Shown.SNOOZED: "Snoozed",
    Shown.DONE: "Done",
    Shown.ALL: "All raised flags",
    Shown.CLOSED: "Closed in 30 days",
}
DUE = {
    Due.LATE: "Late",
    Due.TODAY: "Today",
    Due.WEEK: "Within 7 days",
    Due.NONE: "Without a date",
}

LONGEST_TEXT = 200

DESCENDING_FIRST = (Order.STATUS, Order.VALUE, Order.CLOSED)
"""Columns that the first click on their header sorts from the worst, greatest or latest down."""

TITLES = {
    Order.STATUS: "Status",
    Order.RAISED: "Raised",
    Order.VALUE: "Value",
    Order.RENEWAL: "Renewal",
    Order.DUE: "Due",
    Order.CLOSED: "Closed",
}
"""The orders, by the columns that are sorted by them."""


@dataclass(frozen=True)
class WorklistQuery:
    """A query for items; an empty text is no filter, and of `state` the items to do.

    `sort` is a column, with a leading `-` for descending order; empty is the usual order.
    """

    whose: str = MINE
    state: str = ""
    status: str = ""
    flag: str = ""
    owner: str = ""
    due: str = ""
    sort: str = ""

    @classmethod
    def from_parameters(cls, arguments: "MultiDict[str, str]") -> "WorklistQuery":
        """Read the arguments of a request; what cannot be understood is ignored."""
        whose, state = arguments.get("whose", MINE), arguments.get("state", "")
        due = arguments.get("due", "")
        return cls(
            whose=whose if whose in WHOSE else MINE,
            state=state if state in SHOWN and state != Shown.TO_DO else "",
            status=arguments.get("status", "")[:LONGEST_TEXT],
            flag=arguments.get("flag", "")[:LONGEST_TEXT],
            owner=arguments.get("owner", "").strip()[:LONGEST_TEXT],
            due=due if due in DUE else "",
        ).sorted_as(arguments.get("sort", ""))

    @classmethod
    def from_query(cls, query: str) -> "WorklistQuery":
        """Read a query string."""
        return cls.from_parameters(parse_query(query))

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the query string, without default values."""
        usual = WorklistQuery()
        named = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in named.items() if value != getattr(usual, name)}

    @property
    def query_string(self) -> str:
        """The query string, the same for equal queries."""
        return urlencode(self.parameters)

    @property
    def shown(self) -> Shown:
        """Which items it is for."""
        return Shown(self.state or Shown.TO_DO)

    @property
    def is_filtered(self) -> bool:
        """Whether it has filters besides whose items it is for."""
        return bool(self.state or self.status or self.flag or self.owner or self.due)

    def having(self, **changes: str) -> "WorklistQuery":
        """Return the query with other values; the order remains if the other list has it."""
        changed = replace(self, **changes)
        return changed.sorted_as(changed.sort)

    @property
    def order(self) -> str:
        """The present order: a column, with a leading `-` for descending order."""
        return self.sort or self._usual_order

    @property
    def _usual_order(self) -> str:
        return f"-{self.shown.usual_order}"

    def sorted_as(self, sort: str) -> "WorklistQuery":
        """Return the query in an order, or in the usual one if the list does not have it."""
        is_usual = sort == self._usual_order or sort_order.column_of(sort) not in self.columns
        return replace(self, sort="" if is_usual else sort)

    def sorted_by(self, column: str) -> "WorklistQuery":
        """Return the query sorted by a column; in reverse order if it is sorted by it already."""
        return self.sorted_as(sort_order.sorted_by(column, self.order, DESCENDING_FIRST))

    def reversed(self) -> "WorklistQuery":
        """Return the query in the opposite order."""
        return self.sorted_as(sort_order.reversed_order(self.order))

    def direction(self, column: str) -> str:
        """Return how the list is sorted by a column, as a value of `aria-sort`."""
        return sort_order.direction(column, self.order)

    @property
    def columns(self) -> dict[str, str]:
        """The columns that the list can be sorted by, with their titles."""
        orders = self.shown.orders
        return {str(name): title for name, title in TITLES.items() if name in orders}

    def sortable(self, team: TeamFields) -> "WorklistQuery":
        """Return the query in the usual order if the rules name no field of the one to sort by."""
        is_empty = sort_order.column_of(self.order) in _without_field(team)
        return replace(self, sort="") if is_empty else self

    def offered_orders(self, team: TeamFields) -> list[tuple[str, str]]:
        """Return the orders to choose from where the columns have no titles, with their titles."""
        empty = _without_field(team)
        titles = {name: title for name, title in self.columns.items() if name not in empty}
        return sort_order.offered(titles, self.order, DESCENDING_FIRST)

    def sorting(self, statuses: Sequence[str]) -> Sorting:
        """Return the order for `models`; `statuses` are those of the rules, best first."""
        by = Order(sort_order.column_of(self.order))
        return Sorting(by, sort_order.is_descending(self.order), tuple(statuses))

    def filter(self, assignees: Assignees, person_id: int, at: datetime, today: date) -> ItemFilter:
        """Return the filter for `models`; `today` is that of the reader."""
        whose = {
            MINE: assignees.items_of(person_id),
            TEAM: None,
            UNASSIGNED: assignees.items_of_nobody(),
        }
        return ItemFilter(
            shown=self.shown,
            whose=whose[self.whose],
            status=self.status or None,
            flag=self.flag or None,
            owner=self.owner or None,
            due=Due(self.due) if self.due else None,
            today=today,
            closed_since=at - CLOSED_FOR,
        )


def _without_field(team: TeamFields) -> set[str]:
    """Return the columns for which the rules name no field."""
    return {str(name) for name in (Order.VALUE, Order.RENEWAL) if not getattr(team, name)}
