"""Phrases about how often: counts, absence, distinct users and values, shares, deadlines.

The N-th latest event decides. "Fewer than N in W" is true exactly when the N-th latest matching
event has left the window `(now - W, now]`, or does not exist; "at least N in W" is its negation.
So such a phrase reads at most N entries, however many events there are, and knows the instant at
which it changes if nothing more happens: that event's time + W. The same holds for distinct
users or values, with the last time of each in place of the events.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor
from typing import ClassVar

from rules.durations import BEGINNING, format_duration, format_instant, pluralize, shift
from rules.facts import USER, Path
from rules.phrases.condition import Bound, Finding, OnField, Situation, Windowed, format_number
from rules.phrases.fields import as_instant, as_number, field_path


class Comparison(StrEnum):
    """How a count is compared, in its canonical words."""

    LESS_THAN = "Less than"
    AT_MOST = "At most"
    AT_LEAST = "At least"
    MORE_THAN = "More than"

    def depth(self, times: int) -> int:
        """The N of the N-th latest event that decides."""
        return times + 1 if self in (Comparison.AT_MOST, Comparison.MORE_THAN) else times

    @property
    def is_upper_bound(self) -> bool:
        """Whether it holds as long as the N-th latest event is missing."""
        return self in (Comparison.LESS_THAN, Comparison.AT_MOST)


@dataclass(frozen=True)
class Count(Windowed):
    """`less than / at most / at least / more than N times in W`."""

    comparison: Comparison
    times: int
    window: timedelta

    @property
    def depth(self) -> int:
        """The N of the N-th latest event that decides."""
        return self.comparison.depth(self.times)

    @property
    def events_needed(self) -> int:
        """See `Condition.latest_read`."""
        return self.depth

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.find`; `seen` is the count, no further than `depth`."""
        since = shift(situation.at, -self.window)
        latest = situation.facts.latest(situation.selector, self.depth, since, situation.at)
        return _decided_by_nth(latest, self.depth, self.window, few=self.comparison.is_upper_bound)

    def describe(self, finding: Finding) -> str:
        """See `Condition.tell`."""
        return _counted_up_to(finding.evidence, self.depth, "time")

    def missing(self, finding: Finding) -> str | None:
        """See `Condition.lacks`."""
        return _more(self.depth - finding.evidence)

    def preventing_events(self, finding: Finding, events: str) -> str | None:
        """See `Condition.averts`."""
        return _followed(self.missing(finding), events)

    def __str__(self) -> str:
        return (
            f"{self.comparison} {pluralize(self.times, 'time')} in {format_duration(self.window)}"
        )


