"""Messages that hurry: what they ask for is in PostgreSQL, and the clock asks for it as well."""

import logging

import dramatiq
from dramatiq.errors import BrokerError
from redis.exceptions import RedisError

logger = logging.getLogger("brazebee.actors")


def hint(broker: dramatiq.Broker, message: dramatiq.Message[None]) -> None:
    """Send a message; should it be lost, the clock sends it again."""
    try:
        broker.enqueue(message)
    except (BrokerError, RedisError) as error:
        logger.warning("%s was not asked for at once, the clock will: %s", message, error)
