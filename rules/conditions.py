"""What a phrase of a rule means: given the latest matching events, does it hold, and until when.

The N-th latest event decides. "Fewer than N in W" is true exactly when the N-th latest
matching event has left the window `(now - W, now]`, or does not exist; "at least N in W" is
its negation. So a condition reads at most `depth` events, however many there are, and knows
the instant at which it changes if nothing more happens: that event's time + W.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from rules.durations import counted, spell_duration


@dataclass(frozen=True)
class Finding:
    """Whether a condition holds at an instant, and what could change that.

    `changes_at` is when it changes with no further event, or None if it never does;
    `awaits_event` tells whether a further event could change it; `count` is the number of
    matching events in the window, counted no further than the condition's depth.
    """

    holds: bool
    changes_at: datetime | None
    awaits_event: bool
    count: int


class Condition(Protocol):
    """One phrase. `str()` of it is its canonical form, which reads back as the same condition."""

    @property
    def depth(self) -> int:
        """How many of the latest events it needs to see."""
        ...

    def find(self, latest: Sequence[datetime], at: datetime) -> Finding:
        """Judge at the instant `at`, given the latest events' times up to it, newest first."""
        ...


class Comparison(StrEnum):
    """How a count is compared, in its canonical words."""

    LESS_THAN = "Less than"
    AT_MOST = "At most"
    AT_LEAST = "At least"
    MORE_THAN = "More than"


@dataclass(frozen=True)
class Count:
    """`less than / at most / at least / more than N times in W`."""

    comparison: Comparison
    times: int
    window: timedelta

    @property
    def depth(self) -> int:
        """The N of the N-th latest event that decides."""
        if self.comparison in (Comparison.AT_MOST, Comparison.MORE_THAN):
            return self.times + 1
        return self.times

    def find(self, latest: Sequence[datetime], at: datetime) -> Finding:
        """See `Condition.find`."""
        count = sum(1 for occurred_at in latest[: self.depth] if occurred_at > at - self.window)
        enough = count == self.depth
        wants_few = self.comparison in (Comparison.LESS_THAN, Comparison.AT_MOST)
        return Finding(
            holds=enough != wants_few,
            changes_at=latest[self.depth - 1] + self.window if enough else None,
            awaits_event=not enough,
            count=count,
        )

    def __str__(self) -> str:
        return f"{self.comparison} {counted(self.times, 'time')} in {spell_duration(self.window)}"


@dataclass(frozen=True)
class Absence:
    """`no activity for W`: the same as less than 1 time in W."""

    window: timedelta

    @property
    def depth(self) -> int:
        """The latest event alone decides."""
        return 1

    def find(self, latest: Sequence[datetime], at: datetime) -> Finding:
        """See `Condition.find`."""
        return Count(Comparison.LESS_THAN, 1, self.window).find(latest, at)

    def __str__(self) -> str:
        return f"No activity for {spell_duration(self.window)}"
