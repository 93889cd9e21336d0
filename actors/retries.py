"""The retry middleware: a failed delivery waits in PostgreSQL for its next attempt.

Dramatiq's own `Retries` is not in the broker at all: its delayed messages are prefetched by the
thousand and die with Redis, and two schedules would stack.
"""

import logging
from typing import Any

from dramatiq import Broker, MessageProxy, Middleware

from models.webhooks.deliveries import Result, State
from queues import messages
from queues.hints import hint
from services.times import iso_milliseconds, utc_now
from services.webhooks.delivery import AttemptFailed, record_failure
from services.webhooks.metrics import WebhookCounters

logger = logging.getLogger("brazebee.webhooks")


class WebhookRetries(Middleware):
    """Records each failed attempt, schedules the next, and asks for what has its turn now."""

    def __init__(self, counters: WebhookCounters) -> None:
        self._counters = counters

    @property
    def actor_options(self) -> set[str]:
        """Declare `throws`, the errors that Dramatiq's worker logs without a traceback.

        Otherwise only `Retries`, which is not here, would.
        """
        return {"throws"}

    def after_process_message(
        self,
        broker: Broker,
        _message: MessageProxy,
        *,
        result: Any = None,  # noqa: ARG002 -- Dramatiq gives it by name
        exception: BaseException | None = None,
    ) -> None:
        """See `dramatiq.Middleware`."""
        if not isinstance(exception, AttemptFailed):
            return
        claimed, attempt = exception.claimed, exception.attempt
        self._counters.attempted(claimed.delivery, attempt)
        recorded, following = record_failure(exception, utc_now())
        for request in following:
            hint(broker, messages.deliver(*request))
        if recorded is None:
            return
        logger.warning(
            "webhook for %s not delivered to %s: %s; %s",
            claimed.delivery.company or "a test",
            claimed.endpoint.host,
            attempt.error,
            _outlook(recorded),
        )


def _outlook(recorded: Result) -> str:
    if recorded.next_attempt_at is not None:
        return f"next attempt at {iso_milliseconds(recorded.next_attempt_at)}"
    return {
        State.WAITING: "it waits until the endpoint answers again",
        State.PAUSED: "it waits until the endpoint is enabled",
    }.get(recorded.state, "given up")
