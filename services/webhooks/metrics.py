"""How webhooks fare, as Prometheus text.

What stands in PostgreSQL is looked up when somebody asks. What happens is counted in one Redis hash
by all `deliver` processes together, so that their number does not matter.
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

from models.database import transaction
from models.webhooks import delivery_log
from models.webhooks.deliveries import Attempt, Delivery

HASH = "brazebee:metrics:webhooks"
BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class WebhookCounters:
    """Counts attempts by outcome, and how long the first ones were in coming."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client

    def attempted(self, delivery: Delivery, attempt: Attempt) -> None:
        """Count an attempt; for a first one also how long it was in coming since the commit.

        Counting is not worth an error: where Redis is away, it is left out.
        """
        outcome = _outcome(attempt)
        first = delivery.tries == 0 and delivery.by_hand is None
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
        """All counters by name.

        Raises:
            RedisError: Redis cannot be reached.
        """
        found: dict[Any, Any] = self._client.hgetall(HASH)
        return {name.decode(): float(value) for name, value in found.items()}


class WebhookCollector(Collector):
    """Looks everything up anew, in a transaction of its own, whenever it is asked."""

    def __init__(self, counters: WebhookCounters, now: Callable[[], datetime]) -> None:
        self._counters = counters
        self._now = now

    def collect(self) -> Iterable[Metric]:
        """See `prometheus_client.registry.Collector`.

        Raises:
            OperationalError, RedisError: PostgreSQL or Redis cannot be reached.
        """
        with transaction():
            return [*_counted(self._counters.read()), *_looked_up(self._now())]


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


def _looked_up(now: datetime) -> Iterator[Metric]:
    found = delivery_log.summary(now)
    deliveries = GaugeMetricFamily(
        "brazebee_webhook_deliveries", "Deliveries that are not over, by state.", labels=["state"]
    )
    for state, number in found.deliveries.items():
        deliveries.add_metric([state], number)
    yield deliveries
    endpoints = GaugeMetricFamily(
        "brazebee_webhook_endpoints", "Endpoints by state.", labels=["state"]
    )
    for state, number in found.endpoints.items():
        endpoints.add_metric([state], number)
    yield endpoints
    yield GaugeMetricFamily(
        "brazebee_webhook_oldest_due_seconds",
        "For how long the oldest delivery that is due has been so.",
        value=found.oldest_due.total_seconds(),
    )


def _outcome(attempt: Attempt) -> str:
    """`accepted`, the class of a refusing status such as `5xx`, or `no_response`."""
    if attempt.error is None:
        return "accepted"
    return f"{attempt.status_code // 100}xx" if attempt.status_code is not None else "no_response"
