"""Messages that hurry: what they ask for is in PostgreSQL, and the clock asks for it as well."""

import logging
from collections.abc import Sequence

from dramatiq import Broker, Message
from dramatiq.errors import BrokerError
from redis.exceptions import RedisError

from queues.broker import QueueBroker

logger = logging.getLogger("brazebee.actors")


def hint(broker: Broker, message: Message[None]) -> None:
    """Send a message; should it be lost, the clock sends it again."""
    try:
        broker.enqueue(message)
    except (BrokerError, RedisError) as error:
        _tell(message, error)


def hint_all(broker: QueueBroker, several: Sequence[Message[None]]) -> None:
    """The same with several at once."""
    if not several:
        return
    try:
        broker.enqueue_all(several)
    except RedisError as error:
        _tell(several[0], error)


def _tell(message: Message[None], error: Exception) -> None:
    logger.warning("%s was not asked for at once, the clock will: %s", message, error)
