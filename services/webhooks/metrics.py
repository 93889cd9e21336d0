"""Prometheus metrics of webhooks.

Gauges are read from PostgreSQL for each scrape. Attempts are counted in one Redis hash that all
`deliver` processes share, so the number of processes does not matter.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import redis
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from models import across_organizations
from models.database import transaction
from models.webhooks.deliveries import Attempt, Delivery
from services.state_gauges import with_states

HASH = "brazebee:metrics:webhooks"
DELIVERY_STATES = ("waiting", "parked", "paused")
ENDPOINT_STATES = ("active", "failing", "disabled")
BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class WebhookCounters:
    """Counts attempts by outcome, and first attempts by their delay."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client

    def attempted(self, delivery: Delivery, attempt: Attempt) -> None:
        """Count an attempt, and for a first one the delay since the commit of its delivery.

        A metric is not worth an error: if Redis is unavailable, the attempt is not counted.
        """
        outcome = _outcome(attempt)
        first = delivery.tries == 0 and delivery.manual is None
        waited = attempt.at - delivery.created_at if first else None
        try:
            with self._client.pipeline(transaction=False) as pipeline:
                pipeline.hincrby(HASH, f"attempts:{outcome}", 1)
                if waited is not None:
                    seconds = max(0.0, waited.total_seconds())
                    bucket = next((b for b in BUCKETS_S if seconds <= b), "+Inf")
                    pipeline.hincrby(HASH, f"first:{bucket}", 1)
                    pipeline.hincrbyfloat(HASH, "first:sum", seconds)
                pipeline.execute()
        except RedisError:
            return

    def read(self) -> dict[str, float]:
        """Return all counters by name.

        Raises:
            RedisError: Redis cannot be reached.
        """
        fields: dict[Any, Any] = self._client.hgetall(HASH)
        return {name.decode(): float(value) for name, value in fields.items()}


class WebhookCollector(Collector):
    """Reads all metrics in a transaction of its own for each scrape."""

    def __init__(self, counters: WebhookCounters, now: Callable[[], datetime]) -> None:
        self._counters = counters
        self._now = now

    def collect(self) -> Iterable[Metric]:
        """Read all metrics in a transaction of its own; see `prometheus_client`.

        Raises:
            OperationalError, RedisError: PostgreSQL or Redis cannot be reached.
        """
        with transaction():
            return [*_counted(self._counters.read()), *_gauges(self._now())]


def _counted(counters: Mapping[str, float]) -> Iterator[Metric]:
    attempts = CounterMetricFamily(
        "brazebee_webhook_attempts", "Attempts by outcome.", labels=["outcome"]
    )
    for name, value in sorted(counters.items()):
        if name.startswith("attempts:"):
            attempts.add_metric([name.removeprefix("attempts:")], value)
    yield attempts
    buckets, total = [], 0.0
    for bound in (*BUCKETS_S, "+Inf"):
        total += counters.get(f"first:{bound}", 0.0)
        buckets.append((str(bound), total))
    first = HistogramMetricFamily(
        "brazebee_webhook_first_attempt_seconds", "From a change's commit to its first attempt."
    )
    first.add_metric([], buckets, counters.get("first:sum", 0.0))
    yield first


def _gauges(now: datetime) -> Iterator[Metric]:
    yield with_states(
        GaugeMetricFamily(
            "brazebee_webhook_deliveries",
            "Deliveries that are not over, by state.",
            labels=["state"],
        ),
        DELIVERY_STATES,
        across_organizations.count_unfinished_deliveries(),
    )
    yield with_states(
        GaugeMetricFamily("brazebee_webhook_endpoints", "Endpoints by state.", labels=["state"]),
        ENDPOINT_STATES,
        across_organizations.count_endpoints(),
    )
    oldest = across_organizations.find_oldest_due(until=now)
    yield GaugeMetricFamily(
        "brazebee_webhook_oldest_due_seconds",
        "For how long the oldest delivery that is due has been so.",
        value=(now - oldest[1]).total_seconds() if oldest else 0.0,
    )


def _outcome(attempt: Attempt) -> str:
    """Return `accepted`, the class of a status such as `5xx`, or `no_response`."""
    if attempt.error is None:
        return "accepted"
    return f"{attempt.status_code // 100}xx" if attempt.status_code is not None else "no_response"
