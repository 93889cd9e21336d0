"""What becomes of events that cannot be stored, and of entries that are none."""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import psycopg2
import pytest

from actors import persist as persist_module
from actors.persist import store_in_transaction
from config.settings import Settings
from models.database import connect, query, transaction
from models.organizations import removal
from queues.lanes import lane_queue as lane_queue_module
from queues.lanes.keys import JOURNAL
from services.times import utc_now
from tests.support.product.servers import Servers
from tests.support.storing import IN_ONE_LANE, Locking, Storing


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_queue_module, "GATHER_SECONDS", 0.0)


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


def test_an_event_beyond_a_limit_of_postgresql_is_set_aside_and_its_neighbours_are_stored(
    storing: Storing,
) -> None:
    """Such limits have SQLSTATEs of a class that the driver calls operational."""
    long_id = "".join(map(str, range(10_000)))  # cannot be compressed into an entry of an index
    storing.send(storing.event("a"), storing.event("a", event_id=long_id), storing.event("a"))
    storing.store_all()
    assert storing.stored == ["e1", "e3"]
    [entry] = storing.set_aside
    assert "index row" in entry.event.error


def test_an_event_that_the_driver_cannot_pass_is_set_aside(
    storing: Storing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(events: Sequence[Any], *args: Any) -> list[int]:
        if any(event.event_id == "e2" for event in events):
            raise psycopg2.ProgrammingError("can't adapt type 'dict'")
        return store_in_transaction(events, *args)

    monkeypatch.setattr(persist_module, "store_in_transaction", refuse)
    storing.send(*map(storing.event, IN_ONE_LANE[:3]))
    storing.store_all()
    assert storing.stored == ["e1", "e3"]
    assert len(storing.set_aside) == 1


def test_an_event_that_is_nested_too_deeply_is_set_aside(storing: Storing) -> None:
    nested: Any = "deep"
    for _ in range(400):  # the ingress accepts ten levels; orjson reads 1,024 and writes 254
        nested = [nested]
    storing.send(storing.event("a"))
    [lane] = storing.broker.client.zrange(JOURNAL.ready, 0, -1)
    text = json.dumps(storing.event("a", data={"nested": nested}), default=str)
    storing.broker.client.xadd(JOURNAL.entries + lane.decode(), {"1": text, "t": "5"})
    storing.store_all()
    assert storing.stored == ["e1"]
    [entry] = storing.set_aside
    assert entry.fields[:2] == (b"1", text.encode())


def test_why_an_event_was_set_aside_is_in_its_row_and_not_in_the_log(
    storing: Storing, caplog: pytest.LogCaptureFixture
) -> None:
    storing.send(storing.event("a", occurred_at="Café ✓"))
    storing.store_all()
    [entry] = storing.set_aside
    assert "Café ✓" in entry.event.error
    assert "was set aside" in caplog.text
    assert "Café" not in caplog.text


def test_the_log_of_the_embedded_postgresql_has_no_event(
    storing: Storing, servers: Servers
) -> None:
    log = servers.data.logs / "postgres.log"
    before = len(log.read_text())
    secret = "secret-of-a-customer"
    again = [storing.event("a", event_id=f"{secret}{n}", data={secret: 1}) for n in range(30)]
    storing.send(*again)
    storing.store_all()
    long_id = secret.join(map(str, range(5_000)))
    storing.send(*again, storing.event("a", event_id=long_id))  # COPY fails, then an index
    storing.store_all()
    assert len(storing.set_aside) == 1
    written = log.read_text()[before:]
    assert "ERROR" in written
    assert secret not in written


def test_events_of_the_release_before_move_into_the_journal_if_they_cannot_be_stored(
    storing: Storing, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Dramatiq would log them whole and drop them."""
    fails = True

    def fail(*args: Any) -> list[int]:
        if fails:
            raise ValueError("Café ✓")
        return store_in_transaction(*args)

    monkeypatch.setattr(persist_module, "store_in_transaction", fail)
    monkeypatch.setattr("models.events.rejected_events.add", fail)
    now = utc_now().isoformat()
    storing.persister.persist(
        [storing.event(company, occurred_at=now, received_at=now) for company in "ab"]
    )
    assert storing.waiting == 2
    assert "Café" not in caplog.text
    fails = False
    storing.store_all()
    assert storing.stored == ["e1", "e2"]


def test_a_database_that_cannot_hold_every_character_keeps_events_waiting(
    storing: Storing,
    settings: Settings,
    servers: Servers,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """R5: a worker that runs already when DATABASE_URL leads to such a database."""
    monkeypatch.setattr("actors.persist.MAX_PAUSE_S", 0.1)
    servers.execute("create database ascii encoding 'SQL_ASCII' locale 'C' template template0")
    storing.send(storing.event("a") | {"company": {"id": "a", "name": "Café ✓"}})
    bundles = storing.take()
    assert bundles
    connect(replace(settings, database_url=servers.database_url("ascii")))
    thread = threading.Thread(target=storing.persister.store, args=(bundles,))
    thread.start()
    try:
        thread.join(0.4)
        assert thread.is_alive()
        assert storing.waiting == 1
    finally:
        connect(settings)
    thread.join(3)
    with transaction():
        assert query("select name from companies") == [{"name": "Café ✓"}]
    assert "createdb --encoding UTF8" in caplog.text
    assert "Café" not in caplog.text
    servers.execute("drop database ascii")
