"""Brokers on a real Redis, and workers that stopped sending heartbeats."""

from collections.abc import Callable

from dramatiq.common import current_millis

from queues.broker import QueueBroker

NewBroker = Callable[..., QueueBroker]


def silent_for(broker: QueueBroker, milliseconds: int, identity: str | None = None) -> None:
    """Set the last heartbeat of a broker to this long ago."""
    heartbeats = f"{broker.namespace}:__heartbeats__"
    last = current_millis() - milliseconds
    broker.client.zadd(heartbeats, {identity or broker.broker_id: last})
