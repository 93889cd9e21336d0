"""Phrases that count distinct users or values; the N-th latest decides, as in `counting`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from rules.durations import format_duration, shift
from rules.facts import USER, Path
from rules.phrases.condition import Bound, Finding, OnField, Situation, Windowed, format_number
from rules.phrases.counting import (
    Comparison,
    describe_count,
    finding_from_nth_latest,
)
from rules.phrases.fields import as_number, field_path


@dataclass(frozen=True)
class Distinct(Windowed):
    """`fewer than N distinct users in W`, or distinct values of a path below `data`."""

    comparison: Comparison
    number: int
    of: Path
    window: timedelta

    @property
    def depth(self) -> int:
        """The N of the N-th latest user or value that decides."""
        return self.comparison.depth(self.number)

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.evaluate`; `evidence` is the number of them, capped at `depth`."""
        latest = _latest_of_each(situation, self.of, self.depth, self.window)
        return finding_from_nth_latest(
            latest, self.depth, self.window, is_upper_bound=self.comparison.is_upper_bound
        )

    def describe(self, finding: Finding) -> str:
        """See `Condition.describe`."""
        noun = "user" if self.of == USER else "value"
        return describe_count(finding.evidence, self.depth, f"distinct {noun}")

    def __str__(self) -> str:
        users = "user" if self.number == 1 else "users"
        what = users if self.of == USER else ".".join(self.of)
        return f"{self.comparison} {self.number} distinct {what} in {format_duration(self.window)}"


@dataclass(frozen=True)
class Share(Windowed, OnField):
    """`distinct users in W below P% of company.seats`: users relative to a company field."""

    bound: Bound
    percent: Decimal
    field: str
    window: timedelta

    def evaluate(self, situation: Situation) -> Finding:
        """See `Condition.evaluate`.

        `evidence` is the number of users, capped at N, then N, and the field's value.
        """
        whole = as_number(situation.facts.field(field_path(self.field), situation.at))
        if whole is None or whole <= 0:
            return Finding(None)
        depth = self._depth(whole)
        if depth == 0:
            return Finding(holds=not self.bound.is_upper_bound, evidence=(0, 0, whole))
        latest = _latest_of_each(situation, USER, min(depth, 2**31 - 1), self.window)
        finding = finding_from_nth_latest(
            latest, depth, self.window, is_upper_bound=self.bound.is_upper_bound
        )
        return finding._replace(evidence=(finding.evidence, depth, whole))

    def _depth(self, whole: Decimal) -> int:
        """Return the smallest number of users that is at least the share, or above it."""
        (whole_above, whole_below), (above, below) = (
            number.as_integer_ratio() for number in (whole, self.percent)
        )
        dividend, divisor = whole_above * above, whole_below * below * 100
        if self.bound in (Bound.BELOW, Bound.AT_LEAST):
            return -(-dividend // divisor)
        return dividend // divisor + 1

    def describe(self, finding: Finding) -> str:
        """See `Condition.describe`."""
        if finding.holds is None:
            return f"company.{self.field} is not a number above 0"
        users, depth, whole = finding.evidence
        more = " or more" if users >= depth > 0 else ""
        return (
            f"{users}{more} of {format_number(whole)} {self.field.rpartition('.')[2]};"
            f" {format_number(self.percent)}% would be {depth}"
        )

    def __str__(self) -> str:
        return (
            f"Distinct users in {format_duration(self.window)} {self.bound}"
            f" {format_number(self.percent)}% of company.{self.field}"
        )


def _latest_of_each(
    situation: Situation, of: Path, limit: int, window: timedelta
) -> Sequence[datetime]:
    since = shift(situation.at, -window)
    return situation.facts.latest_of_each(situation.selector, of, limit, since, situation.at)
