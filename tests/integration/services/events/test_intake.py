"""Storing events with their companies and users."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from models.companies import companies
from models.database import UNAVAILABLE, execute, transaction
from models.keys import api_keys
from services.events.intake import IntakeCaches
from services.events.tracked_event import TrackedEvent
from services.rules.rule_books import RuleBooks
from tests.support.in_transactions import store
from tests.support.intake import event, new_organization, rows
from tests.support.world import START, after

pytestmark = pytest.mark.usefixtures("settings")


def test_an_event_is_stored_with_its_company_and_user_and_all_their_fields() -> None:
    organization_id = new_organization()
    sent = event(
        organization_id,
        event_id="e-first",
        company={
            "name": "Acme Corporation",
            "payment_provider": "stripe",
            "payment_provider_id": "cus_abc123",
            "crm_provider": "salesforce",
            "crm_provider_id": "001500000ABCDEFGH",
            "industry": "Technology",
            "employee_count": 150,
            "mrr": 5000.5,
            "trial": False,
            "parent": None,
        },
        user_id="user_456",
        user={
            "email": "john@acme.com",
            "name": "John Doe",
            "feature_flags": ["beta_access", "premium_features"],
            "onboarding": {"completed": True, "steps": 5},
        },
        data={"step": 5, "source": "web"},
        received_at=after(1),
    )

    store([sent], RuleBooks())

    [company] = rows("select * from companies")
    assert company["organization_id"] == organization_id
    assert company["external_id"] == "acme"
    assert company["name"] == "Acme Corporation"
    assert company["payment_provider"] == "stripe"
    assert company["payment_provider_id"] == "cus_abc123"
    assert company["crm_provider"] == "salesforce"
    assert company["crm_provider_id"] == "001500000ABCDEFGH"
    assert company["traits"] == {
        "industry": "Technology",
        "employee_count": 150,
        "mrr": 5000.5,
        "trial": False,
        "parent": None,
    }
    assert company["first_seen_at"] == START
    assert company["health_status"] == "Healthy"
    [user] = rows("select * from users")
    assert (user["external_id"], user["company_id"]) == ("user_456", company["id"])
    assert (user["email"], user["name"]) == ("john@acme.com", "John Doe")
    assert user["traits"] == {
        "feature_flags": ["beta_access", "premium_features"],
        "onboarding": {"completed": True, "steps": 5},
    }
    assert rows("select * from events") == [
        {
            "organization_id": organization_id,
            "event_id": "e-first",
            "company_id": company["id"],
            "user_id": user["id"],
            "event_key": "login",
            "occurred_at": START,
            "received_at": after(1),
            "data": {"step": 5, "source": "web"},
        }
    ]


def test_a_system_event_is_stored_without_a_user() -> None:
    store([event(new_organization(), data=None)], RuleBooks())
    assert rows("select user_id, data from events") == [{"user_id": None, "data": None}]
    assert rows("select id from users") == []


def test_types_of_custom_fields_survive_the_database() -> None:
    sent = {"whole": 1, "part": 1.0, "yes": True, "text": "1", "none": None, "list": [0, False]}
    organization_id = new_organization()
    store([event(organization_id, company={"name": "Acme", **sent})], RuleBooks())
    with transaction():
        company = companies.find(organization_id, "acme")
    assert company is not None
    assert {name: repr(value) for name, value in company.traits.custom.items()} == {
        name: repr(value) for name, value in sent.items()
    }


def test_the_same_message_twice_counts_once() -> None:
    sent = event(new_organization(), event_id="e-first", company={"name": "Acme", "seats": 1})
    later = event(sent.organization_id, 5, company={"name": "Acme", "seats": 2})
    for message in (sent, later, sent, sent):
        store([message], RuleBooks())
    assert len(rows("select 1 from events")) == 2
    assert rows("select traits from companies") == [{"traits": {"seats": 2}}]


def test_the_same_message_twice_in_one_bundle_counts_once() -> None:
    sent = event(new_organization())
    store([sent, sent], RuleBooks())
    assert len(rows("select 1 from events")) == 1


def test_of_two_events_with_the_same_id_in_a_bundle_only_the_first_is_stored() -> None:
    organization_id = new_organization()
    first = event(organization_id, 1, event_id="mine", company={"name": "First"})
    second = event(organization_id, 2, event_id="mine", company={"name": "Second"})
    store([first, second], RuleBooks())
    store([second], RuleBooks())
    assert rows("select name from companies") == [{"name": "First"}]
    assert rows("select occurred_at from events") == [{"occurred_at": after(1)}]


def test_the_same_message_in_four_workers_at_once_counts_once() -> None:
    sent = event(new_organization(), user_id="u1", user={"name": "John"})
    start = threading.Barrier(4)

    def work() -> None:
        start.wait(5)
        store([sent], RuleBooks())

    with ThreadPoolExecutor(4) as workers:
        for future in [workers.submit(work) for _ in range(4)]:
            future.result()
    for table in ("events", "companies", "users"):
        assert len(rows(f"select 1 from {table}")) == 1


def test_a_late_event_fills_gaps_and_overwrites_no_newer_field() -> None:
    organization_id = new_organization()
    newer = event(
        organization_id,
        60,
        company={"name": "Acme Corporation", "crm_provider": "hubspot", "plan": "Enterprise"},
        user_id="u1",
        user={"email": "new@acme.com", "role": "Admin"},
    )
    late = event(
        organization_id,
        0,
        company={"name": "Acme", "crm_provider": "salesforce", "plan": "Free", "seats": 5},
        user_id="u1",
        user={"email": "old@acme.com", "name": "John", "role": "Guest"},
    )
    store([newer], RuleBooks())
    store([late], RuleBooks())
    assert rows("select name, crm_provider, traits, first_seen_at from companies") == [
        {
            "name": "Acme Corporation",
            "crm_provider": "hubspot",
            "traits": {"plan": "Enterprise", "seats": 5},
            "first_seen_at": START,
        }
    ]
    assert rows("select email, name, traits, first_seen_at from users") == [
        {
            "email": "new@acme.com",
            "name": "John",
            "traits": {"role": "Admin"},
            "first_seen_at": START,
        }
    ]


def test_a_bundle_of_events_is_stored_as_if_they_had_arrived_one_by_one() -> None:
    alone, together = new_organization("alone"), new_organization("together")

    def history(organization_id: int) -> list[TrackedEvent]:
        def company(name: str, **fields: Any) -> dict[str, Any]:
            return {"name": name, **fields}

        return [
            event(organization_id, 3, company=company("C", plan="Pro"), user_id="u1"),
            event(organization_id, 1, company=company("A", seats=1), user_id="u1"),
            event(organization_id, 2, company_id="bolt", company=company("Bolt")),
            event(organization_id, 2, company=company("B", plan="Free"), user_id="u2"),
        ]

    for single in history(alone):
        store([single], RuleBooks())
    store(history(together), RuleBooks())

    def stored(organization_id: int) -> list[list[dict[str, Any]]]:
        where = f"where organization_id = {organization_id} order by"
        return [
            rows(f"select external_id, name, traits, first_seen_at from companies {where} 1"),
            rows(f"select external_id, name, traits, first_seen_at from users {where} 1"),
            rows(f"select event_key, occurred_at from events {where} 2, 1"),
        ]

    assert stored(alone) == stored(together)


def test_organizations_with_the_same_ids_are_kept_apart() -> None:
    first, second = new_organization("first"), new_organization("second")
    same: dict[str, Any] = {"event_id": "e1", "company_id": "acme", "user_id": "u1"}
    ours = event(first, company={"name": "Ours", "plan": "Pro"}, user={"name": "Ann"}, **same)
    theirs = event(second, 9, company={"name": "Theirs", "seats": 7}, user={"name": "Bob"}, **same)
    store([ours], RuleBooks())
    store([theirs, ours], RuleBooks())
    assert rows("select organization_id, name, traits from companies order by 1") == [
        {"organization_id": first, "name": "Ours", "traits": {"plan": "Pro"}},
        {"organization_id": second, "name": "Theirs", "traits": {"seats": 7}},
    ]
    assert rows("select organization_id, name from users order by 1") == [
        {"organization_id": first, "name": "Ann"},
        {"organization_id": second, "name": "Bob"},
    ]
    assert rows(
        "select e.organization_id, e.event_id, c.organization_id as company_of,"
        " u.organization_id as user_of from events e join companies c on c.id = e.company_id"
        " join users u on u.id = e.user_id order by 1"
    ) == [
        {"organization_id": o, "event_id": "e1", "company_of": o, "user_of": o}
        for o in (first, second)
    ]


def test_a_user_belongs_to_the_company_of_their_latest_event() -> None:
    organization_id = new_organization()
    before = event(organization_id, 0, user_id="u1")
    since = event(organization_id, 60, user_id="u1", company_id="bolt", company={"name": "Bolt"})
    for message in (before, since):
        store([message], RuleBooks())
    company_of_user = "select c.external_id from users u join companies c on c.id = u.company_id"
    assert rows(company_of_user) == [{"external_id": "bolt"}]
    store([event(organization_id, 30, user_id="u1")], RuleBooks())
    assert rows(company_of_user) == [{"external_id": "bolt"}], (
        "a late event does not move a user back"
    )


def test_the_use_of_an_api_key_is_recorded() -> None:
    organization_id = new_organization()
    with transaction():
        key = api_keys.create(organization_id, "server")
        holder = api_keys.find_holder(api_keys.digest(key))
    assert holder is not None
    store([event(organization_id, key_id=holder.key_id)], RuleBooks())
    with transaction():
        [used_key] = api_keys.list_for_organization(organization_id)
    assert used_key.last_used_at is not None


def test_a_failure_in_the_middle_stores_nothing() -> None:
    organization_id = new_organization()
    rows("alter table users add constraint fails check (external_id <> 'u1')")
    with pytest.raises(Exception, match="fails"):
        store([event(organization_id), event(organization_id, user_id="u1")], RuleBooks())
    for table in ("events", "companies", "users"):
        assert rows(f"select 1 from {table}") == []


@pytest.mark.parametrize("table", ["companies", "events", "users"])
def test_an_outage_in_the_middle_is_raised_as_an_outage_and_stores_nothing(table: str) -> None:
    sent = event(new_organization(), user_id="u1")
    rows(
        "create function end_connection() returns trigger language plpgsql as $$ begin"
        " perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(5); return new;"
        f" end $$; create trigger ends before insert on {table}"
        " for each row execute function end_connection()"
    )
    with pytest.raises(UNAVAILABLE):
        store([sent], RuleBooks())
    rows(f"drop trigger ends on {table}")
    assert rows("select 1 from companies") == []
    store([sent], RuleBooks())
    assert len(rows("select 1 from events")) == 1


@pytest.mark.parametrize(
    ("table", "condition"), [("companies", "deadlock_detected"), ("events", "disk_full")]
)
def test_an_error_that_a_retry_can_cure_is_raised_as_an_outage_so_that_the_event_waits(
    table: str, condition: str
) -> None:
    sent = event(new_organization())
    rows(
        "create function fail() returns trigger language plpgsql as $$ begin"
        f" raise exception 'not now' using errcode = '{condition}'; end $$;"
        f" create trigger fails before insert on {table} for each row execute function fail()"
    )
    with pytest.raises(UNAVAILABLE):
        store([sent], RuleBooks())


@pytest.mark.parametrize(
    ("user_id", "tables"), [("ann", ["users"]), (None, ["field_changes", "companies"])]
)
def test_a_deleted_company_or_user_is_added_again_by_its_next_event(
    user_id: str | None, tables: list[str]
) -> None:
    organization_id, caches = new_organization(), IntakeCaches()
    for at in (0, 1):  # the second time, ids are read and cached
        store([event(organization_id, at, user_id=user_id)], RuleBooks(), caches)
    with transaction():
        for table in tables:
            execute(f"delete from {table}")
    store([event(organization_id, 5, user_id=user_id)], RuleBooks(), caches)
    assert rows(
        "select c.external_id as company, u.external_id as user from events e"
        " join companies c on c.id = e.company_id left join users u on u.id = e.user_id"
        " order by occurred_at desc limit 1"
    ) == [{"company": "acme", "user": user_id}]
