"""What lists show of a company beside its health, derived from its fields and flags."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class RaisedFlag:
    """A flag that is raised, and the status that it raises."""

    flag: str
    status: str


@dataclass(frozen=True)
class TeamColumns:
    """Who owns a company, what it is worth, and the day on which it renews; see `rules.team`."""

    owner: str | None = None
    value: Decimal | None = None
    renews_on: date | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the columns of a row as JSON, which has no exact decimals of its own."""
        value = None if self.value is None else str(self.value)
        return {"owner": self.owner, "value": value, "renews_on": self.renews_on}


NO_TEAM = TeamColumns()

TEAM_TYPES = {"owner": "text", "value": "numeric", "renews_on": "date"}
"""The columns with their types."""
