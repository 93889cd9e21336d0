"""Compares a draft of rules with those in force, over the same period and companies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rules.book import RuleBook
from rules.judging.accuracy import NO_OUTCOMES, Accuracy, CompanyOutcomes
from services.rules.backtest import CompanyReplay, ReplayPeriod
from services.rules.backtest_totals import BookTotals, FlagTotals, accuracy_figures


@dataclass(frozen=True)
class ComparedFlag:
    """The totals of a flag by the draft and by the rules in force; None where it is missing."""

    flag: str
    draft: FlagTotals | None
    in_force: FlagTotals | None


@dataclass(frozen=True)
class Comparison:
    """The totals of both books, to which companies are added in chunks."""

    books: Sequence[RuleBook]
    draft: BookTotals
    in_force: BookTotals

    @classmethod
    def of(
        cls, draft: RuleBook, in_force: RuleBook, period: ReplayPeriod, horizon: timedelta
    ) -> "Comparison":
        """Return a comparison without companies."""
        totals = [BookTotals.of(book, period, horizon) for book in (draft, in_force)]
        return cls((draft, in_force), *totals)

    @property
    def flags(self) -> list[ComparedFlag]:
        """The flags of both books, those of the draft first, and the company's status last."""
        draft, in_force = self.draft.flags, self.in_force.flags
        *names, status = draft
        names += [name for name in in_force if name not in draft]
        return [ComparedFlag(n, draft.get(n), in_force.get(n)) for n in (*names, status)]

    @property
    def losses(self) -> Accuracy:
        """The losses of the period, by how the draft's status warned of them."""
        return list(self.draft.flags.values())[-1].accuracy

    def add(
        self, replayed: Iterable[CompanyReplay], outcomes: Mapping[str, CompanyOutcomes]
    ) -> None:
        """Add companies that both books were replayed for, with their outcomes by their ids."""
        for company in replayed:
            of_company = outcomes.get(company.company, NO_OUTCOMES)
            for totals, replay in zip((self.draft, self.in_force), company.replays, strict=True):
                totals.add(replay, of_company)

    def rows(self) -> list[dict[str, Any]]:
        """Return the figures of each flag by the draft, with those in force after `in_force_`."""
        return [
            {"flag": flag.flag}
            | _figures(flag.draft)
            | {f"in_force_{name}": figure for name, figure in _figures(flag.in_force).items()}
            for flag in self.flags
        ]

    def as_json(self) -> dict[str, Any]:
        """Return what chunks add to, as JSON."""
        return {"draft": self.draft.as_json(), "in_force": self.in_force.as_json()}

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Continue from what `as_json` returned."""
        self.draft.restore(stored["draft"])
        self.in_force.restore(stored["in_force"])


def _figures(totals: FlagTotals | None) -> dict[str, Any]:
    empty = accuracy_figures(Accuracy())
    return accuracy_figures(totals.accuracy) if totals else dict.fromkeys(empty)
