"""What becomes of events that cannot be stored, and of entries that are none."""

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg2
import pytest

from actors import persist as persist_module
from actors.persist import store_in_transaction
from config.settings import Settings
from models.database import connect, query, transaction
from queues.lanes import lane_queue as lane_queue_module
from queues.lanes.keys import JOURNAL
from services.times import utc_now
from tests.support.product.servers import Servers
from tests.support.storing import IN_ONE_LANE, Storing


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_queue_module, "GATHER_SECONDS", 0.0)


@pytest.mark.parametrize(
    ("entry", "kept"),
    [
        ({"1": b"no JSON"}, "no JSON"),
        ({"1": b'{"args": []}'}, {"args": []}),
        ({"1": b"[1, 2]"}, [1, 2]),
        ({"1": b"\xff\xfe"}, "\\xff\\xfe"),
        ({"1": b"{}, {}"}, "{}, {}"),  # two values, as if the entry were two
        ({"2": b'{"of": "a newer release"}'}, ["2", '{"of": "a newer release"}', "t", "5"]),
    ],
)
def test_an_entry_that_cannot_be_read_is_set_aside_whole_and_costs_no_other(
    storing: Storing, entry: dict[str, bytes], kept: Any
) -> None:
    storing.send(storing.event("a"))
    [lane] = storing.broker.client.zrange(JOURNAL.ready, 0, -1)
    storing.broker.client.xadd(JOURNAL.entries + lane.decode(), {**entry, "t": "5"})
    storing.send(storing.event("a"))
    storing.store_all()
    assert storing.stored == ["e1", "e2"]
    [(organization_id, message, _)] = storing.set_aside
    assert (organization_id, message) == (storing.organization_id, kept)
    assert storing.waiting == 0


def test_an_event_that_postgresql_refuses_is_set_aside_and_its_neighbours_are_stored(
    storing: Storing,
) -> None:
    events = [storing.event(company) for company in IN_ONE_LANE]
    wrong = storing.event(IN_ONE_LANE[2], event_key="no\x00key")
    storing.send(*events, wrong, storing.event(IN_ONE_LANE[2]))
    storing.store_all()
    assert storing.stored == ["e1", "e2", "e3", "e4", "e5", "e7"]
    [(organization_id, _, error)] = storing.set_aside
    assert organization_id == storing.organization_id
    assert "cannot be converted to text" in error
    assert storing.waiting == 0


def test_an_event_beyond_a_limit_of_postgresql_is_set_aside_and_its_neighbours_are_stored(
    storing: Storing,
) -> None:
    """Such limits have SQLSTATEs of a class that the driver calls operational."""
    long_id = "".join(map(str, range(10_000)))  # cannot be compressed into an entry of an index
    storing.send(storing.event("a"), storing.event("a", event_id=long_id), storing.event("a"))
    storing.store_all()
    assert storing.stored == ["e1", "e3"]
    [(_, _, error)] = storing.set_aside
    assert "index row" in error


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


def test_an_event_that_cannot_be_kept_as_json_is_kept_as_text(storing: Storing) -> None:
    nested: Any = "deep"
    for _ in range(400):  # the ingress accepts ten levels; orjson reads 1,024 and writes 254
        nested = [nested]
    storing.send(storing.event("a"))
    [lane] = storing.broker.client.zrange(JOURNAL.ready, 0, -1)
    text = json.dumps(storing.event("a", data={"nested": nested}), default=str)
    storing.broker.client.xadd(JOURNAL.entries + lane.decode(), {"1": text, "t": "5"})
    storing.store_all()
    assert storing.stored == ["e1"]
    [(organization_id, message, _)] = storing.set_aside
    assert (organization_id, message) == (storing.organization_id, text)


def test_why_an_event_was_set_aside_is_in_its_row_and_not_in_the_log(
    storing: Storing, caplog: pytest.LogCaptureFixture
) -> None:
    storing.send(storing.event("a", occurred_at="Café ✓"))
    storing.store_all()
    [(_, _, error)] = storing.set_aside
    assert "Café ✓" in error
    assert "an event was set aside" in caplog.text
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
    monkeypatch.setattr("models.events.storage.reject", fail)
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


def test_what_can_be_neither_stored_nor_set_aside_stays_and_is_not_logged(
    storing: Storing, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_args: Any) -> None:
        raise ValueError("cannot be set aside\nsecret of a customer")

    monkeypatch.setattr("models.events.storage.reject", refuse)
    storing.send(storing.event("a", event_key="no\x00key", data={"very": "private"}))
    bundles = storing.take()
    assert bundles
    storing.persister.store(bundles)
    assert storing.waiting == 1
    assert isinstance(storing.journal.take(), float), "it is tried again after a pause"
    assert "waits in the journal" in caplog.text
    assert "private" not in caplog.text
    assert "secret" not in caplog.text
