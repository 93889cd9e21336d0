"""The ceiling for workers: an actor that does nothing, with Dramatiq's broker or with ours."""

import os
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from queues.messages import EVENTS, PERSIST

url = os.environ["REDIS_URL"]
if os.environ["BENCH_BROKER"] == "ours":
    from queues.broker import build_broker  # changes how Dramatiq decodes, so import it only here

    broker: dramatiq.Broker = build_broker(url)
else:
    broker = RedisBroker(url=url)  # type: ignore[no-untyped-call]
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name=EVENTS, actor_name=PERSIST)
def persist(*_args: Any) -> None:
    """Do nothing with an event."""
