"""Lets requests in: counts each and queues what it brings, in one round trip to Redis."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.exceptions import NoScriptError

from queues import messages
from queues.broker import LONGEST_BELL, QueueBroker
from queues.consumer import BELL
from queues.thread_connection import Wire

_SCRIPT = (Path(__file__).parent / "admit.lua").read_text(encoding="utf-8")

FULL_FROM = 0.8
"""The share of Redis's memory from which on nothing is queued: workers need some to catch up."""

LOOK_EVERY_SECONDS = 1.0

EVENTS, READS = "requests", "reads"
"""What requests are counted as, each for itself: who reads takes nothing from who sends events."""


@dataclass(frozen=True)
class Admission:
    """What became of a request: how many its window holds with it, and when that ends.

    `nearly_full` says that Redis is, and that nothing was queued therefore.
    """

    count: int
    ends_in_ms: int
    nearly_full: bool = False


class Admissions:
    """The queue of events, and a counter of requests beside it for each organization.

    There are no more than two counters for each organization, so Dramatiq's maintenance, which
    looks through every key of the database, is not slowed. `nearly_full` is what was last seen of
    its memory.
    """

    def __init__(self, broker: QueueBroker) -> None:
        self._broker = broker
        self._script = broker.client.register_script(_SCRIPT)
        self._wire = Wire(broker.client.connection_pool)
        self._queue = f"{broker.namespace}:{messages.EVENTS}"
        self._looked_at = -math.inf
        self.nearly_full = False

    def admit(
        self,
        organization_id: int,
        events: Sequence[dict[str, Any]] = (),
        *,
        limit: int,
        window_seconds: int,
        kind: str = EVENTS,
    ) -> Admission:
        """Count a request; where that is within the limit, queue its events as one message.

        Whether Redis is nearly full is looked up once a second, by the request that then comes.

        Raises:
            RedisError: Redis does not answer, or is full. Then the events may be queued or not.
        """
        counter = _counter(kind, organization_id, limit, window_seconds)
        message = messages.encode(messages.persist(events)) if events else ()
        now = time.monotonic()
        look = now - self._looked_at >= LOOK_EVERY_SECONDS
        if look:
            self._looked_at = now
        full = FULL_FROM if look else ("yes" if self.nearly_full else "no")
        keys = (counter, self._queue, f"{self._queue}.msgs", self._queue + BELL)
        args = (limit, window_seconds * 1000, full, LONGEST_BELL, *message)
        try:
            count, ends_in_ms, nearly_full = self._wire.call(
                "EVALSHA", self._script.sha, len(keys), *keys, *args
            )
        except NoScriptError:
            count, ends_in_ms, nearly_full = self._script(keys, args)
        if look:
            self.nearly_full = bool(nearly_full)
        return Admission(count, ends_in_ms, bool(nearly_full))

    def usage(
        self, organization_id: int, *, limit: int, window_seconds: int, kind: str = EVENTS
    ) -> Admission:
        """How many requests an organization has made in its window, without counting one.

        Raises:
            RedisError: Redis does not answer.
        """
        counter = _counter(kind, organization_id, limit, window_seconds)
        with self._broker.client.pipeline(transaction=True) as asked:
            asked.get(counter)
            asked.pttl(counter)
            count, ends_in_ms = asked.execute()
        return Admission(int(count or 0), max(0, ends_in_ms))

    def waiting(self) -> int:
        """How many messages no worker has taken yet.

        Raises:
            RedisError: Redis does not answer.
        """
        return self._broker.waiting(messages.EVENTS)


def _counter(kind: str, organization_id: int, limit: int, window_seconds: int) -> str:
    return f"brazebee:{kind}:{organization_id}:{limit}/{window_seconds}"
