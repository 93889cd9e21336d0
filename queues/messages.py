"""The messages that processes send each other: their queues, actors and contents.

A `persist` message carries events, and is the only copy of them until they are stored. The others
carry ids and are only hints: what they ask for stands in PostgreSQL, and the clock sends them
again if they are lost.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from dramatiq import Message

EVENTS = "events"
HEALTH = "health"
WEBHOOKS = "webhooks"

PERSIST = "persist"
EVALUATE = "evaluate"
DELIVER = "deliver"


def persist(events: Sequence[dict[str, Any]]) -> Message[None]:
    """Store these events, as `ingress` has validated them."""
    return _message(EVENTS, PERSIST, list(events))


def evaluate(company_id: int) -> Message[None]:
    """Bring this company's health up to date."""
    return _message(HEALTH, EVALUATE, company_id)


def deliver(delivery_id: UUID, attempt: int) -> Message[None]:
    """Make the attempt with this number, counted from 1, of a webhook delivery."""
    return _message(WEBHOOKS, DELIVER, str(delivery_id), attempt)


def encode(message: Message[None]) -> tuple[str, bytes]:
    """The id that Redis keeps a new message under, and its bytes, as Dramatiq's broker makes them.

    Dramatiq gives a message that is sent again another such id, and keeps `message_id`.
    """
    redis_id = message.message_id
    options = {**message.options, "redis_message_id": redis_id}
    return redis_id, orjson.dumps({**vars(message), "options": options})


def _message(queue: str, actor: str, *args: Any) -> Message[None]:
    return Message(queue_name=queue, actor_name=actor, args=args, kwargs={}, options={})
