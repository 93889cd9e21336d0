"""Admits requests: counts each and appends its events to the journal, in one round trip."""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from redis import Redis
from redis.exceptions import NoScriptError, OutOfMemoryError, ResponseError

from queues.lanes.keys import JOURNAL
from queues.lanes.lane import LANES, Lane, partition_of
from queues.lanes.lane_queue import FORMAT, LONGEST_BELL, LaneQueue
from queues.thread_connection import ThreadConnection

logger = logging.getLogger("brazebee.ingress")

SCRIPT = (Path(__file__).parent / "admit.lua").read_text(encoding="utf-8")

FULL_FROM = 0.8
"""The share of Redis's memory above which nothing is enqueued: workers need some to catch up."""

MEMORY_CHECK_SECONDS = 1.0

EVENTS, READS = "requests", "reads"
"""The kinds of requests, each with its own counter, so reading does not use up events' limit."""


class RateWindow(NamedTuple):
    """A window in which requests of an organization are counted, at most `limit` of them."""

    organization_id: int
    limit: int
    seconds: int
    kind: str = EVENTS

    @property
    def counter(self) -> str:
        """The key of its counter in Redis."""
        return f"brazebee:{self.kind}:{self.organization_id}:{self.limit}/{self.seconds}"


class AdmissionRequest(NamedTuple):
    """A request to count in a window, with the events to append to the journal.

    An event whose `company` is None goes to the lane for what names no company; the others have
    the company's `id`.
    """

    window: RateWindow
    events: Sequence[dict[str, Any]] = ()


class Command(NamedTuple):
    """The command that admits requests, and whether it also checks if Redis is nearly full.

    `windows` has the windows in the order of the reply, with the number of requests in each.
    """

    parts: Sequence[Any]
    requests: Sequence[AdmissionRequest]
    windows: Mapping[RateWindow, int]
    checks_memory: bool


class Admission(NamedTuple):
    """The result of a request: the requests in its window, with this one, and when that ends.

    `nearly_full` means that Redis is nearly full and nothing was enqueued.
    """

    requests: int
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
        command = self.command([request])
        [result] = self.results(command, self._run(command.parts))
        if isinstance(result, ResponseError):
            raise result
        return result

    def command(self, requests: Sequence[AdmissionRequest]) -> Command:
        """Return the command that admits requests; once a second, one that checks memory too."""
        now = time.monotonic()
        check = now - self._checked_at >= MEMORY_CHECK_SECONDS
        if check:
            self._checked_at = now
        full = FULL_FROM if check else ("yes" if self.nearly_full else "no")
        windows: dict[RateWindow, list[AdmissionRequest]] = {}
        for request in requests:
            windows.setdefault(request.window, []).append(request)
        names = [JOURNAL.ready, JOURNAL.bell]
        args: list[Any] = [full, LONGEST_BELL, FORMAT, LANES]
        for window, in_window in windows.items():
            names += (window.counter, *_journals(window.organization_id))
            args += (window.organization_id, window.limit, window.seconds * 1000, len(in_window))
            for request in in_window:
                args.append(len(request.events))
                for event in request.events:
                    company = event["company"]
                    partition = partition_of(None if company is None else company["id"])
                    args += (partition, orjson.dumps(event))
        return Command(
            ["EVALSHA", self._script.sha, len(names), *names, *args],
            requests,
            {window: len(in_window) for window, in_window in windows.items()},
            check,
        )

    def results(self, command: Command, reply: Any) -> list[Admission | ResponseError]:
        """Return the result of each request of a command, from the reply to it.

        An error is about the keys of the request's organization.
        """
        is_full, *ends = reply
        if command.checks_memory:
            self.nearly_full = bool(is_full)
            self.log_memory(is_full=self.nearly_full)
        counts = dict(zip(command.windows, ends[::2], strict=True))
        if any(isinstance(count, OutOfMemoryError) for count in counts.values()):
            self.log_memory(is_full=True)
        ends_in_ms = dict(zip(command.windows, ends[1::2], strict=True))
        left = dict(command.windows)
        results: list[Admission | ResponseError] = []
        for window, _ in command.requests:
            left[window] -= 1
            count = counts[window]
            if isinstance(count, ResponseError):
                results.append(count)
            else:
                requests = count - left[window]
                results.append(Admission(requests, ends_in_ms[window], bool(is_full)))
        return results

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

    def usage(self, window: RateWindow) -> Admission:
        """Return the number of requests in a window without counting one.

        Raises:
            RedisError: Redis does not answer.
        """
        counter = window.counter
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


@lru_cache(10_000)
def _journals(organization_id: int) -> tuple[str, ...]:
    return tuple(JOURNAL.entries + Lane(organization_id, n).name for n in range(LANES))
