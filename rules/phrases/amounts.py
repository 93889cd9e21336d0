"""Phrases about all events of a window: sums, averages, extremes, and change between windows.

No single event decides these. They read every event of their window, so their cost grows with it;
from those events they know exactly when they change if nothing more happens.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Context, Decimal
from enum import StrEnum
from functools import cached_property
from itertools import accumulate
from typing import ClassVar

from rules.durations import format_duration, shift
from rules.facts import Path
from rules.phrases.condition import Bound, Finding, Situation, Truth, Windowed, format_number
from rules.phrases.fields import as_number

_EXACT = Context(prec=2_000)
"""Enough digits for any sum of JSON numbers, so that the order of addition does not matter."""

DISPLAY_PRECISION = Decimal("0.01")
"""The precision at which an average is displayed; it is compared exactly."""


class Measure(StrEnum):
    """How a window's amounts are aggregated, in canonical words."""

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
class Measured:
    """The measure of a window, None if it is undefined, and whether the window has any event."""

    value: Decimal | None
    has_events: bool


@dataclass(frozen=True)
class Amount(Windowed):
    """`sum / average / highest / lowest of data.amount below / above X in W`.

    Events whose value is not a number are left out. The sum of no amounts is 0; the other measures
    are undefined then.
    """

    measure: Measure
    of: Path
    bound: Bound
    limit: Decimal
    window: timedelta

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.evaluate`; `evidence` is a `Measured`."""
        since = shift(situation.at, -self.window)
        values = situation.facts.values(situation.selector, self.of, since, situation.at)
        amounts = [(at, number) for at, value in values if (number := as_number(value)) is not None]
        # Entry n - 1 aggregates the newest n amounts of the window.
        newest_first = (number for _, number in reversed(amounts))
        of_newest = list(accumulate(newest_first, _FOLDS[self.measure]))
        holds = self._compare(of_newest, len(of_newest))
        changes_at = None
        for expired_at, count in _expirations([at for at, _ in amounts]):
            if self._compare(of_newest, count) != holds:
                changes_at = shift(expired_at, self.window)
                break
        measured = Measured(self._displayed(of_newest), has_events=bool(values))
        return Finding(holds, changes_at, self._awaits_event(holds), measured)

    def _compare(self, of_newest: Sequence[Decimal], count: int) -> Truth:
        """Compare the measure of the newest `count` amounts with the limit."""
        if count == 0:
            return (
                self.bound.admits(Decimal(0), self.limit) if self.measure == Measure.SUM else None
            )
        limit = self.limit
        if self.measure == Measure.AVERAGE:
            limit = _EXACT.multiply(limit, Decimal(count))
        return self.bound.admits(of_newest[count - 1], limit)

    def _awaits_event(self, holds: Truth) -> bool:
        """One amount can falsify a statement about all amounts, or verify one about any of them."""
        if holds is None or self.measure in (Measure.SUM, Measure.AVERAGE):
            return True
        is_about_all = (self.measure == Measure.HIGHEST) == self.bound.is_upper_bound
        return holds == is_about_all

    def _displayed(self, of_newest: Sequence[Decimal]) -> Decimal | None:
        if not of_newest:
            return Decimal(0) if self.measure == Measure.SUM else None
        if self.measure == Measure.AVERAGE:
            average = _EXACT.divide(of_newest[-1], Decimal(len(of_newest)))
            return _EXACT.quantize(average, DISPLAY_PRECISION)
        return of_newest[-1]

    def describe(self, finding: Finding) -> str:
        """See `Condition.describe`."""
        what = f"{str(self.measure).lower()} of {'.'.join(self.of)}"
        value = finding.evidence.value
        return f"no {what}" if value is None else f"{what} is {format_number(value)}"

    def __str__(self) -> str:
        return (
            f"{self.measure} of {'.'.join(self.of)} {self.bound} {format_number(self.limit)}"
            f" in {format_duration(self.window)}"
        )


@dataclass(frozen=True)
class Change(Windowed):
    """`down P% in W`, `up P% in W`: events in the window compared with the window before it.

    It cannot be evaluated if the window before has no events, or fewer than
    `ignore_previous_under`.
    """

    upwards: bool
    percent: Decimal
    window: timedelta
    ignore_previous_under: Decimal = Decimal(0)

    affected_by_late_events: ClassVar[bool] = True

    @property
    def lookback(self) -> timedelta:
        """See `Condition.lookback`."""
        return 2 * self.window

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.evaluate`; `evidence` is the previous count and the current count."""
        at, facts = situation.at, situation.facts
        values = facts.values(situation.selector, (), shift(at, -2 * self.window), at)
        times = [time for time, _ in values]
        border = shift(at, -self.window)
        before = sum(1 for time in times if time <= border)
        now = len(times) - before
        holds = self._compare(before, now)
        changes_at = self._changes_at(times, before, holds)
        # Without enough previous events, events yet to come will become the previous ones.
        awaits_event = changes_at is None if holds is None else holds != self.upwards
        return Finding(holds, changes_at, awaits_event, evidence=(before, now))

    def _compare(self, before: int, now: int) -> Truth:
        if before == 0 or before < self.ignore_previous_under:
            return None
        factor = self._factor
        limit = before * factor if isinstance(factor, int) else _EXACT.multiply(before, factor)
        return now * 100 >= limit if self.upwards else now * 100 <= limit

    @cached_property
    def _factor(self) -> int | Decimal:
        """The percentage of the previous number that is compared; an integer compares faster."""
        combine = _EXACT.add if self.upwards else _EXACT.subtract
        factor = combine(Decimal(100), self.percent)
        return int(factor) if factor == factor.to_integral_value() else factor

    def _changes_at(self, times: Sequence[datetime], before: int, holds: Truth) -> datetime | None:
        """Return when the phrase changes as events move into the window before, then out of it."""
        crossings = [shift(time, self.window) for time in times]
        expirations = [shift(time, 2 * self.window) for time in times]
        crossed, expired = before, 0  # events past the border, and past the window before
        while expired < len(times):
            following = expirations[expired]
            if crossed < len(times):
                following = min(following, crossings[crossed])
            while crossed < len(times) and crossings[crossed] <= following:
                crossed += 1
            while expired < crossed and expirations[expired] <= following:
                expired += 1
            if self._compare(crossed - expired, len(times) - crossed) != holds:
                return following
        return None

    def describe(self, finding: Finding) -> str:
        """See `Condition.describe`."""
        before, now = finding.evidence
        too_few = finding.holds is None
        return f"{now} after {before} before{', too few to compare with' if too_few else ''}"

    def __str__(self) -> str:
        direction = "Up" if self.upwards else "Down"
        return f"{direction} {format_number(self.percent)}% in {format_duration(self.window)}"


def _expirations(times: Sequence[datetime]) -> Iterable[tuple[datetime, int]]:
    """Yield each time at which events occurred, oldest first, and how many events are newer."""
    for index, at in enumerate(times):
        if index + 1 == len(times) or times[index + 1] != at:
            yield at, len(times) - index - 1
