"""Announces stored events to those who watch what comes in, and costs nothing while nobody does.

Who watches says so in Redis every few seconds. The processes that store events read once a second
who does, and write the newest events of each transaction, with their number, into a short stream.
Of imported events, which may be millions, only their number and the span of their times is kept.
"""

import hashlib
import logging
import math
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import orjson
from redis import Redis
from redis.exceptions import RedisError

logger = logging.getLogger("brazebee.persist")

WATCHED_SECONDS = 15.0
"""How long somebody counts as watching after they said so last."""

CHECK_SECONDS = 1.0
"""How often a process that stores events reads who watches."""

MOST_WATCHES = 20
"""The most that are announced to: those that said so last."""

MOST_AT_ONCE = 20
"""The most events of one transaction that are announced one by one. Nobody can read more."""

KEPT_ENTRIES = 100
"""The most transactions whose events are kept."""

KEPT_SECONDS = 600.0

LONGEST_TEXT = 200
"""Characters of a key or an id."""

_WATCHES, _STREAM = "brazebee:watches", "brazebee:arrived:"
_NUMBER, _FIRST, _LAST = b"number", b"first", b"last"


class Stored(Protocol):
    """An event that was stored, or waits until the company of its user is known."""

    @property
    def event_id(self) -> str | None: ...  # noqa: D102
    @property
    def event_key(self) -> str | None: ...  # noqa: D102
    @property
    def company_id(self) -> str | None: ...  # noqa: D102
    @property
    def user_id(self) -> str | None: ...  # noqa: D102
    @property
    def occurred_at(self) -> datetime: ...  # noqa: D102
    @property
    def received_at(self) -> datetime: ...  # noqa: D102
    @property
    def historical(self) -> bool: ...  # noqa: D102


class Arrival(NamedTuple):
    """An event as it is announced; ids are the client's own. The sender may not name a company."""

    at: datetime
    occurred_at: datetime
    event_key: str
    company: str | None
    user: str | None
    event_id: str


class Imported(NamedTuple):
    """How many events of the past were stored, and when the first and the last of them occurred."""

    number: int
    first_at: datetime
    last_at: datetime


class Watch(NamedTuple):
    """What somebody watches: the events of an organization, perhaps of one company or key."""

    organization_id: int
    company: str | None = None
    event_key: str | None = None

    @property
    def name(self) -> bytes:
        """Its name in Redis."""
        return orjson.dumps(list(self))

    @property
    def stream(self) -> str:
        """The key of its stream."""
        return _STREAM + hashlib.sha256(self.name).hexdigest()[:32]

    @property
    def imported(self) -> str:
        """The key of what is known of imported events."""
        return f"{self.stream}:imported"

    def matches(self, event: Stored) -> bool:
        """Whether an event of the organization is watched."""
        return (self.company is None or event.company_id == self.company) and (
            self.event_key is None or event.event_key == self.event_key
        )


class Reading(NamedTuple):
    """The newest events after a position, oldest first.

    `missed` is how many other events there were after it, and `position` where to read on.
    """

    arrivals: Sequence[Arrival]
    missed: int
    position: int


