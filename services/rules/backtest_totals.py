"""The totals of a backtest, to which replayed companies are added one after another.

They have the same size for any number of companies, and can be stored between two of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rules.book import RuleBook
from rules.judging.accuracy import NO_OUTCOMES, Accuracy, CompanyOutcomes, Period
from rules.judging.replay import Replay, raised_periods
from services.rules.backtest import ReplayPeriod

ANY_FLAG = "(any flag)"
"""The name of the company's status among the flags."""


@dataclass
class FlagTotals:
    """How often a flag was raised and cleared, for how many companies, and how well it warned.

    `weeks` has how often it was raised and cleared in each week of the period, by its number.
    """

    raised: int = 0
    cleared: int = 0
    companies: int = 0
    raised_at_the_end: int = 0
    weeks: dict[int, list[int]] = field(default_factory=dict)
    accuracy: Accuracy = field(default_factory=Accuracy)

    def add(self, raised: Iterable[Period], period: ReplayPeriod) -> None:
        """Add the periods in which one company was raised."""
        periods = list(raised)
        self.companies += bool(periods)
        for begun, ended in periods:
            if begun > period.since:
                self.raised += 1
                self._week(begun, period)[0] += 1
            if ended is not None and ended < period.until:
                self.cleared += 1
                self._week(ended, period)[1] += 1
            else:
                self.raised_at_the_end += 1

    def _week(self, at: datetime, period: ReplayPeriod) -> list[int]:
        return self.weeks.setdefault((at - period.since) // timedelta(weeks=1), [0, 0])

    def as_json(self) -> dict[str, Any]:
        """Return the totals as JSON."""
        weeks = {str(week): counts for week, counts in self.weeks.items()}
        return {**vars(self), "weeks": weeks, "accuracy": self.accuracy.as_json()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "FlagTotals":
        """Read totals from JSON."""
        weeks = {int(week): counts for week, counts in stored["weeks"].items()}
        return cls(**{**stored, "weeks": weeks, "accuracy": Accuracy.from_json(stored["accuracy"])})


@dataclass
class BookTotals:
    """The totals of each flag of a rule book by name, and of the company's status at the end."""

    best: str
    period: ReplayPeriod
    horizon: timedelta
    flags: dict[str, FlagTotals]
    replayed: int = 0

    @classmethod
    def of(cls, book: RuleBook, period: ReplayPeriod, horizon: timedelta) -> "BookTotals":
        """Return the totals of no companies."""
        names = (*(flag.name for flag in book.flags), ANY_FLAG)
        return cls(book.statuses[0], period, horizon, {name: FlagTotals() for name in names})

    def add(self, replayed: Replay, outcomes: CompanyOutcomes = NO_OUTCOMES) -> None:
        """Add a company; only losses after the beginning of the period count."""
        period, today = self.period, self.period.until.date()
        counted = outcomes.between(period.since.date() + timedelta(days=1), today)
        self.replayed += 1
        for name, totals in self.flags.items():
            raised = raised_periods(
                replayed,
                None if name == ANY_FLAG else name,
                self.best,
                since=period.since,
                until=period.until,
            )
            totals.add(raised, period)
            totals.accuracy.add(raised, counted, self.horizon, today)

    def changes(self) -> list[dict[str, Any]]:
        """Return how often each flag was raised and cleared, and for how many companies."""
        names = ("raised", "cleared", "companies", "raised_at_the_end")
        return [
            {"flag": flag} | {name: getattr(totals, name) for name in names}
            for flag, totals in self.flags.items()
        ]

    def weeks(self) -> list[dict[str, Any]]:
        """Return for each week and flag how often it was raised and cleared, if it was."""
        rows = sorted(
            (week, flag, raised, cleared)
            for flag, totals in self.flags.items()
            for week, (raised, cleared) in totals.weeks.items()
            if flag != ANY_FLAG
        )
        return [
            {
                "week_from": f"{self.period.since + timedelta(weeks=week):%Y-%m-%d}",
                "flag": flag,
                "raised": raised,
                "cleared": cleared,
            }
            for week, flag, raised, cleared in rows
        ]

    def accuracy(self) -> list[dict[str, Any]]:
        """Return how well each flag warned of the companies that left."""
        return [
            {"flag": flag} | accuracy_figures(totals.accuracy)
            for flag, totals in self.flags.items()
        ]

    def as_json(self) -> dict[str, Any]:
        """Return what companies add to, as JSON."""
        flags = {flag: totals.as_json() for flag, totals in self.flags.items()}
        return {"replayed": self.replayed, "flags": flags}

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Continue from what `as_json` returned for the same book, period and horizon."""
        self.replayed = stored["replayed"]
        # In the order of the book, which JSON in PostgreSQL does not keep.
        self.flags = {flag: FlagTotals.from_json(stored["flags"][flag]) for flag in self.flags}


def accuracy_figures(accuracy: Accuracy) -> dict[str, Any]:
    """Return the figures of an accuracy as columns of a table."""
    return {
        "warned": accuracy.warned,
        "missed": accuracy.missed,
        "false_alarms": accuracy.false_alarms,
        "undecided": accuracy.undecided,
        "precision": _rounded(accuracy.precision),
        "recall": _rounded(accuracy.recall),
        "days_of_warning": _rounded(accuracy.days_of_warning),
        "warned_amount": float(accuracy.warned_amount),
        "missed_amount": float(accuracy.missed_amount),
    }


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 3)
