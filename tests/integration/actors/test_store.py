"""The actor that stores bundles of the journal, with faults in the middle of them."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import orjson
import psycopg2
import pytest
import redis

from actors import persist as persist_module
from actors.persist import EventPersister, store_in_transaction
from config.settings import Settings
from models.database import LOCK_TIMEOUT_MS, connect, database, query, transaction
from models.events import rejected_events
from models.events.rejected_events import RejectedEntry
from models.organizations import removal
from queues.admissions import Admissions
from queues.broker import QueueBroker
from queues.lanes import lane_queue as lane_queue_module
from queues.lanes.keys import JOURNAL
from queues.lanes.lane import partition_of
from queues.lanes.lane_queue import Bundle, LaneQueue
from services.rules.rule_books import RuleBooks
from services.times import utc_now
from tests.support.brokers import NewBroker
from tests.support.evaluations import FEW_LOGINS
from tests.support.world import World

HELD_PAUSE = 0.3

IN_ONE_LANE = [c for c in (f"c{n}" for n in range(99)) if partition_of(c) == 0][:5]


class Storing:
    """Sends events of one organization and stores them as a worker does."""

    def __init__(self, broker: QueueBroker) -> None:
        self.broker = broker
        self.journal = LaneQueue.of_events(broker.client)
        self.persister = EventPersister(broker, RuleBooks(), utc_now)
        self.admissions = Admissions(broker.client)
        self.organization_id = World.create(FEW_LOGINS).id
        self._number = 0

    def event(self, company: str, **changes: Any) -> dict[str, Any]:
        self._number += 1
        now = utc_now()
        return {
            "organization_id": self.organization_id,
            "key_id": None,
            "event_id": f"e{self._number}",
            "event_key": "login",
            "company": {"id": company, "name": "C"},
            "user": None,
            "data": None,
            "occurred_at": now,
            "received_at": now,
        } | changes

    def send(self, *events: dict[str, Any]) -> None:
        self.admissions.admit(self.organization_id, events, limit=1_000, window_seconds=3600)

    def poison(self, fields: dict[str, bytes]) -> None:
        """Append an entry that no ingress of this release appends, to the lane `IN_ONE_LANE`."""
        client, lane = self.broker.client, f"{self.organization_id}:0"
        client.xadd(JOURNAL.entries + lane, fields)  # type: ignore[arg-type]
        client.zadd(JOURNAL.ready, {lane: 0}, nx=True)

    def take(self) -> Sequence[Bundle]:
        taken = self.journal.take()
        return taken if isinstance(taken, list) else []

    def store_ready(self) -> None:
        """Store every bundle that can be taken now."""
        while bundles := self.take():
            self.persister.store(bundles)

    def store_all(self) -> None:
        """Store every event."""
        deadline = time.monotonic() + 10
        while self.waiting:
            self.store_ready()
            assert time.monotonic() < deadline
            time.sleep(0.01)

    @property
    def stored(self) -> list[str]:
        with transaction():
            rows = query("select event_id from events order by event_id")
        return [row["event_id"] for row in rows]

    @property
    def set_aside(self) -> list[RejectedEntry]:
        """The entries of this organization that were set aside, the oldest first."""
        with transaction():
            return rejected_events.lock(self.organization_id, {})

    @property
    def unreadable(self) -> list[tuple[str, bytes, str]]:
        with transaction():
            rows = query("select queue, content, reason from unreadable_messages order by id")
        return [(row["queue"], bytes(row["content"]), row["reason"]) for row in rows]

    @property
    def waiting(self) -> int:
        return self.admissions.waiting()


@pytest.fixture
def storing(settings: Settings, new_broker: NewBroker) -> Iterator[Storing]:
    database.obj.close_all()
    connect(settings, lock_timeout_ms=LOCK_TIMEOUT_MS)
    storing = Storing(new_broker())
    yield storing
    storing.admissions.close()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_queue_module, "GATHER_SECONDS", 0.0)
    for module in (lane_queue_module, persist_module):
        monkeypatch.setattr(module, "HELD_PAUSE_SECONDS", HELD_PAUSE)


Locking = Callable[[str], Any]


@pytest.fixture
def lock_company(settings: Settings) -> Locking:
    """Return a context manager in which another transaction has locked a company's row."""

    @contextmanager
    def locking(company: str) -> Iterator[None]:
        with closing(psycopg2.connect(settings.database_url)) as other, other.cursor() as cursor:
            cursor.execute("select from companies where external_id = %s for update", (company,))
            assert cursor.rowcount == 1
            yield

    return locking