class Arrivals:
    """What comes in, for those who watch. Methods raise RedisError."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    def watch(self, watch: Watch) -> None:
        """Have events announced for the next seconds; repeat it to go on.

        If nobody has watched, what was announced earlier is forgotten: there would be a gap.
        """
        now = _present(self._client)
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.zremrangebyscore(_WATCHES, "-inf", now)
            pipeline.zadd(_WATCHES, {watch.name: now + WATCHED_SECONDS})
            _, is_new = pipeline.execute()
        if is_new:
            self._client.unlink(watch.stream, watch.imported)

    def imported(self, watch: Watch) -> Imported | None:
        """Return what was imported while it was watched; None if nothing was for ten minutes."""
        found: Any = self._client.zrange(watch.imported, 0, -1, withscores=True)
        if not found:
            return None
        scores = dict(found)
        first, last = (datetime.fromtimestamp(scores[name], UTC) for name in (_FIRST, _LAST))
        return Imported(int(scores[_NUMBER]), first, last)

    def position(self, watch: Watch) -> int:
        """Return the position after all that was announced."""
        newest: Any = self._client.xrevrange(watch.stream, count=1)
        return _total(newest[0][0]) if newest else 0

    def read(self, watch: Watch, after: int = 0) -> Reading:
        """Return what was announced after a position."""
        entries: Any = self._client.xrange(watch.stream, f"({after}-0" if after else "-")
        if not entries and after and self.position(watch) < after:
            return self.read(watch)  # the stream was forgotten, and counts from the beginning again
        if not entries:
            return Reading((), 0, after)
        arrivals = [
            Arrival(datetime.fromisoformat(at), datetime.fromisoformat(occurred_at), *rest)
            for _, content in entries
            for at, occurred_at, *rest in orjson.loads(content[b"e"])
        ]
        first, last = _total(entries[0][0]), _total(entries[-1][0])
        before = after or first - int(entries[0][1][b"n"])
        return Reading(arrivals, last - before - len(arrivals), last)


class Announcements:
    """Announces the events that a process stores."""

    def __init__(self, client: Redis, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic = monotonic
        self._script = client.register_script(
            (Path(__file__).parent / "arrivals.lua").read_text(encoding="utf-8")
        )
        self._read_at = -math.inf
        self._watches: list[Watch] = []

    def announce(self, organization_id: int, events: Sequence[Stored]) -> None:
        """Announce events of an organization that were stored; never raises."""
        try:
            for watch in self._current():
                if watch.organization_id == organization_id:
                    watched = [event for event in events if watch.matches(event)]
                    self._announce_to(watch, [event for event in watched if not event.historical])
                    past = [event.occurred_at for event in watched if event.historical]
                    if past:
                        self._count(watch, Imported(len(past), min(past), max(past)))
        except RedisError as error:
            logger.info("stored events were not announced: %s", error)

    def announce_imported(self, organization_id: int, imported: Imported) -> None:
        """Announce events of an import to those who watch all events; never raises."""
        watch = Watch(organization_id)
        try:
            if imported.number and watch in self._current():
                self._count(watch, imported)
        except RedisError as error:
            logger.info("imported events were not announced: %s", error)

    def _count(self, watch: Watch, imported: Imported) -> None:
        with self._client.pipeline() as pipeline:
            pipeline.zincrby(watch.imported, imported.number, _NUMBER)
            pipeline.zadd(watch.imported, {_FIRST: imported.first_at.timestamp()}, lt=True)
            pipeline.zadd(watch.imported, {_LAST: imported.last_at.timestamp()}, gt=True)
            pipeline.pexpire(watch.imported, round(KEPT_SECONDS * 1000))
            pipeline.execute()

    def _announce_to(self, watch: Watch, events: Sequence[Stored]) -> None:
        if not events:
            return
        newest = [
            (
                event.received_at.astimezone(UTC),
                event.occurred_at.astimezone(UTC),
                *map(_short, (event.event_key, event.company_id, event.user_id, event.event_id)),
            )
            for event in events[-MOST_AT_ONCE:]
        ]
        kept_ms = round(KEPT_SECONDS * 1000)
        self._script([watch.stream], [len(events), orjson.dumps(newest), KEPT_ENTRIES, kept_ms])

    def _current(self) -> list[Watch]:
        now = self._monotonic()
        if now - self._read_at >= CHECK_SECONDS:
            self._read_at = now
            found: Any = self._client.zrevrangebyscore(
                _WATCHES, "+inf", _present(self._client), start=0, num=MOST_WATCHES
            )
            self._watches = [Watch(*orjson.loads(name)) for name in found]
        return self._watches


def _present(client: Redis) -> float:
    """Return the present by the clock of Redis, which is one for all machines."""
    seconds, microseconds = client.time()
    return float(seconds + microseconds / 1_000_000)


def _short(text: str | None) -> str | None:
    return text and text[:LONGEST_TEXT]


def _total(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])
