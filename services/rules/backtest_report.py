"""The results of a backtest as rows for tables and JSON."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rules.book import RuleBook
from rules.judging.accuracy import Accuracy, Period, measure_accuracy
from rules.judging.replay import raised_periods
from services.rules.backtest import CompanyReplay, ReplayPeriod

ANY_FLAG = "(any flag)"


@dataclass(frozen=True)
class BacktestReport:
    """The replays of a book, and of variants of its flags, over one period."""

    book: RuleBook
    variants: list[RuleBook]
    replayed: list[CompanyReplay]
    period: ReplayPeriod

    def changes(self) -> list[dict[str, Any]]:
        """Return how often each flag was raised and cleared, and for how many companies."""
        rows = []
        for name in (*(flag.name for flag in self.book.flags), None):
            periods = self._periods(0, name)
            flat = list(_flat(periods))
            rows.append(
                {
                    "flag": name or ANY_FLAG,
                    "raised": sum(begun > self.period.since for begun, _ in flat),
                    "cleared": sum(ended < self.period.until for _, ended in flat),
                    "companies": sum(1 for company in periods.values() if company),
                    "raised_at_the_end": sum(ended == self.period.until for _, ended in flat),
                }
            )
        return rows

    def weeks(self) -> list[dict[str, Any]]:
        """Return for each week and flag how often it was raised and cleared, if it was."""
        raised, cleared = Counter[tuple[int, str]](), Counter[tuple[int, str]]()
        for flag in self.book.flags:
            for begun, ended in _flat(self._periods(0, flag.name)):
                if begun > self.period.since:
                    raised[self._week(begun), flag.name] += 1
                if ended < self.period.until:
                    cleared[self._week(ended), flag.name] += 1
        return [
            {
                "week_from": f"{self.period.since + timedelta(weeks=week):%Y-%m-%d}",
                "flag": flag,
                "raised": raised[week, flag],
                "cleared": cleared[week, flag],
            }
            for week, flag in sorted({*raised, *cleared})
        ]

    def accuracy(
        self, outcomes: Mapping[str, datetime], horizon: timedelta
    ) -> list[dict[str, Any]]:
        """Return how well each flag predicted the outcomes."""
        return [
            {"flag": name or ANY_FLAG} | _figures(self._accuracy_of(0, name, outcomes, horizon))
            for name in (*(flag.name for flag in self.book.flags), None)
        ]

    def thresholds(
        self, outcomes: Mapping[str, datetime], horizon: timedelta
    ) -> list[dict[str, Any]]:
        """Return how well each variant of a flag would have predicted the outcomes."""
        rows = []
        for number, variant in enumerate(self.variants, start=1):
            [flag] = variant.flags
            written = self.book.flags_by_name[flag.name].conditions[-1][1]
            phrase = flag.conditions[-1][1]
            accuracy = self._accuracy_of(number, flag.name, outcomes, horizon)
            rows.append(
                {"flag": flag.name, "phrase": str(phrase), "as_written": phrase == written}
                | _figures(accuracy)
            )
        return rows

    def transitions(self) -> list[dict[str, Any]]:
        """Return every change of a company's status or flags, company by company."""
        return [
            {"id": replay.company, "at": t.at, "from": t.before, "to": t.after}
            for replay in sorted(self.replayed, key=lambda replay: replay.company)
            for t in replay.replays[0].transitions
        ]

    def _accuracy_of(
        self,
        number: int,
        flag: str | None,
        outcomes: Mapping[str, datetime],
        horizon: timedelta,
    ) -> Accuracy:
        return measure_accuracy(self._periods(number, flag), outcomes, horizon=horizon)

    def _periods(self, number: int, flag: str | None) -> dict[str, list[Period]]:
        """Return when each company was raised, by the book or the variant with this number."""
        return {
            replay.company: raised_periods(
                replay.replays[number],
                flag,
                self.book.statuses[0],
                since=self.period.since,
                until=self.period.until,
            )
            for replay in self.replayed
        }

    def _week(self, at: datetime) -> int:
        return (at - self.period.since) // timedelta(weeks=1)


def _flat(periods: Mapping[str, Iterable[Period]]) -> Iterable[Period]:
    return (period for company in periods.values() for period in company)


def _figures(accuracy: Accuracy) -> dict[str, Any]:
    return {
        "warned": accuracy.warned,
        "missed": accuracy.missed,
        "false_alarms": accuracy.false_alarms,
        "precision": _rounded(accuracy.precision),
        "recall": _rounded(accuracy.recall),
        "days_of_warning": _rounded(accuracy.days_of_warning),
    }


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 3)