@dataclass(frozen=True)
class Absence(Windowed):
    """`no activity for W`: the same as less than 1 time in W."""

    window: timedelta

    @property
    def events_needed(self) -> int:
        """See `Condition.latest_read`."""
        return 1

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.find`; `seen` is 1 if there was any event in the window."""
        return Count(Comparison.LESS_THAN, 1, self.window).evaluate(situation)

    def describe(self, finding: Finding) -> str:
        """See `Condition.tell`."""
        return "activity" if finding.evidence else "no activity"

    def missing(self, finding: Finding) -> str | None:
        """See `Condition.lacks`."""
        return None if finding.evidence else "1 more"

    def preventing_events(self, finding: Finding, events: str) -> str | None:
        """See `Condition.averts`."""
        return _followed(self.missing(finding), events)

    def __str__(self) -> str:
        return f"No activity for {format_duration(self.window)}"


@dataclass(frozen=True)
class Distinct(Windowed):
    """`fewer than N distinct users in W`, or of distinct values of a path below `data`."""

    comparison: Comparison
    number: int
    of: Path
    window: timedelta

    @property
    def depth(self) -> int:
        """The N of the N-th latest user or value that decides."""
        return self.comparison.depth(self.number)

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.find`; `seen` is how many there were, no further than `depth`."""
        latest = _latest_of_each(situation, self.of, self.depth, self.window)
        return _decided_by_nth(latest, self.depth, self.window, few=self.comparison.is_upper_bound)

    def describe(self, finding: Finding) -> str:
        """See `Condition.tell`."""
        noun = "user" if self.of == USER else "value"
        return _counted_up_to(finding.evidence, self.depth, f"distinct {noun}")

    def missing(self, finding: Finding) -> str | None:
        """See `Condition.lacks`."""
        return _more(self.depth - finding.evidence)

    def preventing_events(self, finding: Finding, events: str) -> str | None:
        """See `Condition.averts`."""
        events = events if self.of == USER else f"{'.'.join(self.of)} of {events}"
        noun = "user" if self.of == USER else "value"
        return _more_distinct(self.depth - finding.evidence, noun, events)

    def __str__(self) -> str:
        users = "user" if self.number == 1 else "users"
        what = users if self.of == USER else ".".join(self.of)
        return f"{self.comparison} {self.number} distinct {what} in {format_duration(self.window)}"


@dataclass(frozen=True)
class Share(Windowed, OnField):
    """`distinct users in W below P% of company.seats`: as many as a field of the company says."""

    bound: Bound
    percent: Decimal
    field: str
    window: timedelta

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.find`; `seen` is the number of users as far as it was counted, and N."""
        whole = as_number(situation.facts.field(field_path(self.field), situation.at))
        if whole is None or whole <= 0:
            return Finding(None)
        depth = self._depth(whole)
        if depth == 0:
            return Finding(holds=not self.bound.is_upper_bound, evidence=(0, 0))
        latest = _latest_of_each(situation, USER, min(depth, 2**31 - 1), self.window)
        found = _decided_by_nth(latest, depth, self.window, few=self.bound.is_upper_bound)
        return Finding(found.holds, found.changes_at, found.awaits_event, (found.evidence, depth))

    def _depth(self, whole: Decimal) -> int:
        """The smallest number of users that is `at least`, or `above`, the share."""
        share = Fraction(whole) * Fraction(self.percent) / 100
        if self.bound in (Bound.BELOW, Bound.AT_LEAST):
            return ceil(share)
        return floor(share) + 1

    def describe(self, finding: Finding) -> str:
        """See `Condition.tell`."""
        if finding.holds is None:
            return f"company.{self.field} is not a number above 0"
        evidence, depth = finding.evidence
        return f"{_counted_up_to(evidence, depth, 'distinct user')}, the share is {depth}"

    def missing(self, finding: Finding) -> str | None:
        """See `Condition.lacks`."""
        return _more(finding.evidence[1] - finding.evidence[0]) if finding.evidence else None

    def preventing_events(self, finding: Finding, events: str) -> str | None:
        """See `Condition.averts`."""
        if not finding.evidence:
            return None
        return _more_distinct(finding.evidence[1] - finding.evidence[0], "user", events)

    def __str__(self) -> str:
        return (
            f"Distinct users in {format_duration(self.window)} {self.bound}"
            f" {format_number(self.percent)}% of company.{self.field}"
        )


@dataclass(frozen=True)
class Never(OnField):
    """`never within W of company.signup_date`: not done by then, and that date is over."""

    counts_events: ClassVar[bool] = True
    window: timedelta
    field: str

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.find`; `seen` is the last event before the deadline, and the deadline."""
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
        """See `Condition.tell`."""
        if finding.holds is None:
            return f"company.{self.field} is not a date"
        done, deadline = finding.evidence
        return f"{'done' if done else 'not done'} by {format_instant(deadline)}"

    def preventing_events(self, finding: Finding, events: str) -> str | None:
        """See `Condition.averts`."""
        return f"1 {events}" if finding.holds else None

    def __str__(self) -> str:
        return f"Never within {format_duration(self.window)} of company.{self.field}"


def _latest_of_each(
    situation: Situation, of: Path, limit: int, window: timedelta
) -> Sequence[datetime]:
    since = shift(situation.at, -window)
    return situation.facts.latest_of_each(situation.selector, of, limit, since, situation.at)


def _decided_by_nth(
    latest: Sequence[datetime], depth: int, window: timedelta, *, few: bool
) -> Finding:
    """The finding of the `depth`-th latest of those times in the window, newest first."""
    enough = len(latest) >= depth
    return Finding(
        holds=enough != few,
        changes_at=shift(latest[depth - 1], window) if enough else None,
        awaits_event=not enough,
        evidence=min(len(latest), depth),
    )


def _counted_up_to(evidence: int, depth: int, noun: str) -> str:
    return (
        f"{pluralize(evidence, noun)} or more"
        if evidence >= depth > 0
        else pluralize(evidence, noun)
    )


def _more(missing: int) -> str | None:
    return f"{missing} more" if missing > 0 else None


def _followed(number: str | None, what: str) -> str | None:
    return None if number is None else f"{number} {what}"


def _more_distinct(missing: int, noun: str, of: str) -> str | None:
    plural = "" if missing == 1 else "s"
    return _followed(_more(missing), f"distinct {noun}{plural} of {of}")
