"""The messages that processes send each other: their queues, actors and contents.

They carry ids: their work is recorded in PostgreSQL, and if one is lost the clock sends it again.
Events, and companies to evaluate, wait in lanes (`queues.lanes`). `store` and `evaluate_lanes` are
made by workers for themselves and carry bundles of them. `persist` and `evaluate` are what
processes of the release before enqueue.

The names of queues and actors are part of messages in Redis, which outlive a deploy. So the
strings stay as they are; the names of the constants and functions are free.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from dramatiq import Message

from queues.dramatiq_layout import REDIS_ID
from queues.lanes.lane_queue import Bundle

EVENTS = "events"
HEALTH = "health"
WEBHOOKS = "webhooks"
TOTALS = "reading"
BACKTESTS = "backtests"
NOTIFICATIONS = "notifications"

STORE = "store"
PERSIST = "persist"
EVALUATE_LANES = "evaluate_lanes"
EVALUATE = "evaluate"
DELIVER = "deliver"
REFRESH_TOTALS = "sum_up"
COMPUTE_ANSWER = "work_out"
ADVANCE_BACKTEST = "advance_backtest"
REFRESH_FORECAST = "refresh_forecast"
NOTIFY = "notify"


def store(bundles: Sequence[Bundle]) -> Message[None]:
    """Store the events of these bundles; never enqueued, so it needs no encoding."""
    return _message(EVENTS, STORE, bundles)


def persist(events: Sequence[dict[str, Any]]) -> Message[None]:
    """Store these events, as the release before this one enqueued them."""
    return _message(EVENTS, PERSIST, list(events))


def evaluate_lanes(bundles: Sequence[Bundle]) -> Message[None]:
    """Evaluate the companies of these bundles; never enqueued, so it needs no encoding."""
    return _message(HEALTH, EVALUATE_LANES, bundles)


def evaluate(company_id: int) -> Message[None]:
    """Evaluate a company, as the release before this one enqueued it.

    In a bundle, each company is one argument.
    """
    return _message(HEALTH, EVALUATE, company_id)


def deliver(
    organization_id: int,
    endpoint_id: UUID,
    delivery_id: UUID,
    attempt: int,
    *,
    parked: bool = False,
) -> Message[None]:
    """Make the attempt with this number, counted from 1, of a webhook delivery to an endpoint.

    A `parked` one gets its turn without the message if all slots of the endpoint are in use. All
    but the first two arguments of the actor are options, which the release before ignores.
    """
    return _message(
        WEBHOOKS,
        DELIVER,
        str(delivery_id),
        attempt,
        organization_id=organization_id,
        endpoint_id=str(endpoint_id),
        parked=parked,
    )


def refresh_totals() -> Message[None]:
    """Bring the totals that pages show up to date."""
    return _message(TOTALS, REFRESH_TOTALS)


def compute_answer(organization_id: int, question: str) -> Message[None]:
    """Compute and cache the answer to a question, in the text form of `services.insights`."""
    return _message(TOTALS, COMPUTE_ANSWER, organization_id, question)


def advance_backtest(organization_id: int) -> Message[None]:
    """Continue the oldest backtest of an organization that is not finished."""
    return _message(BACKTESTS, ADVANCE_BACKTEST, organization_id)


def refresh_forecast(organization_id: int) -> Message[None]:
    """Bring the forecast of an organization's companies up to date."""
    return _message(TOTALS, REFRESH_FORECAST, organization_id)


def notify(organization_id: int, message_id: UUID) -> Message[None]:
    """Make the next attempt to send a message to people."""
    return _message(NOTIFICATIONS, NOTIFY, organization_id, str(message_id))


def encode(message: Message[None]) -> tuple[str, bytes]:
    """Return a Redis id for a new message, and its bytes as Dramatiq's broker encodes them.

    The id begins with the time of the message, so that it can be read without the message.
    """
    redis_id = f"{message.message_timestamp}-{uuid4()}"
    options = {**message.options, REDIS_ID: redis_id}
    return redis_id, orjson.dumps({**vars(message), "options": options})


def created_at(redis_id: str) -> datetime | None:
    """Return the time of the message that has this id in Redis; None if it is not one of ours."""
    milliseconds = redis_id.partition("-")[0]
    try:
        return datetime.fromtimestamp(int(milliseconds) / 1_000, UTC)
    except (OverflowError, ValueError):
        return None


def _message(queue: str, actor: str, *args: Any, **options: Any) -> Message[None]:
    return Message(queue_name=queue, actor_name=actor, args=args, kwargs={}, options=options)
