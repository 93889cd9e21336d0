"""The columns of the list of companies, which people choose and order."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from models.companies.filters.subjects import FIELD
from rules.team import TeamFields

TITLES = {
    "status": "Status",
    "why": "Why",
    "owner": "Owner",
    "value": "Value",
    "renewal": "Renewal",
    "score": "Score",
    "activity": "Activity",
    "since": "Since",
    "last-event": "Last event",
}
"""Columns in their usual order, without the company and fields, which are named `field.NAME`."""

TEAM = ("owner", "value", "renewal")
"""Columns that are empty unless the rules name their field."""

NUMBERS = ("value", "score")

UNSORTED = ("why", "activity")
"""Columns without an order."""

MOST_COLUMNS = 20


@dataclass(frozen=True)
class Column:
    """A column that is shown, by its name in the query string."""

    name: str

    @property
    def title(self) -> str:
        """The title of the column."""
        return TITLES.get(self.name) or self.field

    @property
    def field(self) -> str:
        """The field that it shows, if it shows one."""
        return self.name.removeprefix(FIELD)

    @property
    def is_field(self) -> bool:
        """Whether it shows a field of the company."""
        return self.name.startswith(FIELD)

    @property
    def can_sort(self) -> bool:
        """Whether the list can be sorted by it."""
        return self.name not in UNSORTED


def is_column(name: str) -> bool:
    """Whether there is a column of this name."""
    return name in TITLES or (name.startswith(FIELD) and name != FIELD)


def usual_columns(team: TeamFields) -> tuple[str, ...]:
    """Return the columns of a list for which none were chosen."""
    return tuple(name for name in TITLES if name not in TEAM or getattr(team, name))


def moved(names: Sequence[str], name: str, by: int) -> tuple[str, ...]:
    """Return names with one of them moved by some places."""
    place = names.index(name)
    others = [other for other in names if other != name]
    to = min(max(place + by, 0), len(others))
    return (*others[:to], name, *others[to:])


def addable(shown: Collection[str], fields: Sequence[str]) -> list[Column]:
    """Return the columns that are not shown; `fields` are the fields to offer."""
    names = (*TITLES, *(FIELD + field for field in fields))
    return [Column(name) for name in names if name not in shown]
