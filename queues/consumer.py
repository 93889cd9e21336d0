"""Takes messages from a queue: at once where one comes, and without asking in vain meanwhile."""

import time
from collections.abc import Sequence
from typing import Any

import redis
from dramatiq.broker import MessageProxy
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed

from queues.group_commit import GroupCommit

BELL = ".bell"
"""Beside each queue is a list that is pushed to with every message: waiting on it is waiting for
the queue. Waiting on the queue itself would take a message from it, outside Dramatiq's books."""

SHORTEST_WAIT_MS = 10
"""Redis before version 7 takes a wait of less than a millisecond for one without end."""

FULL_PAUSE_S = 0.002
"""How long to wait before looking whether one of the messages taken is done."""

MOST_ACKNOWLEDGED = 500
"""Messages that are acknowledged in one step."""


class QueueConsumer(_RedisConsumer):
    """Dramatiq's consumer, but it waits on the bell, and acknowledges in groups.

    It takes a Redis that does not answer in time for one that is gone, as it is to us.
    """

    def __init__(self, broker: RedisBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        # It must not sleep by itself.
        super().__init__(broker, queue_name, prefetch, timeout=0)
        self.wait_s = max(timeout, SHORTEST_WAIT_MS) / 1000
        self._queue = f"{broker.namespace}:{queue_name}"
        self._acknowledgements = GroupCommit(self._acknowledge, most=MOST_ACKNOWLEDGED)

    def __next__(self) -> MessageProxy | None:
        full = self.outstanding_message_count >= self.prefetch
        try:
            message: MessageProxy | None = super().__next__()
            if message is None:
                self._wait(full=full)
        except (ConnectionClosed, redis.ConnectionError, redis.TimeoutError) as error:
            self.broker.change_identity()
            raise ConnectionClosed(error) from None
        return message

    def _wait(self, *, full: bool) -> None:
        if full:  # and so the queue was not looked at
            time.sleep(FULL_PAUSE_S)
        else:
            self.broker.client.blpop([self._queue + BELL], timeout=self.wait_s)

    def ack(self, message: MessageProxy) -> None:
        """See `dramatiq.Consumer.ack`."""
        try:
            self._acknowledgements.submit([message.options["redis_message_id"]])
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise ConnectionClosed(error) from None
        finally:
            self.queued_message_ids.discard(message.message_id)

    def _acknowledge(self, message_ids: Sequence[Any]) -> None:
        """Forget messages, as `ack` of Dramatiq's script does with one.

        One that Redis gave to another worker meanwhile is forgotten as well: it is done.
        """
        acks = f"{self.broker.namespace}:__acks__.{self.broker.broker_id}.{self.queue_name}"
        with self.broker.client.pipeline(transaction=True) as pipeline:
            pipeline.srem(acks, *message_ids)
            pipeline.hdel(f"{self._queue}.msgs", *message_ids)
            pipeline.execute()

    def nack(self, message: MessageProxy) -> None:
        """See `dramatiq.Consumer.nack`."""
        try:
            super().nack(message)
        except redis.TimeoutError as error:
            raise ConnectionClosed(error) from None
