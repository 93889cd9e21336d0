"""Admits requests: counts each one and enqueues its events in one round trip to Redis."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.exceptions import NoScriptError

from queues import dramatiq_layout, messages
from queues.broker import MAX_WAKE_UPS, QueueBroker
from queues.consumer import WAKE_UP_SUFFIX
from queues.thread_connection import ThreadConnection

_SCRIPT = (Path(__file__).parent / "admit.lua").read_text(encoding="utf-8")

FULL_FROM = 0.8
"""The share of Redis's memory above which nothing is enqueued: workers need some to catch up."""

MEMORY_CHECK_SECONDS = 1.0

EVENTS, READS = "requests", "reads"
"""The kinds of requests, each with its own counter, so reading does not use up events' limit."""


@dataclass(frozen=True)
class Admission:
    """The result of a request: the count of its window, with this request, and when that ends.

    `nearly_full` means that Redis is nearly full and nothing was enqueued.
    """

    count: int
    ends_in_ms: int
    nearly_full: bool = False


class Admissions:
    """The queue of events, with a counter of requests for each organization.

    Each organization has at most two counters, so Dramatiq's maintenance, which scans every key
    of the database, is not slowed. `nearly_full` is the last reading of Redis's memory.
    """

    def __init__(self, broker: QueueBroker) -> None:
        self._broker = broker
        self._script = broker.client.register_script(_SCRIPT)
        self._connection = ThreadConnection(broker.client.connection_pool)
        queue = dramatiq_layout.queue_key(broker.namespace, messages.EVENTS)
        contents = dramatiq_layout.messages_key(broker.namespace, messages.EVENTS)
        self._queue_keys = (queue, contents, queue + WAKE_UP_SUFFIX)
        self._checked_at = -math.inf
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
        """Count a request and, if it is within the limit, enqueue its events as one message.

        Once a second, the request that arrives then also checks whether Redis is nearly full.

        Raises:
            RedisError: Redis does not answer or is full. The events may be enqueued or not.
        """
        counter = _counter(kind, organization_id, limit, window_seconds)
        message = messages.encode(messages.persist(events)) if events else ()
        now = time.monotonic()
        check = now - self._checked_at >= MEMORY_CHECK_SECONDS
        if check:
            self._checked_at = now
        full = FULL_FROM if check else ("yes" if self.nearly_full else "no")
        keys = (counter, *self._queue_keys)
        args = (limit, window_seconds * 1000, full, MAX_WAKE_UPS, *message)
        try:
            count, ends_in_ms, nearly_full = self._connection.call(
                "EVALSHA", self._script.sha, len(keys), *keys, *args
            )
        except NoScriptError:
            count, ends_in_ms, nearly_full = self._script(keys, args)
        if check:
            self.nearly_full = bool(nearly_full)
        return Admission(count, ends_in_ms, bool(nearly_full))

    def usage(
        self, organization_id: int, *, limit: int, window_seconds: int, kind: str = EVENTS
    ) -> Admission:
        """Return the number of requests in an organization's window without counting one.

        Raises:
            RedisError: Redis does not answer.
        """
        counter = _counter(kind, organization_id, limit, window_seconds)
        with self._broker.client.pipeline(transaction=True) as pipeline:
            pipeline.get(counter)
            pipeline.pttl(counter)
            count, ends_in_ms = pipeline.execute()
        return Admission(int(count or 0), max(0, ends_in_ms))

    def waiting(self) -> int:
        """Return the number of messages that no worker has taken.

        Raises:
            RedisError: Redis does not answer.
        """
        return self._broker.waiting(messages.EVENTS)


def _counter(kind: str, organization_id: int, limit: int, window_seconds: int) -> str:
    return f"brazebee:{kind}:{organization_id}:{limit}/{window_seconds}"
