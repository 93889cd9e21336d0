"""How good the warnings of rules were, measured by what became of the companies.

A company that came to an outcome (it churned, say) was warned if something was raised at some
time in the `horizon` before; otherwise it was missed. A company without an outcome that was ever
raised is a false alarm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

Period = tuple[datetime, datetime]
"""A stretch of time in which something was raised: from, to."""


@dataclass(frozen=True)
class Accuracy:
    """Companies by what was said of them and what became of them.

    `days_of_warning` is the median, over the companies warned, of the days between the first
    sign within the horizon and the outcome; None if none was warned.
    """

    warned: int
    missed: int
    false_alarms: int
    days_of_warning: float | None

    @property
    def precision(self) -> float | None:
        """The share of the companies raised that came to the outcome, 0 to 1."""
        raised = self.warned + self.false_alarms
        return self.warned / raised if raised else None

    @property
    def recall(self) -> float | None:
        """The share of the outcomes that were warned of, 0 to 1."""
        outcomes = self.warned + self.missed
        return self.warned / outcomes if outcomes else None


def measure_accuracy(
    raised: Mapping[str, Sequence[Period]],
    outcomes: Mapping[str, datetime],
    *,
    horizon: timedelta,
) -> Accuracy:
    """Compare the periods in which companies were raised with their outcomes."""
    days = []
    for company, at in outcomes.items():
        signs = [
            max(started, at - horizon)
            for started, ended in raised.get(company, ())
            if started < at and ended > at - horizon
        ]
        days += [(at - min(signs)) / timedelta(days=1)] if signs else []
    alarmed = {company for company, periods in raised.items() if periods}
    return Accuracy(
        warned=len(days),
        missed=len(outcomes) - len(days),
        false_alarms=len(alarmed - outcomes.keys()),
        days_of_warning=median(days) if days else None,
    )
