"""The ceiling for workers: an actor that does nothing, with Dramatiq's own broker."""

import os
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from queues.messages import EVENTS, PERSIST

broker = RedisBroker(url=os.environ["REDIS_URL"])  # type: ignore[no-untyped-call]
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name=EVENTS, actor_name=PERSIST)
def persist(*_args: Any) -> None:
    """Do nothing with an event."""
