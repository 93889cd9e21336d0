"""Feeds workers with bundles from a lane queue, and with messages of the release before."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from dramatiq import Message
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.errors import ConnectionClosed
from redis.exceptions import RedisError

from queues.lanes.lane_queue import Bundle, LaneQueue

logger = logging.getLogger("brazebee.actors")

IDLE_SECONDS = 1.0
"""How long to wait for the bell before looking anyway."""

SHORTEST_WAIT_SECONDS = 0.01
"""Before version 7, Redis rounds a timeout of less than a millisecond to none at all."""

OUTAGE_PAUSE_SECONDS = 0.2


class LaneConsumer(Consumer):
    """Hands out what it takes as messages, with the bundles as argument.

    The actor ends the leases of bundles; here, acknowledging only makes room for the next one.
    `former` consumes the messages that processes of the release before enqueue; `former_bell` is
    the list that they push to. A worker takes no more than its threads handle: what it took would
    wait behind a bundle that is stuck, while others have nothing to do. Redis's faults end no
    consumer: Dramatiq would pause for seconds before it starts another.
    """

    def __init__(
        self,
        lanes: LaneQueue,
        message_for: Callable[[Sequence[Bundle]], Message[None]],
        *,
        prefetch: int,
        former: Consumer,
        former_bell: str,
    ) -> None:
        self._lanes = lanes
        self._message_for = message_for
        self._prefetch = prefetch
        self._former = former
        self._former_bell = former_bell
        self._former_waits = True
        self._taken: dict[str, Sequence[Bundle]] = {}
        self._has_room = threading.Event()
        self._in_outage = False

    def __next__(self) -> MessageProxy | None:
        self._has_room.clear()
        if len(self._taken) >= self._prefetch:
            self._has_room.wait(IDLE_SECONDS)
            return None
        try:
            message = self._next_former() or self._next_bundle()
        except (RedisError, ConnectionClosed) as error:
            if not self._in_outage:
                logger.warning("nothing can be taken from Redis: %s", error)
                self._in_outage = True
            time.sleep(OUTAGE_PAUSE_SECONDS)
            return None
        if self._in_outage:
            logger.warning("work can be taken from Redis again")
            self._in_outage = False
        return message

    def _next_former(self) -> MessageProxy | None:
        if not self._former_waits:
            return None
        message = next(self._former)
        self._former_waits = message is not None
        return message

    def _next_bundle(self) -> MessageProxy | None:
        taken = self._lanes.take()
        if taken is not None and not isinstance(taken, float):
            message = self._message_for(taken)
            self._taken[message.message_id] = taken
            return MessageProxy(message)
        wait = IDLE_SECONDS if taken is None else min(taken, IDLE_SECONDS)
        rung = self._lanes.wait(max(wait, SHORTEST_WAIT_SECONDS), self._former_bell)
        self._former_waits = rung == self._former_bell or wait == IDLE_SECONDS
        return None

    def ack(self, message: MessageProxy) -> None:
        """See `dramatiq.Consumer.ack`. Worker threads call it."""
        if self._taken.pop(message.message_id, None) is None:
            self._former.ack(message)
        self._has_room.set()

    def nack(self, message: MessageProxy) -> None:
        """See `dramatiq.Consumer.nack`. Worker threads call it."""
        if self._taken.pop(message.message_id, None) is None:
            self._former.nack(message)
        self._has_room.set()

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Let other workers take the bundles that were not handled."""
        former = []
        for message in messages:
            bundles = self._taken.pop(message.message_id, None)
            if bundles is None:
                former.append(message)
                continue
            for bundle in bundles:
                try:
                    self._lanes.postpone(bundle, 0)
                except RedisError as error:
                    logger.warning(
                        "lane %s waits for the end of its lease: %s", bundle.lane.name, error
                    )
        self._former.requeue(former)

    def close(self) -> None:
        """See `dramatiq.Consumer.close`."""
        self._former.close()
