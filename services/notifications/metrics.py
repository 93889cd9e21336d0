"""Prometheus metrics of notifications.

Gauges are read from PostgreSQL for each scrape. Attempts are counted in one Redis hash that all
`deliver` processes share.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import redis
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from models import across_organizations
from models.database import transaction
from models.notifications.messages import State
from services.notifications.outcomes import Recorded, Verdict
from services.state_gauges import with_states

HASH = "brazebee:metrics:notifications"

MESSAGE_STATES = ("open", "waiting", "paused")
DESTINATION_STATES = ("active", "failing", "disabled")


class NotificationCounters:
    """Counts attempts by service and outcome."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client

    def attempted(self, recorded: Recorded) -> None:
        """Count an attempt, unless it was ended because its process stops.

        A metric is not worth an error: if Redis is unavailable, the attempt is not counted.
        """
        if recorded.attempt.verdict is Verdict.STOPPED:
            return
        try:
            self._client.hincrby(HASH, f"{recorded.message.service}:{_outcome(recorded)}", 1)
        except RedisError:
            return

    def read(self) -> dict[tuple[str, str], float]:
        """Return the number of attempts by service and outcome.

        Raises:
            RedisError: Redis cannot be reached.
        """
        fields: dict[Any, Any] = self._client.hgetall(HASH)
        return {
            (service, outcome): float(number)
            for name, number in fields.items()
            for service, outcome in [name.decode().split(":")]
        }


class NotificationCollector(Collector):
    """Reads all metrics in a transaction of its own for each scrape."""

    def __init__(self, counters: NotificationCounters, now: Callable[[], datetime]) -> None:
        self._counters = counters
        self._now = now

    def collect(self) -> Iterable[Metric]:
        """Read all metrics in a transaction of its own; see `prometheus_client`.

        Raises:
            OperationalError, RedisError: PostgreSQL or Redis cannot be reached.
        """
        with transaction():
            return [_attempts(self._counters.read()), *_gauges(self._now())]


def _outcome(recorded: Recorded) -> str:
    """Return `sent`, `retried` if it is tried again by itself, or `refused`."""
    if recorded.result.state is State.SENT:
        return "sent"
    return "retried" if recorded.result.due_at is not None else "refused"


def _attempts(numbers: Mapping[tuple[str, str], float]) -> Metric:
    attempts = CounterMetricFamily(
        "brazebee_notification_attempts",
        "Attempts by service and outcome.",
        labels=["service", "outcome"],
    )
    for labels, number in sorted(numbers.items()):
        attempts.add_metric(labels, number)
    return attempts


def _gauges(now: datetime) -> Iterator[Metric]:
    yield with_states(
        GaugeMetricFamily(
            "brazebee_notification_messages", "Messages that are not finished.", labels=["state"]
        ),
        MESSAGE_STATES,
        across_organizations.count_unfinished_messages(),
    )
    yield with_states(
        GaugeMetricFamily(
            "brazebee_notification_destinations", "Destinations by state.", labels=["state"]
        ),
        DESTINATION_STATES,
        across_organizations.count_destinations(),
    )
    oldest = across_organizations.find_oldest_planned_message(until=now)
    yield GaugeMetricFamily(
        "brazebee_notification_oldest_waiting_seconds",
        "For how long the oldest message that is not paused has waited since its planned time.",
        value=(now - oldest[1]).total_seconds() if oldest else 0.0,
    )
