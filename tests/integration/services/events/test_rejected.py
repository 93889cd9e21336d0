"""Events that are set aside: looked at, retried through the journal, and dropped."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from redis.exceptions import RedisError

from actors.persist import EventPersister
from config.settings import Settings
from models.cursors import UnreadableCursor
from models.database import execute, transaction
from models.events import rejected_events
from models.organizations import audit_log
from queues.broker import QueueBroker
from queues.lanes import lane_queue as lane_queue_module
from queues.lanes.lane import Lane
from queues.lanes.lane_queue import Bundle, LaneQueue
from services.accounts.audit import Maker
from services.events import entries, records, rejected
from services.events.rejected import NoSuchEvent, Retried
from services.events.set_aside import set_aside
from services.rules.rule_books import RuleBooks
from services.times import utc_now
from tests.support.brokers import NewBroker
from tests.support.world import START, World

MAKER = Maker("ann@acme.com")


class SetAside(World):
    """A world with events that are set aside, and a worker that stores what the journal has."""

    def __init__(self, broker: QueueBroker, name: str) -> None:
        made = World.create(name=name)
        super().__init__(made.organization, START)
        self.broker = broker
        self.journal = LaneQueue.of_events(broker.client)
        self.persister = EventPersister(broker, RuleBooks(), utc_now)

    def message(self, event_id: str, company: str = "acme", **changed: Any) -> dict[str, Any]:
        at = START - timedelta(days=1)
        return {
            "organization_id": self.id,
            "key_id": None,
            "event_id": event_id,
            "event_key": "login",
            "company": {"id": company, "name": company.title()},
            "user": None,
            "data": None,
            "occurred_at": at,
            "received_at": at + timedelta(seconds=1),
        } | changed

    def set_aside(
        self, event_id: str, company: str = "acme", reason: str = "DataError: no", **changed: Any
    ) -> int:
        """Set an event aside as it is in the journal, and return the id of its row."""
        content = orjson.dumps(self.message(event_id, company, **changed))
        return self.set_aside_entry(b"1", content, reason=reason)

    def set_aside_entry(self, *fields: bytes, reason: str = "not JSON: no") -> int:
        with transaction():
            set_aside(self.id, fields, reason)
            return rejected_events.latest_id(self.id)

    def retry(self, **filters: Any) -> Retried:
        with transaction():
            return rejected.retry(self.id, filters, self.journal, maker=MAKER, at=START)

    def drop(self, **filters: Any) -> int:
        with transaction():
            return rejected.drop(self.id, filters, maker=MAKER, at=START)

    def ids(self, **filters: Any) -> list[int]:
        with transaction():
            return [event.id for event in rejected_events.read_page(self.id, filters, limit=50)[0]]

    def waiting(self) -> dict[Lane, int]:
        return {waiting.lane: waiting.entries for waiting in self.journal.waiting()}

    def store_waiting(self) -> None:
        while isinstance(bundles := self.journal.take(), list):
            taken: list[Bundle] = bundles
            self.persister.store(taken)

    def stored(self) -> list[tuple[str, Any, Any]]:
        rows = self.rows(
            "select event_id, occurred_at, received_at from events"
            " where organization_id = %(id)s order by event_id"
        )
        return [(row["event_id"], row["occurred_at"], row["received_at"]) for row in rows]

    def audited(self) -> list[tuple[str, str, str, dict[str, Any]]]:
        with transaction():
            entries = audit_log.read_page(self.id, limit=10)
        return [(e.made_by, e.action, e.subject, dict(e.detail)) for e in entries]


@pytest.fixture
def acme(settings: Settings, new_broker: NewBroker, monkeypatch: pytest.MonkeyPatch) -> SetAside:
    del settings  # the database
    monkeypatch.setattr(lane_queue_module, "GATHER_SECONDS", 0.0)
    return SetAside(new_broker(), "acme")


def test_a_retried_event_is_stored_as_it_was_accepted(acme: SetAside) -> None:
    id_ = acme.set_aside("e1")
    assert acme.retry(ids=[id_]) == Retried(1, {}, id_)
    assert acme.ids() == []
    assert acme.waiting() == {Lane.of_company(acme.id, "acme"): 1}
    acme.store_waiting()
    at = START - timedelta(days=1)
    assert acme.stored() == [("e1", at, at + timedelta(seconds=1))]
    assert acme.audited() == [("ann@acme.com", "Events retried", "e1", {"company": "acme"})]


def test_events_of_one_company_are_retried_in_the_order_in_which_they_were_set_aside(
    acme: SetAside,
) -> None:
    for number in range(5):
        acme.set_aside(f"e{number}")
    acme.retry()
    [bundle] = acme.journal.take()  # type: ignore[misc, union-attr]
    contents = orjson.loads(b"[%b]" % bundle.payload)
    assert [content["event_id"] for content in contents] == [f"e{n}" for n in range(5)]
    assert acme.audited()[0][2:] == ("5 events", {"events": "e0, e1, e2, e3, e4"})


def test_after_a_crash_between_journal_and_commit_the_event_counts_once(acme: SetAside) -> None:
    id_ = acme.set_aside("e1")

    @transaction()
    def retry_and_crash() -> None:
        rejected.retry(acme.id, {"ids": [id_]}, acme.journal, maker=MAKER, at=START)
        raise RuntimeError("crash")

    with pytest.raises(RuntimeError, match="crash"):
        retry_and_crash()
    assert acme.ids() == [id_], "the journal and the table have it"
    acme.store_waiting()
    assert len(acme.stored()) == 1
    acme.retry(ids=[id_])
    acme.store_waiting()
    assert len(acme.stored()) == 1
    assert acme.ids() == []


def test_without_redis_nothing_is_changed(acme: SetAside, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = acme.set_aside("e1")

    def fail(*_args: Any) -> None:
        raise RedisError("away")

    monkeypatch.setattr(acme.journal, "append", fail)
    with pytest.raises(RedisError):
        acme.retry(ids=[id_])
    assert acme.ids() == [id_]
    assert acme.audited() == []


def test_what_is_refused_again_is_set_aside_again_with_the_new_reason(acme: SetAside) -> None:
    id_ = acme.set_aside("e1", reason="DataError: the old reason")
    with transaction():
        execute("alter table events add constraint no_logins check (event_key <> 'login')")
    acme.retry(ids=[id_])
    acme.store_waiting()
    [again] = acme.ids()
    assert again > id_
    with transaction():
        entry = rejected_events.find(acme.id, again)
        execute("alter table events drop constraint no_logins")
    assert entry is not None
    assert "no_logins" in entry.event.error
    assert entries.accepted_at(entry.fields) is not None
    acme.retry(ids=[again])
    acme.store_waiting()
    assert [event_id for event_id, *_ in acme.stored()] == ["e1"]


@pytest.mark.parametrize(
    ("fields", "advice"),
    [
        ((b"2", b"{}"), "its format, `2`, is not known to this release. Upgrade Brazebee"),
        ((b"\xff", b"{}"), "its format, `\\xff`, is not known"),
        ((b"1", b"garbage"), "not an event as this release knows them (not JSON: "),
        ((b"1", b'{"event_id": "e"}'), "(KeyError: 'company'). Drop it"),
        ((b"1", b"null"), "(TypeError: "),
    ],
)
def test_what_this_release_cannot_read_stays_and_its_neighbours_are_retried(
    acme: SetAside, fields: tuple[bytes, ...], advice: str
) -> None:
    unreadable, _ = acme.set_aside_entry(*fields), acme.set_aside("e1")
    result = acme.retry()
    assert result.events == 1
    assert list(result.unreadable) == [unreadable]
    assert advice in result.unreadable[unreadable]
    assert acme.ids() == [unreadable]


def test_what_a_newer_release_can_read_is_retried_there(
    acme: SetAside, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = acme.set_aside_entry(b"2", orjson.dumps(acme.message("e1")), b"t", b"5")
    assert acme.retry(ids=[id_]).events == 0
    for module in (lane_queue_module, records):
        monkeypatch.setattr(module, "FORMAT", "2")
    monkeypatch.setattr(LaneQueue.append, "__defaults__", ("2",))
    assert acme.retry(ids=[id_]).events == 1
    acme.store_waiting()
    assert [event_id for event_id, *_ in acme.stored()] == ["e1"]


def test_an_event_that_names_another_organization_is_not_stored_there(
    acme: SetAside, new_broker: NewBroker
) -> None:
    other = SetAside(new_broker(), "other")
    id_ = acme.set_aside("e1", organization_id=other.id)
    assert "names another organization" in acme.retry(ids=[id_]).unreadable[id_]
    assert acme.waiting() == {}


def test_events_of_other_organizations_can_be_neither_seen_nor_changed(
    acme: SetAside, new_broker: NewBroker
) -> None:
    other = SetAside(new_broker(), "other")
    id_ = other.set_aside("e1")
    assert acme.ids() == []
    with transaction():
        assert rejected_events.find(acme.id, id_) is None
    for change in (acme.retry, acme.drop):
        with pytest.raises(NoSuchEvent):
            change(ids=[id_])
        change()
    assert other.ids() == [id_]
    assert acme.waiting() == {}
    assert acme.audited() == []


def test_if_one_of_the_ids_is_not_set_aside_none_is_changed(acme: SetAside) -> None:
    id_ = acme.set_aside("e1")
    for change in (acme.retry, acme.drop):
        with pytest.raises(NoSuchEvent) as raised:
            change(ids=[id_, id_ + 1, 2**62])
        assert raised.value.ids == [id_ + 1, 2**62]
    assert acme.ids() == [id_]
    assert acme.waiting() == {}


def test_filters_choose_what_is_listed_counted_retried_and_dropped(acme: SetAside) -> None:
    old = acme.set_aside("old")
    with transaction():
        execute("update rejected_events set rejected_at = now() - interval '1 day'")
    bolt = acme.set_aside("b", "bolt", reason="IntegrityError: 50% of X")
    newest = acme.set_aside("n", reason="integrityerror: y")
    unread = acme.set_aside_entry(b"1", b"garbage")
    assert acme.ids() == [unread, newest, bolt, old]
    assert acme.ids(company="bolt") == [bolt]
    assert acme.ids(reason="IntegrityError") == [newest, bolt]
    assert acme.ids(reason="50%") == [bolt]
    assert acme.ids(since=utc_now() - timedelta(hours=1)) == [unread, newest, bolt]
    assert acme.ids(until_id=bolt, company=None) == [bolt, old]
    with transaction():
        assert rejected_events.count(acme.id, {"reason": "integrity"}) == 2
        assert rejected_events.count(acme.id, {}, most=3) == 3
    assert acme.retry(reason="integrity", company="bolt").events == 1
    assert acme.drop(since=utc_now() - timedelta(hours=1), until_id=newest) == 1
    assert acme.ids() == [unread, old]


def test_pages_follow_one_another(acme: SetAside) -> None:
    ids = [acme.set_aside(f"e{n}") for n in range(5)][::-1]
    seen, cursor = [], None
    for _ in range(3):
        with transaction():
            page, cursor = rejected_events.read_page(acme.id, {}, after=cursor, limit=2)
        seen.append([event.id for event in page])
    assert seen == [ids[:2], ids[2:4], ids[4:]]
    assert cursor is None
    with transaction(), pytest.raises(UnreadableCursor):
        rejected_events.read_page(acme.id, {}, after="x", limit=2)


def test_all_are_retried_in_several_transactions_and_what_is_refused_again_only_once(
    acme: SetAside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejected, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(rejected, "_APPENDED_AT_ONCE", 1)
    unreadable = acme.set_aside_entry(b"2", b"")
    for number in range(4):
        acme.set_aside(f"e{number}")
    results = []
    for result in rejected.retry_all(acme.id, {}, acme.journal, maker=MAKER, at=START):
        results.append((result.events, list(result.unreadable)))
        acme.set_aside("refused again")
    assert results == [(1, [unreadable]), (2, []), (1, []), (0, [])]
    assert len(acme.ids()) == 5, "those that were set aside meanwhile, and the unreadable one"


def test_dropping_writes_the_audit_log(acme: SetAside) -> None:
    one, unreadable = acme.set_aside("e1"), acme.set_aside_entry(b"1", b"\xff")
    assert acme.drop(ids=[one]) == 1
    assert acme.drop(ids=[unreadable]) == 1
    for number in range(30):
        acme.set_aside(f"e{number:02}")
    assert acme.drop() == 30
    assert acme.drop() == 0
    many, second, first = acme.audited()
    assert first == ("ann@acme.com", "Events dropped", "e1", {"company": "acme"})
    assert second[2:] == (f"entry {unreadable}", {"company": "unknown"})
    assert many[2] == "30 events"
    assert many[3]["events"].endswith("e18, e19 and 10 more")


def test_ids_that_cannot_be_stored_or_are_none_are_left_out(acme: SetAside) -> None:
    for content in (
        orjson.dumps({"event_id": "a\x00b", "company": {"id": "x" * 2_000}}),
        orjson.dumps({"event_id": 5, "company": "acme"}),
        b"[]",
    ):
        acme.set_aside_entry(b"1", content, reason="a\x00b")
    with transaction():
        page, _ = rejected_events.read_page(acme.id, {}, limit=9)
    assert [(event.company, event.event_id, event.error) for event in page] == 3 * [
        (None, None, "a\\x00b")
    ]