def test_stored_events_leave_the_journal(storing: Storing) -> None:
    storing.send(storing.event("a"), storing.event("b"))
    storing.store_all()
    assert storing.stored == ["e1", "e2"]
    assert storing.waiting == 0


def test_a_company_whose_row_is_locked_waits_alone(storing: Storing, lock_company: Locking) -> None:
    locked, *others = IN_ONE_LANE
    storing.send(*map(storing.event, IN_ONE_LANE))
    storing.store_all()
    with lock_company(locked):
        storing.send(*map(storing.event, [*others[:2], locked, *others[2:]]))
        storing.store_ready()
        assert storing.stored == sorted(f"e{n}" for n in range(1, 11) if n != 8)

        storing.send(storing.event(locked), storing.event(others[0]))
        storing.store_ready()
        assert "e12" in storing.stored
        assert storing.waiting == 2, "both events of the locked company"
    storing.store_all()
    assert len(storing.stored) == 12
    assert storing.set_aside == []
    storing.store_ready()  # removes the lane
    assert storing.broker.client.keys(f"{JOURNAL.held}*") == []


def test_a_lane_of_a_locked_company_is_tried_again_later(
    storing: Storing, lock_company: Locking
) -> None:
    storing.send(storing.event("a"))
    storing.store_all()
    with lock_company("a"):
        storing.send(storing.event("a"))
        for _ in range(3):  # the partition, then twice the lane of its own
            storing.store_ready()
            time.sleep(HELD_PAUSE)
        assert storing.stored == ["e1"]
    storing.store_all()
    assert storing.stored == ["e1", "e2"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"1": b"no JSON", "t": b"5"}, "not JSON: "),
        ({"1": b'{"args": []}', "t": b"5"}, "KeyError: "),
        ({"1": b"[1, 2]", "t": b"5"}, "TypeError: "),
        ({"1": b"\xff\xfe", "t": b"5"}, "not JSON: "),
        ({"1": b"", "t": b"5"}, "not JSON: "),
        ({"1": b"{},{}", "t": b"5"}, "not JSON: "),
        ({"1": b"1]", "t": b"5"}, "not JSON: "),
        ({"2": b'{"of": "a newer release"}', "x": b"\x00\xff", "t": b"5"}, "unknown format: 2"),
    ],
)
def test_an_entry_that_cannot_be_read_is_set_aside_whole_and_costs_no_other(
    storing: Storing, fields: dict[str, bytes], reason: str
) -> None:
    storing.send(storing.event(IN_ONE_LANE[0]))
    storing.poison(fields)
    storing.send(storing.event(IN_ONE_LANE[0]))
    storing.store_all()
    assert storing.stored == ["e1", "e2"]
    [entry] = storing.set_aside
    assert entry.fields == tuple(
        part for name, value in fields.items() for part in (name.encode(), value)
    )
    assert entry.event.error.startswith(reason)
    assert storing.waiting == 0


def test_an_unreadable_entry_that_is_alone_in_its_lane_is_set_aside(storing: Storing) -> None:
    storing.poison({"1": b"", "t": b"5"})
    storing.store_all()
    [entry] = storing.set_aside
    assert entry.fields[:2] == (b"1", b"")


def test_an_event_that_postgresql_refuses_is_set_aside_and_its_neighbours_are_stored(
    storing: Storing, caplog: pytest.LogCaptureFixture
) -> None:
    events = [storing.event(company) for company in IN_ONE_LANE]
    wrong = storing.event(IN_ONE_LANE[2], event_key="no\x00key")
    storing.send(*events, wrong, storing.event(IN_ONE_LANE[2]))
    storing.store_all()
    assert storing.stored == ["e1", "e2", "e3", "e4", "e5", "e7"]
    [entry] = storing.set_aside
    assert (entry.event.company, entry.event.event_id) == (IN_ONE_LANE[2], "e6")
    assert entry.fields[:2] == (b"1", orjson.dumps(wrong))
    assert "NUL" in entry.event.error
    assert storing.waiting == 0
    assert "an event of organization" in caplog.text
    assert "key" not in caplog.text, "the log has nothing of the event"


def test_an_entry_is_set_aside_once_however_often_its_lane_is_postponed(
    storing: Storing, lock_company: Locking
) -> None:
    first, second = IN_ONE_LANE[:2]
    storing.send(storing.event(first))
    storing.store_all()
    storing.poison({"3": b"a newer release"})
    storing.send(storing.event(second, event_key="no\x00key"), storing.event(first))
    bundles = storing.take()
    assert bundles
    with lock_company(first):
        for _ in range(3):
            storing.persister.store(bundles)
            storing.journal.postpone(bundles[0], 0)
            time.sleep(0.02)
            bundles = storing.take() or bundles
    storing.store_all()
    assert [entry.fields[0] for entry in storing.set_aside] == [b"3", b"1"]


