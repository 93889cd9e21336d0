"""The accuracy of a rule book's warnings, measured against the companies' outcomes.

A company with an outcome (it churned, for example) was warned of if something was raised at any
time within the `horizon` before; otherwise it was missed. A company without an outcome that was
ever raised is a false alarm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

Period = tuple[datetime, datetime]
"""A period in which something was raised: start, end."""


@dataclass(frozen=True)
class Accuracy:
    """The number of companies by warning and outcome.

    `days_of_warning` is the median, over the companies warned of, of the days between the first
    warning within the horizon and the outcome; None if none was warned of.
    """

    warned: int
    missed: int
    false_alarms: int
    days_of_warning: float | None

    @property
    def precision(self) -> float | None:
        """The share of raised companies that had an outcome, 0 to 1; None if none was raised."""
        raised = self.warned + self.false_alarms
        return self.warned / raised if raised else None

    @property
    def recall(self) -> float | None:
        """The share of outcomes that were warned of, 0 to 1; None without outcomes."""
        outcomes = self.warned + self.missed
        return self.warned / outcomes if outcomes else None


def measure_accuracy(
    raised: Mapping[str, Sequence[Period]],
    outcomes: Mapping[str, datetime],
    *,
    horizon: timedelta,
) -> Accuracy:
    """Compare the periods in which companies were raised with their outcomes, both by company."""
    days = []
    for company, at in outcomes.items():
        starts = [
            max(started, at - horizon)
            for started, ended in raised.get(company, ())
            if started < at and ended > at - horizon
        ]
        days += [(at - min(starts)) / timedelta(days=1)] if starts else []
    raised_companies = {company for company, periods in raised.items() if periods}
    return Accuracy(
        warned=len(days),
        missed=len(outcomes) - len(days),
        false_alarms=len(raised_companies - outcomes.keys()),
        days_of_warning=median(days) if days else None,
    )
