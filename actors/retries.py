"""The retry middleware: a failed delivery waits in PostgreSQL for its next attempt.

Dramatiq's own `Retries` is not part of the broker: its delayed messages are prefetched by the
thousand and are lost with Redis, and two retry schedules would add up.
"""

import logging
from typing import Any, cast

from dramatiq import Broker, MessageProxy, Middleware

from actors.capacity import Capacity
from models.webhooks.deliveries import Result, State
from queues import messages
from queues.best_effort import enqueue_best_effort
from queues.broker import QueueBroker
from services.times import iso_milliseconds, utc_now
from services.webhooks.metrics import WebhookCounters
from services.webhooks.outcomes import AttemptFailed, record_failure

logger = logging.getLogger("brazebee.webhooks")


class WebhookRetries(Middleware):
    """Records each failed attempt, schedules the next, and enqueues the deliveries now due."""

    def __init__(self, counters: WebhookCounters, capacity: Capacity) -> None:
        self._counters = counters
        self._capacity = capacity

    @property
    def actor_options(self) -> set[str]:
        """Declare `throws`, the errors that Dramatiq's worker logs without a traceback.

        Only `Retries` declares it otherwise.
        """
        return {"throws"}

    def after_process_message(
        self,
        broker: Broker,
        _message: MessageProxy,
        *,
        result: Any = None,  # noqa: ARG002 -- Dramatiq passes it by name
        exception: BaseException | None = None,
    ) -> None:
        """See `dramatiq.Middleware`."""
        if not isinstance(exception, AttemptFailed):
            return
        claimed, attempt = exception.claimed, exception.attempt
        self._counters.attempted(claimed.delivery, attempt)
        with self._capacity.working(claimed.endpoint.organization_id, claimed.endpoint.id):
            recorded, following = record_failure(exception, utc_now())
        enqueue_best_effort(
            cast("QueueBroker", broker), [messages.deliver(*request) for request in following]
        )
        if recorded is None:
            return
        logger.warning(
            "webhook for %s not delivered to %s: %s; %s",
            claimed.delivery.company or "a test",
            claimed.endpoint.host,
            attempt.error,
            _next_step(recorded),
        )


def _next_step(recorded: Result) -> str:
    if recorded.next_attempt_at is not None:
        return f"next attempt at {iso_milliseconds(recorded.next_attempt_at)}"
    return {
        State.WAITING: "it waits until the endpoint answers again",
        State.PAUSED: "it waits until the endpoint is enabled",
    }.get(recorded.state, "given up")
