"""Declares the actors: each decodes a message, calls a service and enqueues what follows."""

import logging
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import dramatiq
from redis.exceptions import RedisError

from actors.evaluate import CompanyEvaluator
from actors.persist import EventPersister
from models import across_organizations
from models.database import UNAVAILABLE, transaction
from models.webhooks.deliveries import Request
from queues import messages
from queues.best_effort import enqueue_best_effort
from queues.broker import QueueBroker
from queues.lanes.lane_queue import Bundle
from services import totals
from services.insights import answers
from services.rules.rule_books import RuleBooks, RulesUnreadable
from services.times import utc_now
from services.webhooks.claims import claim
from services.webhooks.delivery import attempt_claimed
from services.webhooks.metrics import WebhookCounters
from services.webhooks.outcomes import AcceptedDelivery, AttemptFailed
from services.webhooks.transport import Transport

logger = logging.getLogger("brazebee.actors")

STAY_SECONDS = 1.0
"""How long a worker continues with the deliveries of one endpoint before others get their turn."""


def register_actors(
    broker: QueueBroker,
    *,
    rulebooks: RuleBooks,
    transport: Transport,
    secret_keys: tuple[str, ...],
    counters: WebhookCounters,
) -> None:
    """Declare every actor on a broker, with its dependencies."""
    _register_events_and_health(broker, rulebooks)
    _register_webhooks(broker, transport, secret_keys, counters)
    _register_totals(broker)


def _register_events_and_health(broker: QueueBroker, rulebooks: RuleBooks) -> None:
    persister = EventPersister(broker, rulebooks, utc_now)
    evaluator = CompanyEvaluator(broker, rulebooks)

    @dramatiq.actor(broker=broker, queue_name=messages.EVENTS, actor_name=messages.STORE)
    def store(bundles: Sequence[Bundle]) -> None:
        persister.store(bundles)

    @dramatiq.actor(broker=broker, queue_name=messages.EVENTS, actor_name=messages.PERSIST)
    def persist(events: list[dict[str, Any]]) -> None:
        persister.persist(events)

    @dramatiq.actor(
        broker=broker,
        queue_name=messages.HEALTH,
        actor_name=messages.EVALUATE_LANES,
        throws=(RedisError, RulesUnreadable, *UNAVAILABLE),  # the clock enqueues it again
    )
    def evaluate_lanes(bundles: Sequence[Bundle]) -> None:
        evaluator.evaluate_lanes(bundles)

    @dramatiq.actor(
        broker=broker,
        queue_name=messages.HEALTH,
        actor_name=messages.EVALUATE,
        throws=(RedisError, RulesUnreadable, *UNAVAILABLE),  # the clock enqueues it again
    )
    def evaluate(*company_ids: int) -> None:
        evaluator.evaluate_former(company_ids)


def _register_webhooks(
    broker: QueueBroker,
    transport: Transport,
    secret_keys: tuple[str, ...],
    counters: WebhookCounters,
) -> None:
    @dramatiq.actor(
        broker=broker,
        queue_name=messages.WEBHOOKS,
        actor_name=messages.DELIVER,
        throws=(AttemptFailed, *UNAVAILABLE),  # WebhookRetries or the clock enqueues it again
    )
    def deliver(
        delivery_id: str,
        attempt: int,
        organization_id: int | None = None,
        endpoint_id: str | None = None,
    ) -> None:
        if organization_id is None or endpoint_id is None:
            with transaction():  # a message of the release before
                found = across_organizations.find_request(UUID(delivery_id), attempt)
                request = Request(*found) if found else None
        else:
            request = Request(organization_id, UUID(endpoint_id), UUID(delivery_id), attempt)
        leave_at = time.monotonic() + STAY_SECONDS
        claimed = claim(request, utc_now(), transport.policy) if request else None
        while claimed:
            accepted = attempt_claimed(
                claimed,
                transport=transport,
                secret_keys=secret_keys,
                claim_next=time.monotonic() < leave_at,
            )
            counters.attempted(accepted.claimed.delivery, accepted.attempt)
            _log_accepted(accepted)
            enqueue_best_effort(
                broker, [messages.deliver(*request) for request in accepted.following]
            )
            claimed = accepted.next_claimed


def _register_totals(broker: QueueBroker) -> None:
    @dramatiq.actor(
        broker=broker,
        queue_name=messages.TOTALS,
        actor_name=messages.REFRESH_TOTALS,
        throws=UNAVAILABLE,  # the clock enqueues it again
    )
    def refresh_totals() -> None:
        totals.refresh(utc_now())

    @dramatiq.actor(
        broker=broker,
        queue_name=messages.TOTALS,
        actor_name=messages.COMPUTE_ANSWER,
        throws=UNAVAILABLE,  # the next visitor of the page enqueues it again
    )
    def compute_answer(organization_id: int, question: str) -> None:
        with transaction():
            answers.compute_answer(organization_id, question, utc_now())


def _log_accepted(accepted: AcceptedDelivery) -> None:
    logger.info(
        "webhook for %s delivered to %s: %s in %s ms",
        accepted.claimed.delivery.company or "a test",
        accepted.claimed.endpoint.host,
        accepted.attempt.status_code,
        accepted.attempt.duration_ms,
    )
