"""The distribution of companies around thresholds: bands between them, and columns of a chart."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dashboard.pages.insights.frame import DASH
from services.insights.answers import MAX_NUMBER
from services.insights.thresholds import Threshold

MOST_SINGLE = 24
"""Numbers up to which each has a column of its own."""

LEAST_SHOWN = 10


@dataclass(frozen=True)
class Band:
    """A threshold, the number of companies at it, and `one_away`, those about to cross it.

    A company is at the worst threshold that holds for its count; the last band has the companies
    at none. `one_away` is None if it is not known, or if no company can be one away.
    """

    status: str | None
    phrase: str
    companies: int
    one_away: int | None


@dataclass(frozen=True)
class Bin:
    """The number of companies with counts from `low` to `high`; None means no upper limit."""

    low: int
    high: int | None
    companies: int
    status: str | None

    @property
    def label(self) -> str:
        """The counts: one number, the first and the last of several, or `20+`."""
        if self.high is None:
            return f"{self.low:,}+"
        return f"{self.low:,}" if self.low == self.high else f"{self.low:,}{DASH}{self.high:,}"


def bands(pairs: Sequence[tuple[int, int]], thresholds: Sequence[Threshold]) -> list[Band]:
    """Return the bands of a distribution, worst threshold first, then the one of no threshold."""
    numbers = dict(pairs)
    result = []
    for threshold in thresholds:
        away = threshold.one_away
        # The highest number includes all greater ones, so its own companies are not known.
        one_away = numbers.get(away, 0) if away is not None and away < MAX_NUMBER else None
        companies = sum(c for n, c in pairs if _worst_holding(n, thresholds) is threshold)
        result.append(Band(threshold.status, threshold.phrase, companies, one_away))
    none = sum(companies for n, companies in pairs if _worst_holding(n, thresholds) is None)
    return [*result, Band(None, "No threshold", none, None)]


def bins(pairs: Sequence[tuple[int, int]], thresholds: Sequence[Threshold]) -> list[Bin]:
    """Return the bins of a distribution, finer where thresholds are low; none spans a threshold."""
    numbers = [threshold.number for threshold in thresholds]
    end = min(max(2 * max(numbers), LEAST_SHOWN), MAX_NUMBER)
    step = 1 if end <= MOST_SINGLE else -(-end // MOST_SINGLE)
    edges = sorted({0, *range(0, end + 1, step), *(n for n in numbers if 0 < n <= MAX_NUMBER)})
    ranges = [*((low, after - 1) for low, after in pairwise(edges)), (edges[-1], None)]
    result = []
    for low, high in ranges:
        companies = sum(c for n, c in pairs if n >= low and (high is None or n <= high))
        holding = _worst_holding(low, thresholds)
        result.append(Bin(low, high, companies, holding.status if holding else None))
    return result


def _worst_holding(number: int, thresholds: Sequence[Threshold]) -> Threshold | None:
    """Return the worst threshold that holds for a count."""
    return next((threshold for threshold in thresholds if threshold.holds(number)), None)
