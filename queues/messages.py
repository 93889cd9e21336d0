"""The messages that processes send each other: their queues, actors and contents.

A `persist` message carries events, and is the only copy of them until they are stored. The others
carry ids and are only hints: what they ask for stands in PostgreSQL, and the clock sends them
again if they are lost.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from dramatiq import Message

EVENTS = "events"
HEALTH = "health"
WEBHOOKS = "webhooks"
READING = "reading"

PERSIST = "persist"
EVALUATE = "evaluate"
DELIVER = "deliver"
SUM_UP = "sum_up"
WORK_OUT = "work_out"


def persist(events: Sequence[dict[str, Any]]) -> Message[None]:
    """Store these events, as `ingress` has validated them."""
    return _message(EVENTS, PERSIST, list(events))


def evaluate(company_id: int) -> Message[None]:
    """Bring this company's health up to date. A bundle of them has an argument for each company."""
    return _message(HEALTH, EVALUATE, company_id)


def deliver(delivery_id: UUID, attempt: int) -> Message[None]:
    """Make the attempt with this number, counted from 1, of a webhook delivery."""
    return _message(WEBHOOKS, DELIVER, str(delivery_id), attempt)


def sum_up() -> Message[None]:
    """Bring what pages read of all events up to date."""
    return _message(READING, SUM_UP)


def work_out(organization_id: int, question: str) -> Message[None]:
    """Answer this question, as `services.insights` writes it, for whoever asks it next."""
    return _message(READING, WORK_OUT, organization_id, question)


def encode(message: Message[None]) -> tuple[str, bytes]:
    """The id that Redis keeps a new message under, and its bytes, as Dramatiq's broker makes them.

    The id begins with when the message was made, so that nobody needs to read it for that.
    """
    redis_id = f"{message.message_timestamp}-{uuid4()}"
    options = {**message.options, "redis_message_id": redis_id}
    return redis_id, orjson.dumps({**vars(message), "options": options})


def made_at(redis_id: str) -> datetime:
    """When the message was made that Redis keeps under this id."""
    return datetime.fromtimestamp(int(redis_id.partition("-")[0]) / 1_000, UTC)


def _message(queue: str, actor: str, *args: Any) -> Message[None]:
    return Message(queue_name=queue, actor_name=actor, args=args, kwargs={}, options={})
