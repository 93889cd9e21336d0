"""Takes messages from a queue: at once where one comes, and without asking in vain meanwhile."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import redis
from dramatiq import Message
from dramatiq.broker import MessageProxy
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed

BELL = ".bell"
"""Beside each queue is a list that is pushed to with every message: waiting on it is waiting for
the queue. Waiting on the queue itself would take a message from it, outside Dramatiq's books."""

SHORTEST_WAIT_MS = 10
"""Redis before version 7 takes a wait of less than a millisecond for one without end."""

FULL_PAUSE_S = 0.002
"""How long to wait before looking whether one of the messages taken is done."""

MESSAGES_AT_ONCE = 500
SAMPLE = 20
"""Messages that tell how many more make a bundle: each may hold one event or a hundred."""


@dataclass(frozen=True)
class Bundling:
    """How the messages of a queue are put together: the contents of all, and at most so many.

    Under load they gather for so long after the last bundle. Who comes alone does not wait.
    """

    most: int
    gather_s: float
    contents: Callable[[Message[Any]], Sequence[Any]]
    args: Callable[[Sequence[Any]], tuple[Any, ...]]


EVENTS_AT_ONCE = Bundling(
    most=2_000,  # take some 0.2 s to store, for a part of which their companies are locked
    gather_s=0.05,  # a transaction for each two or three would cost several times as much
    contents=lambda message: message.args[0],
    args=lambda events: (events,),
)
COMPANIES_AT_ONCE = Bundling(
    most=50, gather_s=0.0, contents=lambda message: message.args, args=tuple
)


class QueueConsumer(_RedisConsumer):
    """Dramatiq's consumer, but it waits on the bell.

    It takes a Redis that does not answer in time for one that is gone, as it is to us.
    """

    def __init__(self, broker: RedisBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        # It must not sleep by itself.
        super().__init__(broker, queue_name, prefetch, timeout=0)
        self.wait_s = max(timeout, SHORTEST_WAIT_MS) / 1000
        self._queue = f"{broker.namespace}:{queue_name}"

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
        """The next message, if there is one and room for it."""
        message: MessageProxy | None = super().__next__()
        return message

    def _wait(self, *, full: bool) -> None:
        if full:  # and so the queue was not looked at
            time.sleep(FULL_PAUSE_S)
        else:
            self.broker.client.blpop([self._queue + BELL], timeout=self.wait_s)

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
    """Takes what waits in a queue as one message, which carries the contents of all.

    So a worker does them in one transaction, and handing them out costs little. Under little
    load a bundle is one message. `prefetch` counts bundles.
    """

    def __init__(
        self,
        broker: RedisBroker,
        queue_name: str,
        prefetch: int,
        timeout: int,
        bundling: Bundling,
    ) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)
        self._bundling = bundling
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
        """Take about as many messages as make a bundle: what waits is for other workers as well."""
        fitting = SAMPLE
        while (missing := fitting - len(self._taken)) > 0:
            found = self.broker.do_fetch(self.queue_name, missing)
            self._taken.extend(Message.decode(data) for data in found if data is not None)
            if len(found) < missing:
                if self._taken:
                    self._gathers_until = time.monotonic() + self._bundling.gather_s
                return
            contents = sum(len(self._bundling.contents(message)) for message in self._taken)
            fitting = min(
                MESSAGES_AT_ONCE, self._bundling.most * len(self._taken) // max(1, contents)
            )

    def _bundle(self) -> MessageProxy:
        """As many of the messages taken as make one bundle, and one at the least."""
        bundling, taken = self._bundling, self._taken
        first = taken.popleft()
        contents, ids = list(bundling.contents(first)), [first.options["redis_message_id"]]
        while taken and len(contents) + len(bundling.contents(taken[0])) <= bundling.most:
            message = taken.popleft()
            contents += bundling.contents(message)
            ids.append(message.options["redis_message_id"])
        args = bundling.args(contents)
        return MessageProxy(first.copy(args=args, options={"redis_message_ids": ids}))

    def ack(self, message: MessageProxy) -> None:
        """Forget all messages of a bundle, as `ack` of Dramatiq's script does with one.

        One that Redis gave to another worker meanwhile is forgotten as well: it is done.
        """
        ids = message.options["redis_message_ids"]
        acks = f"{self.broker.namespace}:__acks__.{self.broker.broker_id}.{self.queue_name}"
        try:
            with self.broker.client.pipeline(transaction=True) as pipeline:
                pipeline.srem(acks, *ids)
                pipeline.hdel(f"{self._queue}.msgs", *ids)
                pipeline.execute()
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise ConnectionClosed(error) from None
        finally:
            self.queued_message_ids.discard(message.message_id)

    def nack(self, message: MessageProxy) -> None:
        """Move the messages of a bundle to the dead letters, one by one."""
        for redis_id in message.options["redis_message_ids"]:
            super().nack(MessageProxy(message.copy(options={"redis_message_id": redis_id})))
        self.queued_message_ids.discard(message.message_id)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """See `dramatiq.Consumer.requeue`."""
        self._give_back(id_ for one in messages for id_ in one.options["redis_message_ids"])

    def close(self) -> None:
        """Give back what was taken and not yet handed out."""
        self._give_back(message.options["redis_message_id"] for message in self._taken)
        self._taken.clear()
        super().close()

    def _give_back(self, redis_ids: Iterable[str]) -> None:
        ids = list(redis_ids)
        try:
            if ids:
                self.broker.do_requeue(self.queue_name, *ids)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise ConnectionClosed(error) from None
