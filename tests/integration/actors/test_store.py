"""The actor that stores bundles of the journal, with faults in the middle of them."""

import threading
import time
from typing import Any

import psycopg2
import pytest
import redis

from actors import persist as persist_module
from actors.persist import store_in_transaction
from models.database import query, transaction
from queues.lanes import lane_queue as lane_queue_module
from queues.lanes.keys import JOURNAL
from tests.support.storing import IN_ONE_LANE, Locking, Storing

HELD_PAUSE = 0.3


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_queue_module, "GATHER_SECONDS", 0.0)
    for module in (lane_queue_module, persist_module):
        monkeypatch.setattr(module, "HELD_PAUSE_SECONDS", HELD_PAUSE)


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
