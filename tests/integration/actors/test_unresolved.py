"""Records of users whose company the sender did not name, from the journal to the row."""

import threading
from datetime import timedelta
from typing import Any

import orjson
import pytest

from actors import persist as persist_module
from actors.persist import EventPersister
from models.companies import users
from models.database import database, query, transaction
from models.events import waiting_records
from models.events.waiting_records import WaitingRecord, WaitingUser
from models.locks import AdvisoryLock, share_for_organization
from queues.lanes import lane_queue as lane_queue_module
from queues.lanes.keys import JOURNAL
from queues.lanes.lane import Lane
from services.accounts.audit import COMMAND_LINE, Maker
from services.events import rejected, waiting
from services.events.waiting_upkeep import WaitingUpkeep
from services.rules.rule_books import RuleBooks
from services.times import utc_now
from tests.support.storing import Locking, Storing

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_queue_module, "GATHER_SECONDS", 0.0)
    for module in (lane_queue_module, persist_module):
        monkeypatch.setattr(module, "HELD_PAUSE_SECONDS", 0.2)


def unresolved(storing: Storing, user: str, /, **changes: Any) -> dict[str, Any]:
    return storing.event("") | {"company": None, "user": {"id": user}, **changes}


def update(
    storing: Storing, company: str | None, user: dict[str, Any] | None, **changes: Any
) -> dict[str, Any]:
    of_company = None if company is None else {"id": company}
    event = storing.event("", event_key=None, event_id=None, **changes)
    return event | {"company": of_company, "user": user}


def events(storing: Storing) -> list[tuple[str, str, str | None]]:
    with transaction():
        rows = query(
            "select event_id, c.external_id as company, u.external_id as user from events e"
            " join companies c on c.id = e.company_id left join users u on u.id = e.user_id"
            " where e.organization_id = %(id)s order by 1",
            {"id": storing.organization_id},
        )
    return [tuple(row.values()) for row in rows]


def waiting_of(storing: Storing) -> list[WaitingRecord]:
    with transaction():
        return waiting_records.read_page(storing.organization_id)[0]


def look(storing: Storing, now: Any) -> None:
    with database.connection_context():
        WaitingUpkeep(storing.journal).look(now)


def test_a_record_that_names_no_company_has_a_lane_of_its_own(storing: Storing) -> None:
    storing.send(unresolved(storing, "ann"), storing.event("a"))
    lanes = {each.lane for each in storing.journal.waiting()}
    assert lanes == {
        Lane(storing.organization_id, 4),
        Lane.of_company(storing.organization_id, "a"),
    }


def test_it_is_stored_with_the_company_of_its_user(storing: Storing) -> None:
    storing.send(storing.event("a", user={"id": "ann"}))
    storing.store_all()
    storing.send(
        unresolved(storing, "ann", user={"id": "ann", "email": "ann@a.example"}),
        update(storing, None, {"id": "ann", "name": "Ann"}),
    )
    storing.store_all()
    assert events(storing) == [("e1", "a", "ann"), ("e2", "a", "ann")]
    with transaction():
        [row] = query("select email, name from users")
    assert tuple(row.values()) == ("ann@a.example", "Ann")
    assert waiting_of(storing) == []


def test_it_waits_until_a_record_names_the_user_with_a_company(storing: Storing) -> None:
    now = utc_now()
    storing.send(
        unresolved(storing, "ann", occurred_at=now - 2 * MINUTE, received_at=now),
        unresolved(storing, "ben"),
        update(storing, None, {"id": "ann", "name": "Ann"}),
    )
    storing.store_all()
    assert events(storing) == []
    found = waiting_of(storing)
    assert [(each.user, each.event_key, each.event_id) for each in found] == [
        ("ann", None, None), ("ben", "login", "e2"), ("ann", "login", "e1")
    ]  # fmt: skip
    with transaction():
        assert waiting_records.count(storing.organization_id) == 3
        [ann, ben] = waiting_records.list_users(storing.organization_id, limit=9)
    assert ann == WaitingUser("ann", 2, found[2].since, ("login",))
    assert ben == WaitingUser("ben", 1, found[1].since, ("login",))

    storing.send(update(storing, "a", {"id": "ann"}))
    storing.store_all()
    assert events(storing) == [("e1", "a", "ann")]
    with transaction():
        [row] = query("select occurred_at, received_at from events")
        [user] = users.read_page(storing.organization_id, _company_id(storing, "a"))[0]
    assert row["occurred_at"] == now - 2 * MINUTE
    assert row["received_at"] > found[2].since, "it is received with what releases it"
    assert (user.name, user.last_event_at) == ("Ann", now - 2 * MINUTE)
    assert [each.user for each in waiting_of(storing)] == ["ben"]


