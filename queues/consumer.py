"""Consumers of messages, and of bundles of them, that block on a wake-up list."""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import redis
from dramatiq import Message, Middleware, Worker
from dramatiq.broker import Broker, MessageProxy
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import ConnectionClosed, DecodeError

from queues import dramatiq_layout
from queues.dramatiq_layout import REDIS_ID, RedisConsumer
from queues.messages import EVALUATE, PERSIST

logger = logging.getLogger("brazebee.actors")

WAKE_UP_SUFFIX = ".bell"
"""The key of a queue's wake-up list ends with this. Every message pushes to the list, so blocking
on it means waiting for the queue. Blocking on the queue itself would pop a message behind the back
of Dramatiq's bookkeeping. Processes of two releases share the key, so it stays."""

REDIS_IDS = "redis_message_ids"
"""The option of a bundle with the Redis ids of its messages."""

MIN_WAIT_MS = 10
"""Before version 7, Redis rounds a timeout of less than a millisecond to none at all."""

FULL_PAUSE_S = 0.002
"""The pause before checking again whether one of the messages taken is done."""

STOP_POLL_S = 1.0
"""How often a queue of delayed messages is read while its worker handles its last messages."""

MAX_FETCH = 500
SAMPLE = 20
"""Messages from which the size of a fetch is estimated; each has 1 to 100 events."""


@dataclass(frozen=True)
class Bundling:
    """How the messages of a queue are bundled: their contents joined, up to `most` items.

    Under load, messages gather for `gather_s` seconds after the last bundle. A message that
    arrives alone does not wait.
    """

    actor: str
    most: int
    gather_s: float
    contents: Callable[[Message[Any]], Sequence[Any]]
    args: Callable[[Sequence[Any]], tuple[Any, ...]]

    def read(self, data: bytes) -> Message[Any]:
        """Return a message.

        Raises:
            ValueError: it is not one of the actor, with contents.
        """
        try:
            message: Message[Any] = Message.decode(data)
            # A text is a sequence too, and would be torn into its characters.
            is_sequence = isinstance(self.contents(message), list | tuple)
            if message.actor_name == self.actor and is_sequence:
                message.options[REDIS_ID]
                return message
        except (DecodeError, LookupError, TypeError) as error:
            raise ValueError(str(error)) from None
        raise ValueError(f"a message of the actor {message.actor_name}")


EVENTS_AT_ONCE = Bundling(
    actor=PERSIST,
    most=2_000,  # about 0.2 s to store; their companies are locked for a part of it
    gather_s=0.05,  # a transaction for every two or three would cost several times as much
    contents=lambda message: message.args[0],
    args=lambda events: (events,),
)
COMPANIES_AT_ONCE = Bundling(
    actor=EVALUATE, most=50, gather_s=0.0, contents=lambda message: message.args, args=tuple
)


