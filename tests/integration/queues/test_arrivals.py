"""Stored events are announced to those who watch, and cost nothing while nobody does."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import redis

from config.settings import Settings
from queues import arrivals
from queues.arrivals import MOST_AT_ONCE, Announcements, Arrivals, Imported, Watch

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
ALL = Watch(1)


@dataclass(frozen=True)
class Event:
    event_id: str
    company_id: str = "c1"
    event_key: str = "login"
    user_id: str | None = None
    received_at: datetime = AT
    occurred_at: datetime = AT
    historical: bool = False


class Process:
    """A process that stores events, and its clock."""

    def __init__(self, client: redis.Redis) -> None:
        self.seconds = 0.0
        self.announcements = Announcements(client, lambda: self.seconds)

    def store(self, *events: Event, organization_id: int = 1) -> None:
        self.announcements.announce(organization_id, events)


@pytest.fixture
def client(settings: Settings) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.redis_url) as connected:
        yield connected


@pytest.fixture
def process(client: redis.Redis) -> Process:
    return Process(client)


@pytest.fixture
def watched(client: redis.Redis) -> Arrivals:
    return Arrivals(client)


def ids(watched: Arrivals, watch: Watch = ALL, after: int = 0) -> list[str]:
    return [arrival.event_id for arrival in watched.read(watch, after).arrivals]


def test_while_nobody_watches_nothing_is_written(client: redis.Redis, process: Process) -> None:
    process.store(Event("e1"))
    assert client.keys("brazebee:*") == []


def test_who_watches_reads_events_in_order_and_on_from_there(
    watched: Arrivals, process: Process
) -> None:
    watched.watch(ALL)
    process.store(Event("e1", user_id="ann"), Event("e2"))
    process.store(Event("other"), organization_id=2)
    reading = watched.read(ALL)
    first = reading.arrivals[0]
    assert (first.event_id, first.company, first.user, first.at) == ("e1", "c1", "ann", AT)
    assert (ids(watched), reading.missed, watched.position(ALL)) == (["e1", "e2"], 0, 2)
    process.store(Event("e3"))
    assert ids(watched, after=reading.position) == ["e3"]
    assert watched.read(ALL, 3) == ((), 0, 3)


def test_watching_begins_within_a_second_and_ends_by_itself(
    watched: Arrivals, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.store(Event("before"))
    watched.watch(ALL)
    process.store(Event("too early"))
    process.seconds += arrivals.CHECK_SECONDS
    process.store(Event("in time"))
    assert ids(watched) == ["in time"]
    monkeypatch.setattr(arrivals, "WATCHED_SECONDS", -1)
    watched.watch(ALL)
    process.seconds += arrivals.CHECK_SECONDS
    process.store(Event("too late"))
    assert ids(watched) == ["in time"]


def test_who_begins_to_watch_sees_nothing_of_earlier_times(
    client: redis.Redis, watched: Arrivals, process: Process
) -> None:
    watched.watch(ALL)
    process.store(Event("e1"))
    watched.watch(ALL)
    assert ids(watched) == ["e1"]
    client.delete("brazebee:watches")  # as after a while
    watched.watch(ALL)
    assert ids(watched) == []


def test_what_is_too_much_is_counted(
    watched: Arrivals, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "KEPT_ENTRIES", 3)
    watched.watch(ALL)
    process.store(*(Event(f"a{n}") for n in range(1_000)))
    reading = watched.read(ALL)
    assert (len(reading.arrivals), reading.missed) == (MOST_AT_ONCE, 1_000 - MOST_AT_ONCE)
    assert reading.arrivals[-1].event_id == "a999"
    for number in range(5):
        process.store(Event(f"b{number}"))
    following = watched.read(ALL, reading.position)
    assert [a.event_id for a in following.arrivals] == ["b2", "b3", "b4"]
    assert (following.missed, following.position) == (2, 1_005)


def test_each_watch_has_its_own_events_and_numbers(watched: Arrivals, process: Process) -> None:
    of_c2, of_reports = Watch(1, company="c2"), Watch(1, event_key="report")
    for watch in (ALL, of_c2, of_reports):
        watched.watch(watch)
    process.store(
        *(Event(f"e{n}", company_id=f"c{n % 500}") for n in range(1_000)),
        Event("r", event_key="report"),
    )
    assert ids(watched, of_c2) == ["e2", "e502"]
    assert ids(watched, of_reports) == ["r"]
    assert watched.read(of_c2).missed == 0


def test_a_reader_goes_on_after_the_stream_was_forgotten(
    client: redis.Redis, watched: Arrivals, process: Process
) -> None:
    watched.watch(ALL)
    process.store(*(Event(f"a{n}") for n in range(30)))
    position = watched.position(ALL)
    client.delete(ALL.stream)
    assert ids(watched, after=position) == []
    process.store(Event("b"))
    assert ids(watched, after=position) == ["b"]


def test_imported_events_are_counted_with_the_span_of_their_times(
    client: redis.Redis, watched: Arrivals, process: Process
) -> None:
    watched.watch(ALL)
    assert watched.imported(ALL) is None
    early, late = AT - timedelta(days=300), AT - timedelta(days=1)
    process.store(Event("e1"), Event("h1", historical=True, occurred_at=late))
    process.store(*(Event(f"h{n}", historical=True, occurred_at=early) for n in range(2, 300)))
    assert watched.imported(ALL) == Imported(299, early, late)
    process.announcements.announce_imported(1, Imported(1_000_000, late, AT))
    process.announcements.announce_imported(2, Imported(7, late, AT))
    assert watched.imported(ALL) == Imported(1_000_299, early, AT)
    assert ids(watched) == ["e1"]
    assert 0 < client.pttl(ALL.imported) <= arrivals.KEPT_SECONDS * 1000
    client.delete("brazebee:watches")
    watched.watch(ALL)
    assert watched.imported(ALL) is None


def test_without_redis_events_are_stored_all_the_same() -> None:
    with redis.Redis.from_url("unix:///nowhere/redis.sock?db=0") as client:
        Process(client).store(Event("e1"))
        Process(client).announcements.announce_imported(1, Imported(1, AT, AT))
