"""The query string of the worklist: whose items, in which state, and further filters."""

from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from dashboard.web.request_values import parse_query
from models.health.work_items.item_filter import CLOSED_FOR, Due, ItemFilter, Shown
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


@dataclass(frozen=True)
class WorklistQuery:
    """A query for items; an empty text is no filter, and of `state` the items to do."""

    whose: str = MINE
    state: str = ""
    status: str = ""
    flag: str = ""
    owner: str = ""
    due: str = ""

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
        )

    @classmethod
    def from_query(cls, query: str) -> "WorklistQuery":
        """Read a query string."""
        return cls.from_parameters(parse_query(query))

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the query string, without default values."""
        named = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in named.items() if value and value != MINE}

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
        """Return the query with other values."""
        return replace(self, **changes)

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
