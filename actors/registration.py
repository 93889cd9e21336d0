"""The actors: each decodes a message, calls a plain function, and sends what follows."""

import logging
import time
from typing import Any
from uuid import UUID

import dramatiq
from redis.exceptions import RedisError

from actors import health, intake
from actors.delivery import AttemptFailed, Delivered, attempt_delivery
from actors.hints import hint
from actors.hold import until_available
from actors.horizon import Horizon
from actors.metrics import WebhookCounters
from actors.rulebooks import RuleBooks, RulesUnreadable
from actors.times import utc_now
from actors.tracked_event import TrackedEvent, UnreadableEvent
from actors.webhooks.transport import Transport
from models import events
from models.database import UNAVAILABLE, transaction
from models.deliveries import Request
from queues import messages
from queues.broker import QueueBroker

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
    horizon = Horizon(broker, utc_now, look_every=0.1)

    @dramatiq.actor(broker=broker, queue_name=messages.EVENTS, actor_name=messages.PERSIST)
    def persist(events: list[dict[str, Any]]) -> None:
        for event in events:
            for company_id in _store(event, rulebooks):
                hint(broker, messages.evaluate(company_id))

    @dramatiq.actor(
        broker=broker,
        queue_name=messages.HEALTH,
        actor_name=messages.EVALUATE,
        throws=(RedisError, RulesUnreadable, *UNAVAILABLE),  # the clock asks again
    )
    def evaluate(company_id: int) -> None:
        for delivery_id in health.evaluate(
            company_id, rulebooks, utc_now(), known_until=horizon.known_until()
        ):
            hint(broker, messages.deliver(delivery_id, attempt=1))

    @dramatiq.actor(
        broker=broker,
        queue_name=messages.WEBHOOKS,
        actor_name=messages.DELIVER,
        throws=(AttemptFailed, *UNAVAILABLE),  # WebhookRetries, or the clock, asks again
    )
    def deliver(delivery_id: str, attempt: int) -> None:
        leave_at = time.monotonic() + STAY_SECONDS
        turn: list[Request] = [(UUID(delivery_id), attempt)]
        while turn:
            done = attempt_delivery(*turn[0], transport=transport, secret_keys=secret_keys)
            if done is None:
                return
            counters.attempted(done.claimed.delivery, done.attempt)
            _log_delivered(done)
            stays = time.monotonic() < leave_at
            turn, others = (
                (done.following[:1], done.following[1:]) if stays else ([], done.following)
            )
            for following, number in others:
                hint(broker, messages.deliver(following, number))


def _log_delivered(done: Delivered) -> None:
    logger.info(
        "webhook for %s delivered to %s: %s in %s ms",
        done.claimed.delivery.company or "a test",
        done.claimed.endpoint.host,
        done.attempt.status_code,
        done.attempt.duration_ms,
    )


def _store(event: dict[str, Any], rulebooks: RuleBooks) -> list[int]:
    """Store one event. One that can never be stored is set aside with the reason, not lost."""
    try:
        tracked = TrackedEvent.from_message(event)
        return until_available(lambda: intake.store([tracked], rulebooks))
    except UnreadableEvent as error:
        reason = str(error)
    except Exception as error:  # whatever it is, it must not cost us the event
        logger.exception("an event cannot be stored")
        reason = f"{type(error).__name__}: {error}"
    logger.error("an event was set aside in rejected_events: %s", reason)
    until_available(lambda: _reject(event, reason))
    return []


def _reject(event: dict[str, Any], reason: str) -> None:
    organization_id = event.get("organization_id") if isinstance(event, dict) else None
    with transaction():
        events.reject(organization_id if isinstance(organization_id, int) else None, event, reason)
