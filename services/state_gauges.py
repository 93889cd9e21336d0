"""Gauges of how many rows of all organizations are in each state."""

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily

from models.across_organizations import StateCount


def with_states(
    gauge: GaugeMetricFamily, states: Iterable[str], counts: Iterable[StateCount]
) -> GaugeMetricFamily:
    """Return a gauge with a value for each state, 0 for those that nothing is in."""
    sums = dict.fromkeys(states, 0)
    for count in counts:
        sums[count.state] += count.number
    for state, number in sums.items():
        gauge.add_metric([state], number)
    return gauge