class QueueConsumer(RedisConsumer):
    """Dramatiq's consumer, blocking on the wake-up list.

    With a timeout of 0 it never blocks. A Redis that does not respond in time is treated like one
    that closed the connection.
    """

    def __init__(self, broker: RedisBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        # With a timeout of its own, Dramatiq's consumer would sleep.
        super().__init__(broker, queue_name, prefetch, timeout=0)
        self.wait_s = max(timeout, MIN_WAIT_MS) / 1000 if timeout else 0.0
        self._queue = dramatiq_layout.queue_key(broker.namespace, queue_name)

    def __next__(self) -> MessageProxy | None:
        full = self.outstanding_message_count >= self.prefetch
        try:
            message = self._take()
            if message is None:
                self._wait(full=full)
        except (ConnectionClosed, redis.ConnectionError, redis.TimeoutError) as error:
            self.broker.change_identity()
            raise ConnectionClosed(error) from None
        return message

    def _take(self) -> MessageProxy | None:
        """Return the next message; None if the queue is empty or the prefetch is used up."""
        message: MessageProxy | None = super().__next__()
        return message

    def _wait(self, *, full: bool) -> None:
        if full:  # the queue was not read
            time.sleep(FULL_PAUSE_S)
        elif self.wait_s:
            self.broker.client.blpop([self._queue + WAKE_UP_SUFFIX], timeout=self.wait_s)

    def ack(self, message: MessageProxy) -> None:
        """See `dramatiq.Consumer.ack`."""
        try:
            super().ack(message)
        except redis.TimeoutError as error:
            raise ConnectionClosed(error) from None

    def nack(self, message: MessageProxy) -> None:
        """See `dramatiq.Consumer.nack`."""
        try:
            super().nack(message)
        except redis.TimeoutError as error:
            raise ConnectionClosed(error) from None


class BundleConsumer(QueueConsumer):
    """Joins the messages that wait in a queue into one message with the contents of all.

    A worker handles a bundle in one transaction, and dispatching it costs as much as a single
    message. Under little load a bundle is one message. `prefetch` counts bundles.
    """

    def __init__(
        self,
        broker: RedisBroker,
        queue_name: str,
        prefetch: int,
        timeout: int,
        bundling: Bundling,
        set_aside: Callable[[bytes], object],
    ) -> None:
        """`set_aside` receives the contents of messages that cannot be read."""
        super().__init__(broker, queue_name, prefetch, timeout)
        self._bundling = bundling
        self._set_aside = set_aside
        self._taken: deque[Message[Any]] = deque()
        self._gathers_until = -math.inf

    def _take(self) -> MessageProxy | None:
        if len(self.queued_message_ids) >= self.prefetch:
            return None
        if not self._taken:
            time.sleep(max(0.0, self._gathers_until - time.monotonic()))
            self._fetch()
        if not self._taken:
            return None
        bundle = self._bundle()
        self.queued_message_ids.add(bundle.message_id)
        return bundle

    def _fetch(self) -> None:
        """Take about as many messages as fill a bundle and leave the rest to other workers."""
        target = SAMPLE
        while (missing := target - len(self._taken)) > 0:
            fetched = dramatiq_layout.fetch(self.broker, self.queue_name, missing)
            self._taken.extend(self._read([data for data in fetched if data is not None]))
            if len(fetched) < missing:
                if self._taken:
                    self._gathers_until = time.monotonic() + self._bundling.gather_s
                return
            contents = sum(len(self._bundling.contents(message)) for message in self._taken)
            target = min(MAX_FETCH, self._bundling.most * len(self._taken) // max(1, contents))

    def _read(self, fetched: Sequence[bytes]) -> list[Message[Any]]:
        """Return the messages that can be read, and set aside and remove the others."""
        messages, unreadable = [], []
        for data in fetched:
            try:
                messages.append(self._bundling.read(data))
            except ValueError as error:
                logger.error(  # noqa: TRY400 -- the data may be an event
                    "a message of the queue %s cannot be read: %s",
                    self.queue_name,
                    str(error).partition("\n")[0][:100],
                )
                self._set_aside(data)
                unreadable.append(data)
        if unreadable:
            dramatiq_layout.remove_taken(self.broker, self.queue_name, unreadable)
        return messages

    def _bundle(self) -> MessageProxy:
        """Join as many of the messages taken as fit into one bundle, at least one."""
        bundling, taken = self._bundling, self._taken
        first = taken.popleft()
        contents, redis_ids = list(bundling.contents(first)), [first.options[REDIS_ID]]
        while taken and len(contents) + len(bundling.contents(taken[0])) <= bundling.most:
            message = taken.popleft()
            contents += bundling.contents(message)
            redis_ids.append(message.options[REDIS_ID])
        args = bundling.args(contents)
        return MessageProxy(first.copy(args=args, options={REDIS_IDS: redis_ids}))

    def ack(self, message: MessageProxy) -> None:
        """Delete all messages of a bundle, as `ack` in Dramatiq's script deletes one.

        A message that Redis has meanwhile given to another worker is deleted too: it is done.
        """
        broker, redis_ids = self.broker, message.options[REDIS_IDS]
        worker_id = dramatiq_layout.worker_id(broker)
        try:
            with broker.client.pipeline(transaction=True) as pipeline:
                pipeline.srem(
                    dramatiq_layout.acks_key(broker.namespace, worker_id, self.queue_name),
                    *redis_ids,
                )
                pipeline.hdel(
                    dramatiq_layout.messages_key(broker.namespace, self.queue_name), *redis_ids
                )
                pipeline.execute()
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise ConnectionClosed(error) from None
        finally:
            self.queued_message_ids.discard(message.message_id)

    def nack(self, message: MessageProxy) -> None:
        """Move the messages of a bundle to the dead letters, one by one."""
        for redis_id in message.options[REDIS_IDS]:
            super().nack(MessageProxy(message.copy(options={REDIS_ID: redis_id})))
        self.queued_message_ids.discard(message.message_id)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """See `dramatiq.Consumer.requeue`."""
        self._return_to_queue(
            redis_id for message in messages for redis_id in message.options[REDIS_IDS]
        )

    def close(self) -> None:
        """Return the messages that were taken and not yet handed out."""
        self._return_to_queue(message.options[REDIS_ID] for message in self._taken)
        self._taken.clear()
        super().close()

    def _return_to_queue(self, redis_ids: Iterable[str]) -> None:
        try:
            if returned := list(redis_ids):
                dramatiq_layout.requeue(self.broker, self.queue_name, returned)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise ConnectionClosed(error) from None


class WorkerStops(Middleware):
    """Whether the worker of a broker is about to stop."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def before_worker_shutdown(self, _broker: Broker, _worker: Worker) -> None:
        """See `dramatiq.Middleware`."""
        self._event.set()

    def wait(self, seconds: float) -> None:
        """Wait for so many seconds, or until the worker is about to stop."""
        if self._event.is_set():
            time.sleep(STOP_POLL_S)
        else:
            self._event.wait(seconds)


class DelayedConsumer(QueueConsumer):
    """Reads a queue of delayed messages, which Dramatiq has and this product does not use.

    Each time, it sends the heartbeat of its worker, and it is the only one that does while as many
    messages as may be taken from the other queues are in progress.
    """

    def _wait(self, *, full: bool) -> None:  # noqa: ARG002 -- both take as long
        self.broker.worker_stops.wait(self.wait_s)
