"""The Redis broker that all processes share."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import redis
from dramatiq import Encoder, Message, Middleware, set_encoder
from dramatiq.broker import Consumer
from dramatiq.brokers.redis import RedisBroker
from dramatiq.common import q_name
from redis.backoff import NoBackoff
from redis.retry import Retry

from queues import dramatiq_layout
from queues.consumer import (
    COMPANIES_AT_ONCE,
    EVENTS_AT_ONCE,
    WAKE_UP_SUFFIX,
    BundleConsumer,
    DelayedConsumer,
    QueueConsumer,
    WorkerStops,
)
from queues.evaluations import Evaluations
from queues.lanes.consumer import LaneConsumer
from queues.lanes.lane import NOBODY
from queues.lanes.lane_queue import FORMER_MESSAGE, Bundle, LaneQueue
from queues.messages import EVENTS, HEALTH, WEBHOOKS, created_at, encode, evaluate_lanes, store

BUNDLED = {EVENTS: EVENTS_AT_ONCE, HEALTH: COMPANIES_AT_ONCE}

WEBHOOK_PREFETCH = 16
"""Webhook messages that a process takes at a time, unless it has threads for more."""

IDLE_WAIT_MS = 1_000
"""How long a consumer waits on its wake-up list before it reads the queue anyway: messages
of a dead worker come back without a wake-up."""

MAX_WAKE_UPS = 32
"""The length of a wake-up list: how many waiting consumers a burst of messages can wake."""

_ENQUEUE = (Path(__file__).parent / "enqueue.lua").read_text(encoding="utf-8")

MAX_IDS_READ = 250
"""Up to this many messages, the oldest is found by reading all ids."""

HEARTBEAT_TIMEOUT_MS = 15_000
HEARTBEAT_EVERY_MS = 5_000
DEAD_MESSAGE_TTL_MS = 30 * 24 * 3600 * 1000
CLIENT_TIMEOUT = 0.25
WORKER_TIMEOUT = 5.0
"""Seconds. A client must soon learn whether its message was enqueued; a worker can wait."""


class _Orjson(Encoder):
    def encode(self, data: dict[str, Any]) -> bytes:
        return orjson.dumps(data)

    def decode(self, data: bytes) -> dict[str, Any]:
        fields: dict[str, Any] = orjson.loads(data)
        return fields


set_encoder(_Orjson())


MessageFor = Callable[[Sequence[Bundle]], Message[None]]


class QueueBroker(RedisBroker):
    """Dramatiq's Redis broker with a consumer and a prefetch for each queue.

    `webhook_prefetch` is the most webhook messages that this process takes at a time.
    """

    def __init__(self, *, webhook_prefetch: int = WEBHOOK_PREFETCH, **options: Any) -> None:
        super().__init__(**options)
        self._webhook_prefetch = webhook_prefetch
        self._enqueue = self.client.register_script(_ENQUEUE)
        self.worker_stops = WorkerStops()
        self.add_middleware(self.worker_stops)
        dramatiq_layout.go_on_when_full(self)

    @cached_property
    def evaluations(self) -> Evaluations:
        """The queue of companies to evaluate."""
        return Evaluations(self.client)

    @property
    def consumer_class(self) -> type[Consumer]:
        """See `RedisBroker.consumer_class`."""
        return QueueConsumer

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """See `RedisBroker.consume`."""
        idle_wait = min(timeout, IDLE_WAIT_MS)
        if queue_name in BUNDLED:
            lanes, message_for, set_aside = self._lanes(queue_name)
            return LaneConsumer(
                lanes,
                message_for,
                prefetch=max(1, prefetch // 2),  # Dramatiq has two for each thread
                former=BundleConsumer(
                    self, queue_name, prefetch, 0, BUNDLED[queue_name], set_aside
                ),
                former_bell=dramatiq_layout.queue_key(self.namespace, queue_name) + WAKE_UP_SUFFIX,
            )
        if queue_name == WEBHOOKS:
            return super().consume(queue_name, self._webhook_prefetch, idle_wait)
        if queue_name != q_name(queue_name):  # of delayed messages
            return DelayedConsumer(self, queue_name, prefetch, HEARTBEAT_EVERY_MS)
        return super().consume(queue_name, prefetch, idle_wait)

    def _lanes(self, queue_name: str) -> tuple[LaneQueue, MessageFor, Callable[[bytes], object]]:
        """Return what a worker consumes from, and where messages go that cannot be read."""
        if queue_name == EVENTS:
            lanes = LaneQueue.of_events(self.client)
            return lanes, store, lambda data: lanes.append([(NOBODY, data)], FORMER_MESSAGE)
        return LaneQueue.of_evaluations(self.client), evaluate_lanes, lambda _: None

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """See `RedisBroker.enqueue`. Delays are refused: due times are kept in PostgreSQL.

        Raises:
            ValueError: there is a delay.
        """
        if delay is not None:
            raise ValueError("messages are not delayed; let the clock send them")
        self.emit_before("enqueue", message, delay)
        redis_id, data = encode(message)
        self._add(message.queue_name, [redis_id, data])
        self.emit_after("enqueue", message, delay)
        return message.copy(options={dramatiq_layout.REDIS_ID: redis_id})

    def enqueue_all(self, messages: Iterable[Message[None]]) -> None:
        """Enqueue messages, those of a queue in one step, without calling middleware."""
        by_queue: dict[str, list[str | bytes]] = {}
        for message in messages:
            by_queue.setdefault(message.queue_name, []).extend(encode(message))
        for queue_name, ids_and_contents in by_queue.items():
            self._add(queue_name, ids_and_contents)

    def _add(self, queue_name: str, ids_and_contents: Sequence[str | bytes]) -> None:
        queue = dramatiq_layout.queue_key(self.namespace, queue_name)
        keys = [
            dramatiq_layout.messages_key(self.namespace, queue_name),
            queue,
            f"{queue}{WAKE_UP_SUFFIX}",
        ]
        self._enqueue(keys, [MAX_WAKE_UPS, *ids_and_contents])

    def waiting(self, queue_name: str) -> int:
        """Return the number of messages of a queue that no worker has taken."""
        return int(self.client.llen(dramatiq_layout.queue_key(self.namespace, queue_name)))

    def oldest_unacknowledged(self, queue_name: str) -> datetime | None:
        """Return when the oldest message, waiting or taken, was sent; None if the queue is empty.

        Up to `MAX_IDS_READ` messages, all ids are read. Above that, those that workers have taken
        and the one at the head of the queue: the others were sent later, except messages of a dead
        worker, which return at the tail.
        """
        messages = dramatiq_layout.messages_key(self.namespace, queue_name)
        if self.client.hlen(messages) <= MAX_IDS_READ:
            redis_ids: list[Any] = self.client.hkeys(messages)
        else:
            redis_ids = self._taken_and_head(queue_name)
        times = (created_at(redis_id.decode()) for redis_id in redis_ids)
        return min((at for at in times if at is not None), default=None)

    def _taken_and_head(self, queue_name: str) -> list[Any]:
        pipeline = self.client.pipeline(transaction=False)
        pipeline.lindex(dramatiq_layout.queue_key(self.namespace, queue_name), 0)
        pipeline.zrange(dramatiq_layout.heartbeats_key(self.namespace), 0, -1)
        head, workers = pipeline.execute()
        for worker in workers:
            pipeline.smembers(dramatiq_layout.acks_key(self.namespace, worker.decode(), queue_name))
        taken = [redis_id for redis_ids in pipeline.execute() for redis_id in redis_ids]
        return [*taken, *([head] if head else [])]

    def change_identity(self) -> None:
        """Take messages under a new worker id from now on.

        If a reply is lost, it is unknown which messages Redis handed out with it; they stay
        marked as this worker's for as long as it sends heartbeats. Under a new id the old one
        falls silent, and Dramatiq's maintenance gives its messages to another worker. Messages
        that were in progress are then processed twice, which every actor here tolerates.
        """
        dramatiq_layout.set_worker_id(self, str(uuid4()))


def build_broker(
    url: str,
    *,
    middleware: Iterable[Middleware] = (),
    timeout: float = WORKER_TIMEOUT,
    webhook_prefetch: int = WEBHOOK_PREFETCH,
) -> QueueBroker:
    """Return a broker on the Redis at `url`; `timeout` bounds each of its commands, in seconds.

    The retries of redis-py are off: they would make an enqueue hang, and could enqueue twice.
    """
    client = redis.Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
    )
    return QueueBroker(
        client=client,
        webhook_prefetch=webhook_prefetch,
        middleware=list(middleware),
        maintenance_chance=1_000_000,
        heartbeat_timeout=HEARTBEAT_TIMEOUT_MS,
        dead_message_ttl=DEAD_MESSAGE_TTL_MS,
    )
