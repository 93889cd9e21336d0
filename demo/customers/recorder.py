"""Collects the events of one customer, and the changes of its fields, while they are invented."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from demo.customers.accounts import Account, User

DAY = timedelta(days=1)


class RecordedEvent(NamedTuple):
    """An event without the company's fields."""

    at: datetime
    key: str
    user: User | None
    data: dict[str, Any] | None


@dataclass
class Recorder:
    """The customer from its first event, at `start`, to `now`; `chance` decides what happens."""

    account: Account
    now: datetime
    chance: Random
    start: datetime
    events: list[RecordedEvent] = field(default_factory=list)
    field_changes: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)

    def ago(self, days: float) -> datetime:
        """Return the time a number of days before the present."""
        return self.now - timedelta(days=days)

    def add(
        self,
        at: datetime,
        key: str,
        user: User | None = None,
        data: dict[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        """Record an event, and the fields that it changes, if `at` is between `start` and `now`."""
        if self.start <= at < self.now:
            self.events.append(RecordedEvent(at, key, user, data))
            if fields:
                self.field_changes.append((at, fields))


def midnight(at: datetime) -> datetime:
    """Return the start of a day."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)
