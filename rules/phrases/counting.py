"""Phrases that count events: counts, absence, and deadlines.

The N-th latest event decides. "Fewer than N in W" is true exactly when the N-th latest matching
event has left the window `(now - W, now]` or does not exist; "at least N in W" is its negation.
Such a phrase therefore reads at most N entries, however many events there are, and knows when it
changes if nothing more happens: at that event's time + W. The same applies to distinct users or
values, with the latest time of each in place of the events.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import ClassVar

from rules.durations import BEGINNING, format_duration, format_instant, pluralize, shift
from rules.phrases.condition import Finding, OnField, Situation, Windowed
from rules.phrases.fields import as_instant, field_path


class Comparison(StrEnum):
    """How a count is compared, in its canonical words."""

    LESS_THAN = "Less than"
    AT_MOST = "At most"
    AT_LEAST = "At least"
    MORE_THAN = "More than"

    def depth(self, times: int) -> int:
        """Return the N of the N-th latest event that decides."""
        return times + 1 if self in (Comparison.AT_MOST, Comparison.MORE_THAN) else times

    @property
    def is_upper_bound(self) -> bool:
        """Whether it holds while the N-th latest event is missing."""
        return self in (Comparison.LESS_THAN, Comparison.AT_MOST)


@dataclass(frozen=True)
class Count(Windowed):
    """`less than / at most / at least / more than N times in W`."""

    comparison: Comparison
    times: int
    window: timedelta

    @cached_property
    def depth(self) -> int:
        """The N of the N-th latest event that decides."""
        return self.comparison.depth(self.times)

    @property
    def events_needed(self) -> int:
        """See `Condition.events_needed`."""
        return self.depth

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.evaluate`; `evidence` is the count, capped at `depth`."""
        since = shift(situation.at, -self.window)
        latest = situation.facts.latest(situation.selector, self.depth, since, situation.at)
        return finding_from_nth_latest(
            latest, self.depth, self.window, is_upper_bound=self.comparison.is_upper_bound
        )

    def describe(self, finding: Finding) -> str:
        """See `Condition.describe`."""
        return describe_count(finding.evidence, self.depth, "time")

    def __str__(self) -> str:
        return (
            f"{self.comparison} {pluralize(self.times, 'time')} in {format_duration(self.window)}"
        )


@dataclass(frozen=True)
class Absence(Windowed):
    """`no activity for W`: equivalent to less than 1 time in W."""

    window: timedelta

    @property
    def events_needed(self) -> int:
        """See `Condition.events_needed`."""
        return 1

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.evaluate`; `evidence` is 1 if there was any event in the window."""
        return Count(Comparison.LESS_THAN, 1, self.window).evaluate(situation)

    def describe(self, finding: Finding) -> str:
        """See `Condition.describe`."""
        return "activity" if finding.evidence else "no activity"

    def __str__(self) -> str:
        return f"No activity for {format_duration(self.window)}"


@dataclass(frozen=True)
class Never(OnField):
    """`never within W of company.signup_date`: no event by that deadline, which has passed."""

    counts_events: ClassVar[bool] = True
    window: timedelta
    field: str

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.evaluate`; `evidence` is the latest event in time, and the deadline."""
        start = as_instant(situation.facts.field(field_path(self.field), situation.at))
        if start is None:
            return Finding(None)
        deadline = shift(start, self.window)
        over = situation.at >= deadline
        until = min(deadline, situation.at)
        done = situation.facts.latest(situation.selector, 1, BEGINNING, until)
        if done:
            return Finding(holds=False, evidence=(done[0], deadline))
        changes_at = None if over else deadline
        return Finding(over, changes_at, awaits_event=over, evidence=(None, deadline))

    def describe(self, finding: Finding) -> str:
        """See `Condition.describe`."""
        if finding.holds is None:
            return f"company.{self.field} is not a date"
        done, deadline = finding.evidence
        return f"{'done' if done else 'not done'} by {format_instant(deadline)}"

    def __str__(self) -> str:
        return f"Never within {format_duration(self.window)} of company.{self.field}"


def finding_from_nth_latest(
    latest: Sequence[datetime], depth: int, window: timedelta, *, is_upper_bound: bool
) -> Finding:
    """Return the finding decided by the `depth`-th latest of the times, which are newest first."""
    enough = len(latest) >= depth
    return Finding(
        holds=enough != is_upper_bound,
        changes_at=shift(latest[depth - 1], window) if enough else None,
        awaits_event=not enough,
        evidence=min(len(latest), depth),
    )


def describe_count(count: int, depth: int, noun: str) -> str:
    """Return a count in words; one that reached its cap, `depth`, may be higher."""
    return f"{pluralize(count, noun)} or more" if count >= depth > 0 else pluralize(count, noun)
