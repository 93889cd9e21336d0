"""Enqueues messages whose loss does no harm: the clock finds the same work in PostgreSQL."""

import logging
from collections.abc import Sequence

from dramatiq import Message
from redis.exceptions import RedisError

from queues.broker import QueueBroker

logger = logging.getLogger("brazebee.actors")


def enqueue_best_effort(broker: QueueBroker, messages: Sequence[Message[None]]) -> None:
    """Enqueue messages in one step; if Redis fails, log it and leave the work to the clock."""
    if not messages:
        return
    try:
        broker.enqueue_all(messages)
    except RedisError as error:
        logger.warning("%s was not enqueued; the clock will enqueue it: %s", messages[0], error)
