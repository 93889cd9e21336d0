"""The messages that processes send each other: their queues, actors and contents.

They carry ids: their work is recorded in PostgreSQL, and if one is lost the clock sends it again.
Events are in the journal (`queues.journal`) until they are stored. A `store` message is made by a
worker for itself and carries a bundle of them. `persist` messages, which carry events as well, are
what the ingress of the release before enqueues.

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
from queues.journal.journal import Bundle

EVENTS = "events"
HEALTH = "health"
WEBHOOKS = "webhooks"
TOTALS = "reading"

STORE = "store"
PERSIST = "persist"
EVALUATE = "evaluate"
DELIVER = "deliver"
REFRESH_TOTALS = "sum_up"
COMPUTE_ANSWER = "work_out"


def store(bundles: Sequence[Bundle]) -> Message[None]:
    """Store the events of these bundles; never enqueued, so it needs no encoding."""
    return _message(EVENTS, STORE, bundles)


def persist(events: Sequence[dict[str, Any]]) -> Message[None]:
    """Store these events, as the release before this one enqueued them."""
    return _message(EVENTS, PERSIST, list(events))


def evaluate(company_id: int) -> Message[None]:
    """Bring a company's health up to date. In a bundle, each company is one argument."""
    return _message(HEALTH, EVALUATE, company_id)


def deliver(delivery_id: UUID, attempt: int) -> Message[None]:
    """Make the attempt with this number, counted from 1, of a webhook delivery."""
    return _message(WEBHOOKS, DELIVER, str(delivery_id), attempt)


def refresh_totals() -> Message[None]:
    """Bring the totals that pages show up to date."""
    return _message(TOTALS, REFRESH_TOTALS)


def compute_answer(organization_id: int, question: str) -> Message[None]:
    """Compute and cache the answer to a question, in the text form of `services.insights`."""
    return _message(TOTALS, COMPUTE_ANSWER, organization_id, question)


def encode(message: Message[None]) -> tuple[str, bytes]:
    """Return a Redis id for a new message, and its bytes as Dramatiq's broker encodes them.

    The id begins with the time of the message, so that it can be read without the message.
    """
    redis_id = f"{message.message_timestamp}-{uuid4()}"
    options = {**message.options, REDIS_ID: redis_id}
    return redis_id, orjson.dumps({**vars(message), "options": options})


def created_at(redis_id: str) -> datetime:
    """Return the time of the message that has this id in Redis."""
    return datetime.fromtimestamp(int(redis_id.partition("-")[0]) / 1_000, UTC)


def _message(queue: str, actor: str, *args: Any) -> Message[None]:
    return Message(queue_name=queue, actor_name=actor, args=args, kwargs={}, options={})
