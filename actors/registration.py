"""The actors: each decodes a message, calls a plain function, and sends what follows."""

import logging
import time
from typing import Any
from uuid import UUID

import dramatiq
from redis.exceptions import RedisError

from actors.evaluate import Evaluating
from actors.persist import Persisting
from models.database import UNAVAILABLE
from queues import messages
from queues.broker import QueueBroker
from queues.hints import hint_all
from services import insights, totals
from services.rules.rule_books import RuleBooks, RulesUnreadable
from services.times import utc_now
from services.webhooks import delivery
from services.webhooks.delivery import AttemptFailed, Delivered
from services.webhooks.metrics import WebhookCounters
from services.webhooks.transport import Transport

logger = logging.getLogger("brazebee.actors")

STAY_SECONDS = 1.0
"""How long a worker goes on with what waits for an endpoint before others have their turn."""


def register_actors(
    broker: QueueBroker,
    *,
    rulebooks: RuleBooks,
    transport: Transport,
    secret_keys: tuple[str, ...],
    counters: WebhookCounters,
) -> None:
    """Declare every actor on a broker, with what each needs."""
    persisting = Persisting(broker, rulebooks, utc_now)
    evaluating = Evaluating(broker, rulebooks)

    @dramatiq.actor(broker=broker, queue_name=messages.EVENTS, actor_name=messages.PERSIST)
    def persist(events: list[dict[str, Any]]) -> None:
        persisting.persist(events)

    @dramatiq.actor(
        broker=broker,
        queue_name=messages.HEALTH,
        actor_name=messages.EVALUATE,
        throws=(RedisError, RulesUnreadable, *UNAVAILABLE),  # the clock asks again
    )
    def evaluate(*company_ids: int) -> None:
        evaluating.evaluate(company_ids)

    @dramatiq.actor(
        broker=broker,
        queue_name=messages.WEBHOOKS,
        actor_name=messages.DELIVER,
        throws=(AttemptFailed, *UNAVAILABLE),  # WebhookRetries, or the clock, asks again
    )
    def deliver(delivery_id: str, attempt: int) -> None:
        leave_at = time.monotonic() + STAY_SECONDS
        claimed = delivery.claim(UUID(delivery_id), attempt, utc_now(), transport.policy)
        while claimed:
            done = delivery.attempt(
                claimed,
                transport=transport,
                secret_keys=secret_keys,
                goes_on=time.monotonic() < leave_at,
            )
            counters.attempted(done.claimed.delivery, done.attempt)
            _log_delivered(done)
            hint_all(broker, [messages.deliver(*following) for following in done.following])
            claimed = done.next_claimed

    @dramatiq.actor(
        broker=broker,
        queue_name=messages.READING,
        actor_name=messages.SUM_UP,
        throws=UNAVAILABLE,  # the clock asks again
    )
    def sum_up() -> None:
        totals.refresh(utc_now())

    @dramatiq.actor(
        broker=broker,
        queue_name=messages.READING,
        actor_name=messages.WORK_OUT,
        throws=UNAVAILABLE,  # whoever looks next asks again
    )
    def work_out(organization_id: int, question: str) -> None:
        insights.work_out(organization_id, question, utc_now())


def _log_delivered(done: Delivered) -> None:
    logger.info(
        "webhook for %s delivered to %s: %s in %s ms",
        done.claimed.delivery.company or "a test",
        done.claimed.endpoint.host,
        done.attempt.status_code,
        done.attempt.duration_ms,
    )
