"""How well flags warned of the companies that left, one company at a time.

All times count as their day, UTC. A loss was warned of if the flag was raised on an earlier day,
and not cleared before the `horizon` days before the loss began; otherwise it was missed. The days
of warning are those from the day on which that raise began, the earliest if there are several.

A company that was raised is a false alarm if it did not leave within `horizon` days after any of
its raises, and undecided while it still may. Raises after it left do not count, until another
outcome shows that it is back.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any, NamedTuple

Period = tuple[datetime, datetime | None]
"""A period in which something was raised: start, end; None while it still is."""


class Loss(NamedTuple):
    """The day on which a company left, and the amount that was lost, if it is known."""

    day: date
    amount: Decimal | None = None


@dataclass(frozen=True)
class CompanyOutcomes:
    """The losses of a company, and the days of its other outcomes, which show that it is back."""

    losses: Sequence[Loss] = ()
    others: Sequence[date] = ()

    def has_left(self, day: date) -> bool:
        """Whether the company had left by a day."""
        left = max((loss.day for loss in self.losses if loss.day <= day), default=None)
        return left is not None and not any(left < other <= day for other in self.others)

    def between(self, since: date, until: date) -> "CompanyOutcomes":
        """Return the same with the losses of these days only, both included."""
        losses = [loss for loss in self.losses if since <= loss.day <= until]
        return CompanyOutcomes(losses, self.others)


NO_OUTCOMES = CompanyOutcomes()


@dataclass
class Accuracy:
    """Counts of losses and of companies, to which companies are added one after another.

    `days` counts losses by their days of warning.
    """

    warned: int = 0
    missed: int = 0
    false_alarms: int = 0
    undecided: int = 0
    warned_amount: Decimal = Decimal(0)
    missed_amount: Decimal = Decimal(0)
    days: Counter[int] = field(default_factory=Counter)

    def add(
        self, raised: Sequence[Period], outcomes: CompanyOutcomes, horizon: timedelta, today: date
    ) -> None:
        """Add a company with the periods in which it was raised."""
        for loss in outcomes.losses:
            warned_on = first_warning(raised, loss.day, horizon)
            if warned_on is None:
                self.missed += 1
                self.missed_amount += loss.amount or 0
            else:
                self.warned += 1
                self.warned_amount += loss.amount or 0
                self.days[(loss.day - warned_on).days] += 1
        days = [_day(start) for start, _ in raised]
        alarms = [day for day in days if not outcomes.has_left(day)]
        if not alarms or any(_is_followed(day, outcomes, horizon) for day in alarms):
            return
        if any(day + horizon < today for day in alarms):
            self.false_alarms += 1
        else:
            self.undecided += 1

    def merge(self, other: "Accuracy") -> None:
        """Add the companies of another one."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def days_of_warning(self) -> float | None:
        """The median of the days of warning; None if no loss was warned of."""
        return median(self.days.elements()) if self.days else None

    @property
    def precision(self) -> float | None:
        """The share of warnings that were followed by a loss, 0 to 1; None without warnings."""
        raised = self.warned + self.false_alarms
        return self.warned / raised if raised else None

    @property
    def recall(self) -> float | None:
        """The share of losses that were warned of, 0 to 1; None without losses."""
        losses = self.warned + self.missed
        return self.warned / losses if losses else None

    def as_json(self) -> dict[str, Any]:
        """Return the counts as JSON."""
        return {
            **vars(self),
            "warned_amount": str(self.warned_amount),
            "missed_amount": str(self.missed_amount),
            "days": {str(days): number for days, number in self.days.items()},
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Accuracy":
        """Read counts from JSON."""
        days = Counter({int(days): number for days, number in stored["days"].items()})
        amounts = {name: Decimal(stored[name]) for name in ("warned_amount", "missed_amount")}
        return cls(**{**stored, **amounts, "days": days})


def first_warning(raised: Iterable[Period], day: date, horizon: timedelta) -> date | None:
    """Return the day on which the earliest raise began that warned of a loss; None if none did."""
    return min(
        (
            _day(start)
            for start, end in raised
            if _day(start) < day and (end is None or _day(end) >= day - horizon)
        ),
        default=None,
    )


def _is_followed(day: date, outcomes: CompanyOutcomes, horizon: timedelta) -> bool:
    return any(day < loss.day <= day + horizon for loss in outcomes.losses)


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()