def test_an_entry_of_an_organization_that_is_gone_is_kept_for_the_operator(
    storing: Storing,
) -> None:
    storing.send(storing.event("a"))
    assert list(removal.remove(storing.organization_id))
    storing.store_all()
    assert storing.set_aside == []
    [(queue, content, reason)] = storing.unreadable
    assert (queue, orjson.loads(content)["event_id"]) == ("events", "e1")
    assert reason.startswith(f"There is no organization {storing.organization_id}. IntegrityError")


def test_what_can_be_neither_stored_nor_set_aside_stays_and_is_not_logged(
    storing: Storing, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_args: Any) -> None:
        raise ValueError("cannot be set aside\nsecret of a customer")

    monkeypatch.setattr("models.events.rejected_events.add", refuse)
    storing.send(storing.event("a", event_key="no\x00key", data={"very": "private"}))
    bundles = storing.take()
    assert bundles
    storing.persister.store(bundles)
    assert storing.waiting == 1
    assert isinstance(storing.journal.take(), float), "it is tried again after a pause"
    assert "waits in the journal" in caplog.text
    assert "private" not in caplog.text
    assert "secret" not in caplog.text


def test_events_stay_until_redis_lets_them_be_removed(
    storing: Storing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R3: while Redis refuses writes, for instance for lack of replicas."""
    monkeypatch.setattr("actors.persist.MAX_PAUSE_S", 0.1)
    storing.send(storing.event("a"))
    bundles = storing.take()
    assert bundles
    client = storing.broker.client
    client.config_set("min-replicas-to-write", 1)
    try:
        storing_thread = threading.Thread(target=storing.persister.store, args=(bundles,))
        storing_thread.start()
        storing_thread.join(0.4)
        assert storing_thread.is_alive()
        assert storing.stored == ["e1"]
    finally:
        client.config_set("min-replicas-to-write", 0)
    storing_thread.join(2)
    assert not storing_thread.is_alive()
    assert storing.waiting == 0


def test_while_postgresql_is_away_the_lease_is_extended(
    storing: Storing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_queue_module, "LEASE_SECONDS", 0.3)
    storing.send(storing.event("a"))
    bundles = storing.take()
    assert bundles
    failures = iter([psycopg2.OperationalError("away")] * 3)

    def fail_at_first(*args: Any) -> list[int]:
        if error := next(failures, None):
            raise error
        return store_in_transaction(*args)

    monkeypatch.setattr(persist_module, "store_in_transaction", fail_at_first)
    storing.persister.store(bundles)  # pauses of 0.1, 0.2 and 0.4 s
    assert storing.stored == ["e1"]


def test_a_worker_whose_lease_is_over_leaves_the_bundle_to_others(
    storing: Storing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_queue_module, "LEASE_SECONDS", 0.0)
    storing.send(storing.event("a"))
    first, second = storing.take(), storing.take()
    assert first
    assert second
    storing.persister.store(first)
    assert (storing.stored, storing.waiting) == (["e1"], 1)
    storing.persister.store(second)
    assert (storing.stored, storing.waiting) == (["e1"], 0)


def test_a_statement_that_the_database_does_not_support_holds_the_events(
    storing: Storing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.persist.MAX_PAUSE_S", 0.1)
    storing.send(storing.event("a"))
    bundles = storing.take()
    assert bundles
    with transaction():
        query(
            "create function refuse() returns trigger language plpgsql as $$ begin"
            " raise exception 'no' using errcode = 'feature_not_supported'; end $$;"
            " create trigger refuse before insert on events execute function refuse()"
        )
    thread = threading.Thread(target=storing.persister.store, args=(bundles,))
    thread.start()
    thread.join(0.4)
    assert thread.is_alive()
    assert (storing.waiting, storing.set_aside) == (1, [])
    with transaction():
        query("drop trigger refuse on events")
    thread.join(3)
    assert storing.stored == ["e1"]


def test_a_full_redis_keeps_nothing_from_being_stored(storing: Storing) -> None:
    storing.send(storing.event("a"))
    client: redis.Redis = storing.broker.client
    client.config_set("maxmemory", client.info("memory")["used_memory"])
    try:
        storing.store_all()
    finally:
        client.config_set("maxmemory", 0)
    assert storing.stored == ["e1"]
