"""Builds the broker that all processes share, the only module that knows which one it is."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson
import redis
from dramatiq import Encoder, Message, Middleware, set_encoder
from dramatiq.broker import Consumer
from dramatiq.brokers.redis import RedisBroker
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.retry import Retry

from queues.consumer import (
    BELL,
    COMPANIES_AT_ONCE,
    EVENTS_AT_ONCE,
    BundleConsumer,
    QueueConsumer,
)
from queues.messages import EVENTS, HEALTH, WEBHOOKS, encode, made_at

BUNDLED = {EVENTS: EVENTS_AT_ONCE, HEALTH: COMPANIES_AT_ONCE}

WEBHOOKS_HELD = 16
"""Messages that a worker process holds at once. With Dramatiq's own 2 x threads the consumer would
hold more; webhooks are slow, so the rest is better left to other workers."""

IDLE_WAIT_MS = 1_000
"""How long a consumer waits for the bell before it looks all the same: messages of a dead worker
come back without one."""

LONGEST_BELL = 32
"""How many waiting consumers a burst of messages can wake."""

ALL_LOOKED_AT = 250
"""Messages, of which the ids are read."""

DELAYED_POLL_MS = 1_000
HEARTBEAT_TIMEOUT_MS = 15_000
DEAD_MESSAGE_TTL_MS = 30 * 24 * 3600 * 1000
CLIENT_TIMEOUT = 0.25
WORKER_TIMEOUT = 5.0
"""Seconds. A client must answer soon whether it could enqueue; a worker can wait."""


class _Orjson(Encoder):
    def encode(self, data: dict[str, Any]) -> bytes:
        return orjson.dumps(data)

    def decode(self, data: bytes) -> dict[str, Any]:
        fields: dict[str, Any] = orjson.loads(data)
        return fields


set_encoder(_Orjson())


class QueueBroker(RedisBroker):
    """Dramatiq's Redis broker with prefetch and polling chosen by queue."""

    @property
    def consumer_class(self) -> type[Consumer]:
        """See `RedisBroker.consumer_class`."""
        return QueueConsumer

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """See `RedisBroker.consume`."""
        soon = min(timeout, IDLE_WAIT_MS)
        if queue_name in BUNDLED:
            return BundleConsumer(self, queue_name, prefetch, soon, BUNDLED[queue_name])
        if queue_name == WEBHOOKS:
            return super().consume(queue_name, WEBHOOKS_HELD, soon)
        return super().consume(queue_name, prefetch, max(timeout, DELAYED_POLL_MS))

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """See `RedisBroker.enqueue`. Nothing is delayed: long waits stand in PostgreSQL.

        Raises:
            ValueError: there is a delay.
        """
        if delay is not None:
            raise ValueError("messages are not delayed; let the clock send them")
        self.emit_before("enqueue", message, delay)
        redis_id, data = encode(message)
        with self.client.pipeline(transaction=True) as pipeline:
            self._put(pipeline, message.queue_name, redis_id, data)
            pipeline.execute()
        self.emit_after("enqueue", message, delay)
        return message.copy(options={"redis_message_id": redis_id})

    def enqueue_all(self, several: Iterable[Message[None]]) -> None:
        """Put messages on their queues as Dramatiq's script does, in one step, and ring the bells.

        Middleware is not told.
        """
        with self.client.pipeline(transaction=True) as pipeline:
            for message in several:
                self._put(pipeline, message.queue_name, *encode(message))
            pipeline.execute()

    def _put(
        self, pipeline: Pipeline, queue_name: str, message_id: str, message_data: bytes
    ) -> None:
        queue = f"{self.namespace}:{queue_name}"
        pipeline.hset(f"{queue}.msgs", message_id, message_data)
        pipeline.rpush(queue, message_id)
        pipeline.lpush(f"{queue}{BELL}", 1)
        pipeline.ltrim(f"{queue}{BELL}", 0, LONGEST_BELL - 1)

    def waiting(self, queue_name: str) -> int:
        """How many messages of a queue no worker has taken yet."""
        return int(self.client.llen(f"{self.namespace}:{queue_name}"))

    def oldest_unacknowledged(self, queue_name: str) -> datetime | None:
        """When the oldest message of a queue was sent, waiting or being worked on; None if none is.

        Up to `ALL_LOOKED_AT` messages are all looked at. Of more, those that are worked on and
        the one at the head: the others were sent later, but for those that a dead worker gave
        back at the tail.
        """
        queue = f"{self.namespace}:{queue_name}"
        if self.client.hlen(f"{queue}.msgs") <= ALL_LOOKED_AT:
            found: list[Any] = self.client.hkeys(f"{queue}.msgs")
        else:
            found = self._held_and_next(queue_name)
        return min((made_at(redis_id.decode()) for redis_id in found), default=None)

    def _held_and_next(self, queue_name: str) -> list[Any]:
        queue = f"{self.namespace}:{queue_name}"
        asked = self.client.pipeline(transaction=False)
        asked.lindex(queue, 0)
        asked.zrange(f"{self.namespace}:__heartbeats__", 0, -1)
        head, workers = asked.execute()
        for worker in workers:
            asked.smembers(f"{self.namespace}:__acks__.{worker.decode()}.{queue_name}")
        held = [message_id for ids in asked.execute() for message_id in ids]
        return [*held, *([head] if head else [])]

    def change_identity(self) -> None:
        """Become another worker in the broker's eyes.

        After a reply was lost nobody knows which messages Redis had handed out with it. Those
        stay marked as this worker's for as long as it lives; under a new name the old one
        falls silent, and maintenance gives them to somebody else. What was being worked on is
        then done twice, which every actor of ours can take.
        """
        self.broker_id = str(uuid4())


def build_broker(
    url: str, *, middleware: Iterable[Middleware] = (), timeout: float = WORKER_TIMEOUT
) -> QueueBroker:
    """A broker on the Redis at `url`; `timeout` bounds each of its commands, in seconds.

    redis-py's own retries are off: they would make an enqueue hang, and could enqueue twice.
    """
    client = redis.Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
    )
    return QueueBroker(
        client=client,
        middleware=list(middleware),
        maintenance_chance=1_000_000,
        heartbeat_timeout=HEARTBEAT_TIMEOUT_MS,
        dead_message_ttl=DEAD_MESSAGE_TTL_MS,
    )
