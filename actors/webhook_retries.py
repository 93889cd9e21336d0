"""The retry middleware: a failed delivery waits in PostgreSQL for its next attempt.

Dramatiq's own `Retries` is not in the broker at all: its delayed messages are prefetched by the
thousand and die with Redis, and two schedules would stack.
"""

import logging
from typing import Any

from dramatiq import Broker, MessageProxy, Middleware

from actors import delivery
from actors.delivery import AttemptFailed
from actors.times import iso_milliseconds, utc_now
from actors.webhooks.schedule import next_attempt_at

logger = logging.getLogger("brazebee.webhooks")


class WebhookRetries(Middleware):
    """Records each failed attempt and schedules the next, or gives the delivery up."""

    @property
    def actor_options(self) -> set[str]:
        """Declare `throws`, the errors that Dramatiq's worker logs without a traceback.

        Otherwise only `Retries`, which is not here, would.
        """
        return {"throws"}

    def after_process_message(
        self,
        _broker: Broker,
        _message: MessageProxy,
        *,
        result: Any = None,  # noqa: ARG002 -- Dramatiq gives it by name
        exception: BaseException | None = None,
    ) -> None:
        """See `dramatiq.Middleware`."""
        if not isinstance(exception, AttemptFailed):
            return
        failed, attempt = exception.delivery, exception.attempt
        due_at = next_attempt_at(failed.attempt, utc_now(), exception.retry_after)
        delivery.record(failed, attempt, next_attempt_at=due_at)
        logger.warning(
            "webhook for %s not delivered to %s: %s; %s",
            failed.company,
            failed.host,
            attempt.error,
            f"next attempt at {iso_milliseconds(due_at)}"
            if due_at
            else f"given up after {failed.attempt} attempts",
        )
