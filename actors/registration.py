"""Declares the actors: each decodes a message, calls a service and enqueues what follows."""

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import dramatiq
from dramatiq.middleware import CurrentMessage
from redis.exceptions import RedisError

from actors.deliver import Deliverer, read_request
from actors.evaluate import CompanyEvaluator
from actors.notifications.notifier import Notifier
from actors.persist import EventPersister
from models.database import UNAVAILABLE, transaction
from queues import messages
from queues.best_effort import enqueue_best_effort
from queues.broker import QueueBroker
from queues.lanes.lane_queue import Bundle
from services import totals
from services.forecasts import refreshing
from services.insights import answers
from services.outcomes import runs
from services.rules import backtest_jobs
from services.rules.rule_books import RuleBooks, RulesUnreadable
from services.times import utc_now
from services.webhooks.outcomes import AttemptFailed

logger = logging.getLogger("brazebee.actors")


def register_actors(
    broker: QueueBroker,
    *,
    rulebooks: RuleBooks,
    deliverer: Deliverer,
    notifier: Notifier,
) -> None:
    """Declare every actor on a broker, with its dependencies."""
    _register_events_and_health(broker, rulebooks)
    _register_webhooks(broker, deliverer)
    _register_notifications(broker, notifier)
    _register_totals(broker, rulebooks)
    _register_backtests(broker, rulebooks)


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


def _register_webhooks(broker: QueueBroker, deliverer: Deliverer) -> None:
    @dramatiq.actor(
        broker=broker,
        queue_name=messages.WEBHOOKS,
        actor_name=messages.DELIVER,
        throws=(AttemptFailed, *UNAVAILABLE),  # WebhookRetries or the clock enqueues it again
    )
    def deliver(delivery_id: str, attempt: int) -> None:
        message = CurrentMessage.get_current_message()
        options = message.options if message else {}
        if request := read_request(delivery_id, attempt, options):
            deliverer.deliver(request, parked=options.get("parked", False))


def _register_notifications(broker: QueueBroker, notifier: Notifier) -> None:
    @dramatiq.actor(
        broker=broker,
        queue_name=messages.NOTIFICATIONS,
        actor_name=messages.NOTIFY,
        throws=UNAVAILABLE,  # the clock enqueues it again
    )
    def notify(organization_id: int, message_id: str) -> None:
        notifier.notify(organization_id, UUID(message_id))


def _register_totals(broker: QueueBroker, rulebooks: RuleBooks) -> None:
    @dramatiq.actor(
        broker=broker,
        queue_name=messages.TOTALS,
        actor_name=messages.REFRESH_TOTALS,
        throws=UNAVAILABLE,  # the clock enqueues it again
    )
    def refresh_totals() -> None:
        totals.refresh(utc_now(), rulebooks)
        runs.refresh(rulebooks)
        backtest_jobs.remove_old(utc_now())

    @dramatiq.actor(
        broker=broker,
        queue_name=messages.TOTALS,
        actor_name=messages.COMPUTE_ANSWER,
        throws=UNAVAILABLE,  # the next visitor of the page enqueues it again
    )
    def compute_answer(organization_id: int, question: str) -> None:
        with transaction():
            answers.compute_answer(organization_id, question, utc_now())

    @dramatiq.actor(
        broker=broker,
        queue_name=messages.TOTALS,
        actor_name=messages.REFRESH_FORECAST,
        throws=(RulesUnreadable, *UNAVAILABLE),  # the clock enqueues it again
    )
    def refresh_forecast(organization_id: int) -> None:
        if refreshing.refresh(organization_id, rulebooks, utc_now):
            enqueue_best_effort(broker, [messages.refresh_forecast(organization_id)])


def _register_backtests(broker: QueueBroker, rulebooks: RuleBooks) -> None:
    @dramatiq.actor(
        broker=broker,
        queue_name=messages.BACKTESTS,
        actor_name=messages.ADVANCE_BACKTEST,
        throws=UNAVAILABLE,  # the clock enqueues it again
    )
    def advance_backtest(organization_id: int) -> None:
        if backtest_jobs.advance(organization_id, rulebooks, utc_now):
            enqueue_best_effort(broker, [messages.advance_backtest(organization_id)])
