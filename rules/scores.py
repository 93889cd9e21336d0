"""The score of a company: its status decides the range, its flags by weight the place within it."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

BEST = 100
"""The score of the best status, in which no flag is raised."""


def score_range(level: int, statuses: int) -> range:
    """Return the scores of a status, by its level: the best one has 100 alone.

    The others share 0 to 99 evenly, without overlap, so a worse status always scores less. This
    needs at most 101 statuses; a rule file has 50 at most.
    """
    if level == 0:
        return range(BEST, BEST + 1)
    above, ranges = statuses - 1 - level, statuses - 1
    return range(BEST * above // ranges, BEST * (above + 1) // ranges)


def score_of(levels: Iterable[tuple[int, Decimal]], statuses: int) -> int | None:
    """Return the score of flags that apply, each with its level and weight; None if none counts.

    The worst level decides the range. A flag at that level takes the score to the lower end of the
    range, one at the best level to the upper end, and the levels between evenly; the place is the
    average by weight. Halves are rounded up.
    """
    flags = list(levels)
    weights = sum((weight for _, weight in flags), Decimal(0))
    if not weights:
        return None
    worst = max(level for level, _ in flags)
    scores = score_range(worst, statuses)
    if worst == 0:
        return scores[0]
    health = sum((weight * (worst - level) for level, weight in flags), Decimal(0))
    place = health * (len(scores) - 1) / (weights * worst)
    return scores[int(place.to_integral_value(rounding=ROUND_HALF_UP))]
