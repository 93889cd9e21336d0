"""Admits requests: counts each one and appends its events to the journal, in one round trip."""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from redis import Redis
from redis.exceptions import NoScriptError, OutOfMemoryError

from queues.lanes.keys import JOURNAL
from queues.lanes.lane import PARTITIONS, Lane, partition_of
from queues.lanes.lane_queue import FORMAT, LONGEST_BELL, LaneQueue
from queues.thread_connection import ThreadConnection

logger = logging.getLogger("brazebee.ingress")

SCRIPT = (Path(__file__).parent / "admit.lua").read_text(encoding="utf-8")

FULL_FROM = 0.8
"""The share of Redis's memory above which nothing is enqueued: workers need some to catch up."""

MEMORY_CHECK_SECONDS = 1.0

EVENTS, READS = "requests", "reads"
"""The kinds of requests, each with its own counter, so reading does not use up events' limit."""


@dataclass(frozen=True)
class AdmissionRequest:
    """A request to count for its organization, with the events to append to the journal.

    `limit` is the most requests in a window.
    """

    organization_id: int
    events: Sequence[dict[str, Any]] = ()
    _: KW_ONLY
    limit: int
    window_seconds: int
    kind: str = EVENTS


class Command(NamedTuple):
    """The command that admits a request, and whether it also checks if Redis is nearly full."""

    parts: Sequence[Any]
    checks_memory: bool


@dataclass(frozen=True)
class Admission:
    """The result of a request: the count of its window, with this request, and when that ends.

    `nearly_full` means that Redis is nearly full and nothing was enqueued.
    """

    count: int
    ends_in_ms: int
    nearly_full: bool = False


class Admissions:
    """The way into the journal, with a counter of requests for each organization.

    Each organization has at most two counters, so Dramatiq's maintenance, which scans every key
    of the database, is not slowed. `nearly_full` is the last reading of Redis's memory.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._journal = LaneQueue.of_events(client)
        self._script = client.register_script(SCRIPT)
        self._connection = ThreadConnection(client.connection_pool)
        self._checked_at = -math.inf
        self.nearly_full = False
        self._was_full = False

    def admit(self, request: AdmissionRequest) -> Admission:
        """Count a request and, if it is within the limit, append its events to the journal.

        Raises:
            RedisError: Redis does not answer or is full. The events may be accepted or not.
        """
        command = self.command(request)
        try:
            return self.admission(command, self._run(command.parts))
        except OutOfMemoryError:
            self.log_memory(is_full=True)
            raise

    def command(self, request: AdmissionRequest) -> Command:
        """Return the command that admits a request; once a second, one that checks memory too."""
        organization_id = request.organization_id
        now = time.monotonic()
        check = now - self._checked_at >= MEMORY_CHECK_SECONDS
        if check:
            self._checked_at = now
        full = FULL_FROM if check else ("yes" if self.nearly_full else "no")
        counter = _counter(request.kind, organization_id, request.limit, request.window_seconds)
        names = (counter, JOURNAL.ready, JOURNAL.bell, *_journals(organization_id))
        window_ms = request.window_seconds * 1000
        parts: list[Any] = ["EVALSHA", self._script.sha, len(names), *names, request.limit]
        parts += (window_ms, full, LONGEST_BELL, FORMAT, organization_id)
        for event in request.events:
            parts += (partition_of(event["company"]["id"]), orjson.dumps(event))
        return Command(parts, check)

    def admission(self, command: Command, reply: Any) -> Admission:
        """Return the result in the reply to a command."""
        count, ends_in_ms, nearly_full = reply
        if command.checks_memory:
            self.nearly_full = bool(nearly_full)
            self.log_memory(is_full=self.nearly_full)
        return Admission(count, ends_in_ms, bool(nearly_full))

    def log_memory(self, *, is_full: bool) -> None:
        """Log when Redis becomes full, and when it has room again."""
        was_full, self._was_full = self._was_full, is_full
        if is_full and not was_full:
            logger.error(
                "Redis is nearly full: no event is accepted. If events wait because PostgreSQL or"
                " `persist` is down, start it; otherwise remove keys that are not Brazebee's"
                " (brazebee:*, dramatiq:*), or raise maxmemory"
            )
        elif was_full and not is_full:
            logger.warning("Redis has room again: events are accepted")

    def _run(self, parts: Sequence[Any]) -> Any:
        try:
            return self._connection.call(*parts)
        except NoScriptError:
            self._client.script_load(SCRIPT)
            return self._connection.call(*parts)

    def close(self) -> None:
        """Close this thread's connection."""
        self._connection.close()

    def usage(
        self, organization_id: int, *, limit: int, window_seconds: int, kind: str = EVENTS
    ) -> Admission:
        """Return the number of requests in an organization's window without counting one.

        Raises:
            RedisError: Redis does not answer.
        """
        counter = _counter(kind, organization_id, limit, window_seconds)
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.get(counter)
            pipeline.pttl(counter)
            count, ends_in_ms = pipeline.execute()
        return Admission(int(count or 0), max(0, ends_in_ms))

    def waiting(self) -> int:
        """Return the number of events that are accepted and not stored yet.

        Raises:
            RedisError: Redis does not answer.
        """
        return sum(lane.entries for lane in self._journal.waiting())

    def present(self) -> datetime:
        """Return the present by the clock of Redis, which gives events their times.

        Raises:
            RedisError: Redis does not answer.
        """
        seconds, microseconds = self._client.time()
        return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)


def _counter(kind: str, organization_id: int, limit: int, window_seconds: int) -> str:
    return f"brazebee:{kind}:{organization_id}:{limit}/{window_seconds}"


@lru_cache(10_000)
def _journals(organization_id: int) -> tuple[str, ...]:
    return tuple(JOURNAL.entries + Lane(organization_id, n).name for n in range(PARTITIONS))
