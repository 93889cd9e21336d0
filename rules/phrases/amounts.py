"""Phrases about all events of a window: sums, averages, extremes, and change from window to window.

These have no single event that decides. They read every event of their window, so their cost
grows with it; from those events they know exactly when they change if nothing more happens.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Context, Decimal
from enum import StrEnum
from itertools import accumulate
from typing import ClassVar

from rules.durations import format_duration, shift
from rules.facts import Path
from rules.phrases.condition import Bound, Finding, Situation, Truth, Windowed, format_number
from rules.phrases.fields import as_number

_EXACT = Context(prec=2_000)
"""Digits enough for any sum of JSON numbers, so that no order of adding makes a difference."""

SHOWN_STEP = Decimal("0.01")
"""Of an average, where it is told; it is compared exactly."""


class Measure(StrEnum):
    """What is taken of a window's amounts, in its canonical words."""

    SUM = "Sum"
    AVERAGE = "Average"
    HIGHEST = "Highest"
    LOWEST = "Lowest"


_FOLDS: dict[Measure, Callable[[Decimal, Decimal], Decimal]] = {
    Measure.SUM: _EXACT.add,
    Measure.AVERAGE: _EXACT.add,
    Measure.HIGHEST: max,
    Measure.LOWEST: min,
}


@dataclass(frozen=True)
class Amount(Windowed):
    """`sum / average / highest / lowest of data.amount below / above X in W`.

    Events whose value is no number are left out. The sum of none is 0; the others are not
    defined then.
    """

    measure: Measure
    of: Path
    bound: Bound
    limit: Decimal
    window: timedelta

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.find`; `seen` is the measure, None where there is nothing to measure."""
        since = shift(situation.at, -self.window)
        values = situation.facts.values(situation.selector, self.of, since, situation.at)
        amounts = [(at, number) for at, value in values if (number := as_number(value)) is not None]
        # Of the newest amount alone, of the newest two, and so on up to all in the window.
        folded = accumulate((number for _, number in reversed(amounts)), _FOLDS[self.measure])
        of_newest = list(folded)
        holds = self._holds(of_newest, len(of_newest))
        changes_at = None
        for left, count in _leaving([at for at, _ in amounts]):
            if self._holds(of_newest, count) != holds:
                changes_at = shift(left, self.window)
                break
        return Finding(holds, changes_at, self._awaits_event(holds), self._shown(of_newest))

    def _holds(self, of_newest: Sequence[Decimal], count: int) -> Truth:
        """Whether it holds for the newest `count` amounts."""
        if count == 0:
            return (
                self.bound.admits(Decimal(0), self.limit) if self.measure == Measure.SUM else None
            )
        limit = self.limit
        if self.measure == Measure.AVERAGE:
            limit = _EXACT.multiply(limit, Decimal(count))
        return self.bound.admits(of_newest[count - 1], limit)

    def _awaits_event(self, holds: Truth) -> bool:
        """One amount can end a claim about all of a window, or found one about any of it."""
        if holds is None or self.measure in (Measure.SUM, Measure.AVERAGE):
            return True
        about_all = (self.measure == Measure.HIGHEST) == self.bound.is_upper_bound
        return holds == about_all

    def _shown(self, of_newest: Sequence[Decimal]) -> Decimal | None:
        if not of_newest:
            return Decimal(0) if self.measure == Measure.SUM else None
        if self.measure == Measure.AVERAGE:
            average = _EXACT.divide(of_newest[-1], Decimal(len(of_newest)))
            return _EXACT.quantize(average, SHOWN_STEP)
        return of_newest[-1]

    def describe(self, finding: Finding) -> str:
        """See `Condition.tell`."""
        what = f"{str(self.measure).lower()} of {'.'.join(self.of)}"
        return (
            f"no {what}"
            if finding.evidence is None
            else f"{what} is {format_number(finding.evidence)}"
        )

    def missing(self, finding: Finding) -> str | None:
        """See `Condition.lacks`."""
        if self.measure != Measure.SUM or finding.holds != self.bound.is_upper_bound:
            return None
        return f"{format_number(self.limit - finding.evidence)} more of {'.'.join(self.of)}"

    def preventing_events(self, finding: Finding, _events: str) -> str | None:
        """See `Condition.averts`."""
        return self.missing(finding)

    def __str__(self) -> str:
        return (
            f"{self.measure} of {'.'.join(self.of)} {self.bound} {format_number(self.limit)}"
            f" in {format_duration(self.window)}"
        )


@dataclass(frozen=True)
class Change(Windowed):
    """`down P% in W`, `up P% in W`: events in the window against those in the one before it.

    It cannot be judged where the window before has none, or fewer than `ignore_previous_under`.
    """

    upwards: bool
    percent: Decimal
    window: timedelta
    ignore_previous_under: Decimal = Decimal(0)

    affected_by_late_events: ClassVar[bool] = True

    @property
    def lookback(self) -> timedelta:
        """See `Condition.reach`."""
        return 2 * self.window

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.find`; `seen` is the count before and the count now."""
        at, facts = situation.at, situation.facts
        values = facts.values(situation.selector, (), shift(at, -2 * self.window), at)
        times = [time for time, _ in values]
        border = shift(at, -self.window)
        before = sum(1 for time in times if time <= border)
        now = len(times) - before
        holds = self._holds(before, now)
        changes_at = self._changes_at(times, before, holds)
        # Where too little is known to compare with, events to come are what will be compared with.
        awaits_event = changes_at is None if holds is None else holds != self.upwards
        return Finding(holds, changes_at, awaits_event, evidence=(before, now))

    def _holds(self, before: int, now: int) -> Truth:
        if before == 0 or before < self.ignore_previous_under:
            return None
        if self.upwards:
            return now * 100 >= _EXACT.multiply(before, _EXACT.add(100, self.percent))
        return now * 100 <= _EXACT.multiply(before, _EXACT.subtract(100, self.percent))

    def _changes_at(self, times: Sequence[datetime], before: int, holds: Truth) -> datetime | None:
        """When events that grow old and leave make it change."""
        entering, leaving = before, 0  # the next to fall behind the border, and out of sight
        while leaving < len(times):
            following = shift(times[leaving], 2 * self.window)
            if entering < len(times):
                following = min(following, shift(times[entering], self.window))
            while entering < len(times) and shift(times[entering], self.window) <= following:
                entering += 1
            while leaving < entering and shift(times[leaving], 2 * self.window) <= following:
                leaving += 1
            if self._holds(entering - leaving, len(times) - entering) != holds:
                return following
        return None

    def describe(self, finding: Finding) -> str:
        """See `Condition.tell`."""
        before, now = finding.evidence
        few = finding.holds is None
        return f"{now} after {before} before{', too few to compare with' if few else ''}"

    def __str__(self) -> str:
        direction = "Up" if self.upwards else "Down"
        return f"{direction} {format_number(self.percent)}% in {format_duration(self.window)}"


def _leaving(times: Sequence[datetime]) -> Iterable[tuple[datetime, int]]:
    """Each instant of events that leave together, oldest first, and how many stay then."""
    for index, at in enumerate(times):
        if index + 1 == len(times) or times[index + 1] != at:
            yield at, len(times) - index - 1
