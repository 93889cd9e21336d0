"""Builds the broker that all processes share, the only module that knows which one it is."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import redis
from dramatiq import Message, Middleware
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed
from redis.backoff import NoBackoff
from redis.retry import Retry

from queues.messages import EVENTS, HEALTH, WEBHOOKS

PREFETCH = {EVENTS: 200, HEALTH: 200, WEBHOOKS: 16}
"""Messages that a worker process holds at once. With Dramatiq's own 2 x threads the consumer
sleeps while all are taken; webhooks are slow, so the rest is better left to other workers."""

IDLE_POLL_MS = 100
"""How long a consumer of an empty queue sleeps at most, so that idle adds little latency."""

ALL_LOOKED_AT = 250
"""Messages; reading this many usual ones costs about a millisecond."""

DELAYED_POLL_MS = 1_000
HEARTBEAT_TIMEOUT_MS = 15_000
DEAD_MESSAGE_TTL_MS = 30 * 24 * 3600 * 1000
CLIENT_TIMEOUT = 0.25
WORKER_TIMEOUT = 5.0
"""Seconds. A client must answer soon whether it could enqueue; a worker can wait."""


class QueueBroker(RedisBroker):
    """Dramatiq's Redis broker with prefetch and polling chosen by queue."""

    @property
    def consumer_class(self) -> type[Consumer]:
        """See `RedisBroker.consumer_class`."""
        return _QueueConsumer

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """See `RedisBroker.consume`."""
        if queue_name in PREFETCH:
            return super().consume(queue_name, PREFETCH[queue_name], min(timeout, IDLE_POLL_MS))
        return super().consume(queue_name, prefetch, max(timeout, DELAYED_POLL_MS))

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
            found: list[Any] = self.client.hvals(f"{queue}.msgs")
        else:
            found = self._held_and_next(queue_name)
        sent = [Message.decode(d).message_timestamp for d in found if isinstance(d, bytes)]
        return datetime.fromtimestamp(min(sent) / 1000, UTC) if sent else None

    def _held_and_next(self, queue_name: str) -> list[Any]:
        queue = f"{self.namespace}:{queue_name}"
        asked = self.client.pipeline(transaction=False)
        asked.lindex(queue, 0)
        asked.zrange(f"{self.namespace}:__heartbeats__", 0, -1)
        head, workers = asked.execute()
        for worker in workers:
            asked.smembers(f"{self.namespace}:__acks__.{worker.decode()}.{queue_name}")
        held = [message_id for ids in asked.execute() for message_id in ids]
        ids = [*held, *([head] if head else [])]
        return self.client.hmget(f"{queue}.msgs", ids) if ids else []

    def change_identity(self) -> None:
        """Become another worker in the broker's eyes.

        After a reply was lost nobody knows which messages Redis had handed out with it. Those
        stay marked as this worker's for as long as it lives; under a new name the old one
        falls silent, and maintenance gives them to somebody else. What was being worked on is
        then done twice, which every actor of ours can take.
        """
        self.broker_id = str(uuid4())


class _QueueConsumer(_RedisConsumer):
    """Takes a Redis that does not answer in time for one that is gone, as it is to us."""

    def __next__(self) -> MessageProxy | None:
        try:
            message: MessageProxy | None = super().__next__()
        except (ConnectionClosed, redis.TimeoutError) as error:
            self.broker.change_identity()
            raise ConnectionClosed(error) from None
        return message

    def ack(self, message: MessageProxy) -> None:
        try:
            super().ack(message)
        except redis.TimeoutError as error:
            raise ConnectionClosed(error) from None

    def nack(self, message: MessageProxy) -> None:
        try:
            super().nack(message)
        except redis.TimeoutError as error:
            raise ConnectionClosed(error) from None


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
