"""Sums over all organizations, for metrics."""

from collections.abc import Iterable

from models.across_organizations import StateCount


def sums_by_state(states: Iterable[str], counts: Iterable[StateCount]) -> dict[str, int]:
    """Return the number of rows of all organizations in each state."""
    sums = dict.fromkeys(states, 0)
    for count in counts:
        sums[count.state] += count.number
    return sums
