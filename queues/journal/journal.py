"""Takes bundles of events from the journal, under leases, and removes them once they are stored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from redis import Redis
from redis.commands.core import Script

from queues.journal import keys
from queues.journal.lanes import PARTITIONS, Lane

FORMAT = "1"
"""The format of the entries that this release writes and reads."""

LEASE_SECONDS = 10.0
"""After this time, others take a lane whose worker was killed."""

MOST_ENTRIES = 2_000
"""The most entries of a bundle; storing so many takes about 0.2 s."""

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
    """An entry of a format that this release does not know; `content` has its fields and values."""

    id: str
    content: tuple[bytes, ...]


@dataclass(frozen=True)
class Bundle:
    """The oldest entries of a lane, under a lease.

    `ids` are those of the entries in `payload`, their contents joined by commas; `odd` has entries
    that cannot be read. `held` are companies whose entries belong into a lane of their own.
    """

    lane: Lane
    lease: int
    last_id: str
    ids: Sequence[str]
    payload: bytes = field(repr=False)
    odd: Sequence[OddEntry] = field(default=(), repr=False)
    held: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.ids) + len(self.odd)


@dataclass(frozen=True)
class Waiting:
    """The entries of a lane that are not stored yet, and when the oldest was accepted."""

    lane: Lane
    entries: int
    oldest_at: datetime


class Journal:
    """The journal of all organizations. Every method is one script, and raises RedisError."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._take = _script(client, "take")
        self._release = _script(client, "release")
        self._extend = _script(client, "extend")
        self._hold = _script(client, "hold")
        self._waiting = _script(client, "waiting")

    def take(self) -> Sequence[Bundle] | float | None:
        """Lease the lane that has been ready longest and return its oldest entries.

        Other partitions of the same organization come along if they are ready and the bundle is
        not full yet: one transaction costs less than several. If no lane is ready, return the
        seconds until one is; None if none has entries.
        """
        wait, *taken = self._take(
            [keys.READY, keys.LEASES, keys.LEASE_NUMBER],
            [
                _ms(LEASE_SECONDS), MOST_ENTRIES, MOST_BYTES, FORMAT, keys.ENTRIES, keys.HELD,
                _ms(GATHER_SECONDS), PARTITIONS,
            ],
        )  # fmt: skip
        if not taken:
            return None if wait < 0 else wait / 1000
        held = frozenset(company.decode() for company in taken.pop(0))
        lanes = [taken[first : first + 6] for first in range(0, len(taken), 6)]
        return [
            Bundle(
                Lane.named(lane.decode()),
                lease,
                last_id.decode(),
                ids.decode().split(),
                payload,
                [
                    OddEntry(entry_id.decode(), tuple(content))
                    for entry_id, content in zip(odd[::2], odd[1::2], strict=True)
                ],
                held,
            )
            for lane, lease, last_id, ids, payload, odd in lanes
        ]

    def read(self, bundle: Bundle) -> list[bytes]:
        """Return the entries in `bundle.payload` one by one, for when one is not JSON."""
        stream = keys.ENTRIES + bundle.lane.name
        entries: Any = self._client.xrange(stream, "-", bundle.last_id)
        known = set(bundle.ids)
        return [
            content[FORMAT.encode()] for entry_id, content in entries if entry_id.decode() in known
        ]

    def remove(self, *bundles: Bundle) -> bool:
        """End leases and remove the entries of the bundles; False if a lease was over."""
        return self._end(bundles, GATHER_SECONDS, [_next_id(b.last_id) for b in bundles])

    def postpone(self, bundle: Bundle, seconds: float) -> bool:
        """End a lease and leave the entries, to be taken after a pause."""
        return self._end([bundle], seconds, [""])

    def _end(self, bundles: Sequence[Bundle], pause: float, staying: Sequence[str]) -> bool:
        lanes = [bundle.lane.name for bundle in bundles]
        args: list[Any] = [_ms(pause), LONGEST_BELL]
        for bundle, lane, first_that_stays in zip(bundles, lanes, staying, strict=True):
            args += (lane, bundle.lease, first_that_stays)
        journals = [keys.ENTRIES + lane for lane in lanes]
        return all(self._release([keys.READY, keys.LEASES, keys.BELL, *journals], args))

    def extend(self, bundle: Bundle) -> bool:
        """Begin a lease again; False if it was over."""
        return bool(
            self._extend(
                [keys.READY, keys.LEASES], [bundle.lane.name, bundle.lease, _ms(LEASE_SECONDS)]
            )
        )

    def hold(self, bundle: Bundle, company: str, entry_ids: Iterable[str]) -> bool:
        """Move entries of a company into a lane of its own; False if the lease was over."""
        lane = bundle.lane
        own = lane._replace(company=company)
        return bool(
            self._hold(
                [
                    keys.LEASES,
                    keys.ENTRIES + lane.name,
                    keys.ENTRIES + own.name,
                    f"{keys.HELD}{lane.organization_id}",
                    keys.READY,
                ],
                [lane.name, bundle.lease, own.name, company, _ms(HELD_PAUSE_SECONDS), *entry_ids],
            )
        )

    def waiting(self) -> list[Waiting]:
        """Return the lanes that have entries."""
        found = self._waiting([keys.READY], [keys.ENTRIES])
        return [
            Waiting(Lane.named(name.decode()), entries, _instant(oldest))
            for name, entries, oldest in zip(found[::3], found[1::3], found[2::3], strict=True)
        ]

    def wait(self, seconds: float, *more_bells: str) -> str | None:
        """Block until the bell rings, for at most this long; return the bell that rang."""
        rung: Any = self._client.blpop([keys.BELL, *more_bells], timeout=seconds)
        return rung[0].decode() if rung else None


def _script(client: Redis, name: str) -> Script:
    source = (Path(__file__).parent / f"{name}.lua").read_text(encoding="utf-8")
    return client.register_script(source)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _next_id(entry_id: str) -> str:
    milliseconds, _, number = entry_id.partition("-")
    return f"{milliseconds}-{int(number) + 1}"


def _instant(microseconds: bytes) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(microseconds))
