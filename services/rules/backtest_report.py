"""The results of a backtest of which every replay is kept, as rows for tables and JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from rules.book import RuleBook
from rules.judging.accuracy import NO_OUTCOMES, CompanyOutcomes
from services.rules.backtest import CompanyReplay, ReplayPeriod
from services.rules.backtest_totals import BookTotals, accuracy_figures


@dataclass(frozen=True)
class BacktestReport:
    """The replays of a book, and of variants of its flags, over one period.

    `outcomes` are those of the companies that have any, by the client's own ids.
    """

    book: RuleBook
    variants: list[RuleBook]
    replayed: list[CompanyReplay]
    period: ReplayPeriod
    outcomes: Mapping[str, CompanyOutcomes]
    horizon: timedelta

    @cached_property
    def totals(self) -> BookTotals:
        """The totals of the book."""
        return self._totals(0, self.book)

    def thresholds(self) -> list[dict[str, Any]]:
        """Return how well each variant of a flag would have warned of the companies that left."""
        rows = []
        for number, variant in enumerate(self.variants, start=1):
            [flag] = variant.flags
            written = self.book.flags_by_name[flag.name].conditions[-1][1]
            phrase = flag.conditions[-1][1]
            accuracy = self._totals(number, variant).flags[flag.name].accuracy
            rows.append(
                {"flag": flag.name, "phrase": str(phrase), "as_written": phrase == written}
                | accuracy_figures(accuracy)
            )
        return rows

    def transitions(self) -> list[dict[str, Any]]:
        """Return every change of a company's status or flags, company by company."""
        return [
            {"id": replay.company, "at": t.at, "from": t.before, "to": t.after}
            for replay in sorted(self.replayed, key=lambda replay: replay.company)
            for t in replay.replays[0].transitions
        ]

    def _totals(self, number: int, book: RuleBook) -> BookTotals:
        """Return the totals of the book or the variant with this number."""
        totals = BookTotals.of(book, self.period, self.horizon)
        for replay in self.replayed:
            totals.add(replay.replays[number], self.outcomes.get(replay.company, NO_OUTCOMES))
        return totals
