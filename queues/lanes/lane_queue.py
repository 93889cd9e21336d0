"""A queue with lanes: a worker leases a lane, handles its oldest entries and removes them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from redis import Redis
from redis.commands.core import Script

from queues.lanes.keys import EVALUATIONS, JOURNAL, Keys
from queues.lanes.lane import LANES, Lane

FORMAT = "1"
"""The format of the entries that this release writes and reads."""

FORMER_MESSAGE = "dramatiq"
"""The format of messages of the release before that cannot be read; they are set aside."""

LEASE_SECONDS = 10.0
"""After this time, others take a lane whose worker was killed."""

MOST_EVENTS = 2_000
"""The most events of a bundle; storing so many takes about 0.2 s."""

MOST_COMPANIES = 50
"""The most companies that are evaluated in one transaction, while they are locked."""

MOST_BYTES = 4 * 1024 * 1024

GATHER_SECONDS = 0.05
"""How long a lane gathers entries after a bundle was stored: a transaction for every two or three
would cost several times as much. An event that arrives alone does not wait."""

LONGEST_BELL = 32
"""How many waiting workers a burst of events can wake."""

HELD_PAUSE_SECONDS = 2.0
"""The pause before events of a held company are tried again."""


@dataclass(frozen=True)
class OddEntry:
    """An entry of a format that this release does not know, with its fields and values."""

    id: str
    fields: tuple[bytes, ...]


@dataclass(frozen=True)
class Bundle:
    """The oldest entries of a lane, under a lease.

    `ids` are those of the entries in `payload`, their contents joined by commas, and `accepted_at`
    the times of their acceptance; `odd` has entries that cannot be read. `held` are companies whose
    entries belong into a lane of their own.
    """

    lane: Lane
    lease: int
    last_id: str
    ids: Sequence[str] = field(repr=False)
    accepted_at: Sequence[datetime] = field(repr=False)
    payload: bytes = field(repr=False)
    odd: Sequence[OddEntry] = field(default=(), repr=False)
    held: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.ids) + len(self.odd)


@dataclass(frozen=True)
class Waiting:
    """The entries of a lane that are not stored yet, and when the oldest was accepted.

    `oldest_at` is None if that cannot be known: the clock of Redis was set back since.
    """

    lane: Lane
    entries: int
    oldest_at: datetime | None


@dataclass(frozen=True)
class Reading:
    """The lanes with entries, as of an instant by the clock of Redis."""

    at: datetime
    lanes: Sequence[Waiting]


class LaneQueue:
    """A queue with lanes that take turns. Every method is one step, and raises RedisError.

    A bundle has up to `most_entries`; after one is removed, entries of its lane gather for
    `gather_seconds`.
    """

    def __init__(
        self, client: Redis, keys: Keys, *, most_entries: int, gather_seconds: float
    ) -> None:
        self.most_entries = most_entries
        self.gather_seconds = gather_seconds
        self._client = client
        self._keys = keys
        self._append = _script(client, "append")
        self._take = _script(client, "take")
        self._release = _script(client, "release")
        self._extend = _script(client, "extend")
        self._hold = _script(client, "hold")
        self._waiting = _script(client, "waiting")

    @classmethod
    def of_events(cls, client: Redis) -> "LaneQueue":
        """Return the journal, which has the accepted events of all organizations."""
        return cls(client, JOURNAL, most_entries=MOST_EVENTS, gather_seconds=GATHER_SECONDS)

    @classmethod
    def of_evaluations(cls, client: Redis) -> "LaneQueue":
        """Return the queue of companies to evaluate, of all organizations."""
        return cls(client, EVALUATIONS, most_entries=MOST_COMPANIES, gather_seconds=0.0)

    def append(self, entries: Iterable[tuple[Lane, bytes]], entry_format: str = FORMAT) -> None:
        """Append entries to their lanes."""
        args = [part for lane, entry in entries for part in (lane.name, entry)]
        if args:
            self._append(
                [self._keys.ready, self._keys.bell],
                [LONGEST_BELL, self._keys.entries, entry_format, *args],
            )

    def take(self) -> Sequence[Bundle] | float | None:
        """Lease the lane that has been ready longest and return its oldest entries.

        Other partitions of the same organization come along if they are ready and the bundle is
        not full yet: one transaction costs less than several. If no lane is ready, return the
        seconds until one is; None if none has entries.
        """
        names = self._keys
        wait, *taken = self._take(
            [names.ready, names.leases, names.lease_number],
            [
                _ms(LEASE_SECONDS),
                self.most_entries,
                MOST_BYTES,
                FORMAT,
                names.entries,
                names.held,
                _ms(self.gather_seconds),
                LANES,
            ],
        )
        if not taken:
            return None if wait < 0 else wait / 1000
        held = frozenset(company.decode() for company in taken.pop(0))
        lanes = [taken[first : first + 7] for first in range(0, len(taken), 7)]
        return [
            Bundle(
                Lane.named(lane.decode()),
                lease,
                last_id.decode(),
                ids.decode().split(),
                list(map(_instant, times.split())),
                payload,
                [
                    OddEntry(entry_id.decode(), tuple(content))
                    for entry_id, content in zip(odd[::2], odd[1::2], strict=True)
                ],
                held,
            )
            for lane, lease, last_id, ids, times, payload, odd in lanes
        ]

    def read(self, bundle: Bundle) -> dict[str, bytes]:
        """Return the entries in `bundle.payload` by id, for when one cannot be read or stored."""
        stream = self._keys.entries + bundle.lane.name
        entries: Any = self._client.xrange(stream, "-", bundle.last_id)
        known = set(bundle.ids)
        return {
            entry_id.decode(): content[FORMAT.encode()]
            for entry_id, content in entries
            if entry_id.decode() in known
        }

    def find(self, lane: Lane, entry_id: str) -> tuple[bytes, ...] | None:
        """Return the fields and values of an entry as they are; None if it was removed."""
        found: Any = self._client.xrange(self._keys.entries + lane.name, entry_id, entry_id)
        return tuple(part for pair in found[0][1].items() for part in pair) if found else None

    def oldest_of(self, lane: Lane) -> datetime | None:
        """Return when the oldest entry of a lane was accepted; None if it has none.

        An entry without that time, as none of this release is, counts as being from the beginning.
        """
        found: Any = self._client.xrange(self._keys.entries + lane.name, count=1)
        return _instant(found[0][1].get(b"t", 0)) if found else None

    def remove(self, *bundles: Bundle, pause: timedelta | None = None) -> bool:
        """End leases and remove the entries of the bundles; False if a lease was over.

        The lanes gather entries for the length of the pause, or of `gather_seconds`.
        """
        seconds = self.gather_seconds if pause is None else pause.total_seconds()
        return self._end(bundles, seconds, [_next_id(b.last_id) for b in bundles])

    def postpone(self, bundle: Bundle, seconds: float) -> bool:
        """End a lease and leave the entries, to be taken after a pause."""
        return self._end([bundle], seconds, [""])

    def _end(self, bundles: Sequence[Bundle], pause: float, staying: Sequence[str]) -> bool:
        lanes = [bundle.lane.name for bundle in bundles]
        args: list[Any] = [_ms(pause), LONGEST_BELL]
        for bundle, lane, first_that_stays in zip(bundles, lanes, staying, strict=True):
            args += (lane, bundle.lease, first_that_stays)
        journals = [self._keys.entries + lane for lane in lanes]
        return all(
            self._release([self._keys.ready, self._keys.leases, self._keys.bell, *journals], args)
        )

    def extend(self, bundle: Bundle) -> bool:
        """Begin a lease again; False if it was over."""
        return bool(
            self._extend(
                [self._keys.ready, self._keys.leases],
                [bundle.lane.name, bundle.lease, _ms(LEASE_SECONDS)],
            )
        )

    def hold(self, bundle: Bundle, company: str, entry_ids: Iterable[str]) -> bool:
        """Move entries of a company into a lane of its own; False if the lease was over.

        They may come from the lane for what names no company.
        """
        lane = bundle.lane
        own = Lane.of_company(lane.organization_id, company)._replace(company=company)
        return bool(
            self._hold(
                [
                    self._keys.leases,
                    self._keys.entries + lane.name,
                    self._keys.entries + own.name,
                    f"{self._keys.held}{lane.organization_id}",
                    self._keys.ready,
                ],
                [lane.name, bundle.lease, own.name, company, _ms(HELD_PAUSE_SECONDS), *entry_ids],
            )
        )

    def waiting(self) -> Sequence[Waiting]:
        """Return the lanes that have entries."""
        return self.read_waiting().lanes

    def read_waiting(self) -> Reading:
        """Return the lanes that have entries, and the present by the clock of Redis."""
        at, *found = self._waiting([self._keys.ready], [self._keys.entries])
        return Reading(
            _instant(at),
            [
                Waiting(Lane.named(name.decode()), entries, _instant(oldest) if oldest else None)
                for name, entries, oldest in zip(found[::3], found[1::3], found[2::3], strict=True)
            ],
        )

    def wait(self, seconds: float, *more_bells: str) -> str | None:
        """Block until the bell rings, for at most this long; return the bell that rang."""
        rung: Any = self._client.blpop([self._keys.bell, *more_bells], timeout=seconds)
        return rung[0].decode() if rung else None


def _script(client: Redis, name: str) -> Script:
    return client.register_script(_source(name))


@cache
def _source(name: str) -> str:
    """Read a script once: some requests of the dashboard make a queue each."""
    return (Path(__file__).parent / f"{name}.lua").read_text(encoding="utf-8")


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _next_id(entry_id: str) -> str:
    milliseconds, _, number = entry_id.partition("-")
    return f"{milliseconds}-{int(number) + 1}"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _instant(microseconds: bytes) -> datetime:
    return _EPOCH + timedelta(microseconds=int(microseconds))