def _company_id(storing: Storing, company: str) -> int:
    rows = query(
        "select id from companies where organization_id = %(id)s and external_id = %(company)s",
        {"id": storing.organization_id, "company": company},
    )
    company_id: int = rows[0]["id"]
    return company_id


def test_an_event_of_the_user_with_a_company_releases_too(storing: Storing) -> None:
    storing.send(unresolved(storing, "ann"))
    storing.store_all()
    storing.send(storing.event("a", user={"id": "ann"}))
    storing.store_all()
    assert events(storing) == [("e1", "a", "ann"), ("e2", "a", "ann")]


def test_a_repeated_event_waits_once_and_is_stored_once(storing: Storing) -> None:
    entry = unresolved(storing, "ann")
    storing.send(entry)
    storing.store_all()
    storing.send(entry, entry)
    storing.store_all()
    assert len(waiting_of(storing)) == 1
    storing.send(update(storing, "a", {"id": "ann"}), entry)
    storing.store_all()
    storing.send(entry)
    storing.store_all()
    assert events(storing) == [("e1", "a", "ann")]


def test_a_bundle_with_both_lanes_needs_no_waiting(storing: Storing) -> None:
    storing.send(unresolved(storing, "ann"), update(storing, "a", {"id": "ann"}))
    bundles = storing.take()
    assert len(bundles) == 2
    storing.persister.store(bundles)
    assert events(storing) == [("e1", "a", "ann")]


def test_beyond_the_bounds_records_are_set_aside_with_advice_and_can_be_retried(
    storing: Storing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOST_OF_USER", 2)
    monkeypatch.setattr(waiting, "MOST_OF_ORGANIZATION", 3)
    storing.send(*(unresolved(storing, user) for user in ("ann", "ann", "ann", "ben", "eve")))
    storing.store_all()
    assert [each.event_id for each in waiting_of(storing)] == ["e4", "e2", "e1"]
    reasons = [entry.event.error for entry in storing.set_aside]
    assert [reason.partition(".")[0] for reason in reasons] == [
        "The company of user 'ann' is not known, and 2 records of this user wait already",
        "The company of user 'eve' is not known, and 3 records wait already",
    ]
    assert all("then retry this one" in reason for reason in reasons)

    storing.send(*(update(storing, "a", {"id": user}) for user in ("ann", "ben", "eve")))
    storing.store_all()
    retry(storing)
    storing.store_all()
    assert [event for event, _, _ in events(storing)] == ["e1", "e2", "e3", "e4", "e5"]


def retry(storing: Storing) -> None:
    maker = Maker(COMMAND_LINE)
    with transaction():
        result = rejected.retry(
            storing.organization_id, {}, storing.journal, maker=maker, at=utc_now()
        )
    assert not result.unreadable


def test_after_a_week_records_are_set_aside(storing: Storing) -> None:
    storing.send(unresolved(storing, "ann"))
    storing.store_all()
    look(storing, utc_now() + waiting.LONGEST - MINUTE)
    assert len(waiting_of(storing)) == 1
    look(storing, utc_now() + waiting.LONGEST + MINUTE)
    assert waiting_of(storing) == []
    [entry] = storing.set_aside
    assert entry.event.event_id == "e1"
    assert "it has waited for 7 days" in entry.event.error

    storing.send(update(storing, "a", {"id": "ann"}))
    storing.store_all()
    retry(storing)
    storing.store_all()
    assert events(storing) == [("e1", "a", "ann")]


def test_what_the_release_before_does_not_release_returns_to_the_journal(storing: Storing) -> None:
    storing.send(unresolved(storing, "ann"), storing.event("a"))
    storing.store_all()
    with transaction():  # as the release before does
        query(
            "insert into users (organization_id, external_id, company_id, company_at,"
            " first_seen_at) values (%(id)s, 'ann', %(company)s, now(), now()) returning id",
            {"id": storing.organization_id, "company": _company_id(storing, "a")},
        )
    look(storing, utc_now())
    storing.store_all()
    assert ("e1", "a", "ann") in events(storing)
    assert waiting_of(storing) == []


def test_a_company_whose_row_is_locked_gets_its_unresolved_records_too(
    storing: Storing, lock_company: Locking
) -> None:
    storing.send(storing.event("a", user={"id": "ann"}), storing.event("b", user={"id": "ben"}))
    storing.store_all()
    with lock_company("a"):
        storing.send(unresolved(storing, "ann"), unresolved(storing, "ben"))
        storing.store_ready()
        assert [event for event, _, _ in events(storing)] == ["e1", "e2", "e4"]
        [held] = [each.lane for each in storing.journal.waiting()]
        assert held == Lane.of_company(storing.organization_id, "a")._replace(company="a")

        storing.send(unresolved(storing, "ann"))  # now that the company is known to be held
        storing.store_ready()
        assert storing.waiting == 2
    storing.store_all()
    assert len(events(storing)) == 5
    storing.store_ready()
    assert storing.broker.client.keys(f"{JOURNAL.held}*") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"user": None},
        {"user": {"name": "no id"}},
        {"user": {"id": 7}},
        {"event_id": 7},
        {"data": []},
        {"key_id": "k"},
    ],
)
def test_a_record_of_other_types_is_set_aside(storing: Storing, changes: dict[str, Any]) -> None:
    storing.send(unresolved(storing, "ann", **changes), storing.event("a"))
    storing.store_all()
    assert len(storing.set_aside) == 1
    assert storing.stored == ["e2"]


@pytest.mark.parametrize(
    "changes", [{"company": {"name": "no id"}}, {"company": {"id": "a", "name": None}}]
)
def test_an_update_of_other_types_is_set_aside(storing: Storing, changes: dict[str, Any]) -> None:
    storing.send(storing.event("a") | {"company": {"id": "a"}})
    client, lane = storing.broker.client, f"{storing.organization_id}:0"
    entry = orjson.dumps(update(storing, "a", None) | changes)
    client.xadd(JOURNAL.entries + lane, {"1": entry, "t": 1})
    client.zadd(JOURNAL.ready, {lane: 0}, nx=True)
    storing.store_all()
    assert len(storing.set_aside) == 1
    assert storing.stored == ["e1"]


# Two workers at once


@pytest.fixture
def second(storing: Storing) -> EventPersister:
    return EventPersister(storing.broker, RuleBooks(), utc_now)


def test_no_record_waits_for_a_user_whose_company_is_stored(
    storing: Storing, second: EventPersister
) -> None:
    """The lane of the company and that of unresolved records are stored at the same time."""
    rounds = 25
    for number in range(rounds):
        user = f"u{number}"
        storing.send(update(storing, "a", {"id": user}))
        [of_company] = storing.take()
        storing.send(unresolved(storing, user))
        [of_user] = storing.take()
        start = threading.Barrier(2)

        def store(persister: EventPersister, bundle: Any, start: threading.Barrier = start) -> None:
            start.wait()
            persister.store([bundle])

        threads = [
            threading.Thread(target=store, args=(storing.persister, of_company)),
            threading.Thread(target=store, args=(second, of_user)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        storing.store_ready()  # what was postponed
    storing.store_all()
    assert len(events(storing)) == rounds
    assert waiting_of(storing) == []


def test_letting_a_record_wait_waits_for_whoever_adds_users(storing: Storing) -> None:
    """Otherwise neither would see what the other writes."""
    storing.send(unresolved(storing, "ann"))
    bundles = storing.take()
    added, may_commit = threading.Event(), threading.Event()

    def add_user() -> None:
        with transaction():
            share_for_organization(AdvisoryLock.NEW_USERS, storing.organization_id)
            added.set()
            may_commit.wait()

    adding = threading.Thread(target=add_user)
    adding.start()
    added.wait()
    storing_thread = threading.Thread(target=storing.persister.store, args=(bundles,))
    storing_thread.start()
    storing_thread.join(0.2)
    assert storing_thread.is_alive() or storing.waiting == 1
    assert waiting_of(storing) == []
    may_commit.set()
    adding.join()
    storing_thread.join()
    storing.store_all()
    assert len(waiting_of(storing)) == 1
