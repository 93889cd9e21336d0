"""The generated customers have the history that evaluating live events would have recorded."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from config.settings import Settings
from demo.customers.delivery_log import RECEIVERS, Outage, deliver_history, subscribe
from demo.customers.generate import GenerationTask, as_tracked, generate
from demo.customers.history import generate_history
from demo.customers.organization import EDITED_AGO, YEAR, create_organization
from demo.team.notes import UNREAD, write_notes
from models import across_organizations
from models.across_organizations import find_due_companies, find_unsettled_companies
from models.companies import companies, pending_evaluation
from models.database import query, transaction
from models.organizations import organizations, rule_versions
from models.people import memberships, mentions, people
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks
from tests.support.in_transactions import evaluate, store
from tests.support.properties import profile_is_thorough

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
SEED = 7
NUMBERS = range(6 if profile_is_thorough() else 3)
CUSTOMERS = 40 if profile_is_thorough() else 20

pytestmark = pytest.mark.usefixtures("settings")


@pytest.fixture
def demo() -> int:
    """The id of a demo organization with a few customers, with events up to `NOW`."""
    organization = create_organization("demo", NOW)
    for number in NUMBERS:
        generate(GenerationTask(organization.id, SEED, [number], NOW))
    return organization.id


def rows(sql: str, **parameters: Any) -> list[dict[str, Any]]:
    with transaction():
        return query(sql, parameters)


HEALTH = (
    "select external_id, health_status, previous_status, changed_at, recorded_until, score,"
    " sequence, judged_version, unsettled_since from companies"
    " where organization_id = %(id)s order by external_id"
)
FLAGS = (
    "select c.external_id, flag, status, f.changed_at, c.awaiting, moved_at, holding"
    " from flag_states f join companies c on c.id = f.company_id"
    " where f.organization_id = %(id)s order by 1, 2"
)
TRANSITIONS = (
    "select c.external_id, t.sequence, t.at, from_status, to_status, cause, changes, rules_version"
    " from transitions t join companies c on c.id = t.company_id"
    " where t.organization_id = %(id)s order by 1, 2"
)
FIELDS = (
    "select c.external_id, field, at, f.value from field_changes f"
    " join companies c on c.id = f.company_id where f.organization_id = %(id)s order by 1, 2, 3"
)


def test_evaluating_every_company_again_changes_nothing(demo: int) -> None:
    before = [rows(sql, id=demo) for sql in (HEALTH, FLAGS, TRANSITIONS)]
    assert all(before)
    with transaction():
        ids = companies.list_ids(demo)
    rulebooks = RuleBooks()
    for company_id in ids:
        evaluate([company_id], rulebooks, NOW)
    assert [rows(sql, id=demo) for sql in (HEALTH, FLAGS, TRANSITIONS)] == before


def test_evaluating_from_the_first_event_finds_the_same_history(demo: int) -> None:
    before = [rows(sql, id=demo) for sql in (HEALTH, FLAGS, TRANSITIONS)]
    with transaction():
        ids = companies.list_ids(demo)
        query("delete from flag_states where organization_id = %(id)s", {"id": demo})
        query("delete from transitions where organization_id = %(id)s", {"id": demo})
        query(
            "update companies set health_status = 'Healthy', previous_status = null,"
            " changed_at = null, recorded_until = null, sequence = 0, score = null,"
            " unsettled_since = first_seen_at,"
            " judged_version = case when first_seen_at < %(edited)s then 1 else 2 end"
            " where organization_id = %(id)s",
            {"id": demo, "edited": NOW - EDITED_AGO},
        )
    rulebooks = RuleBooks()
    for company_id in ids:
        evaluate([company_id], rulebooks, NOW)
    assert [rows(sql, id=demo) for sql in (HEALTH, FLAGS, TRANSITIONS)] == before


def test_the_clock_finds_nothing_overdue(demo: int) -> None:
    with transaction():
        assert find_due_companies(across_organizations.FLAGS, until=NOW, limit=1) == []
        assert find_due_companies(
            across_organizations.FLAGS, until=NOW + timedelta(days=7), limit=1
        )
        assert find_unsettled_companies(until=NOW, limit=1) == []
        assert pending_evaluation.count_judged_by_older_rules(demo) == 0


def test_the_recorded_history_equals_the_history_of_live_events(demo: int) -> None:
    """Store one event after another, and evaluate flags in between when they become due."""
    number = min(NUMBERS, key=lambda number: len(generate_history(SEED, number, NOW)[1]))
    account, events = generate_history(SEED, number, NOW)
    with transaction():
        former, current = (rule_versions.find(demo, version) for version in (1, 2))
        assert former
        assert current
        lived = organizations.create("lived").id
        apply_rules(lived, former.source, file="r", applied_by="t", now=former.applied_at)
    rulebooks = RuleBooks()

    def pass_time(until: datetime) -> None:
        while due := _due(lived, until):
            evaluate([due[0]], rulebooks, due[1])

    def edit() -> None:
        pass_time(current.applied_at)
        with transaction():
            apply_rules(lived, current.source, file="r", applied_by="t", now=current.applied_at)
            outdated = companies.list_ids(lived)
        for company_id in outdated:
            evaluate([company_id], rulebooks, current.applied_at)

    task, edited = GenerationTask(lived, SEED, [number], NOW), False
    for event in events:
        if event.at > current.applied_at and not edited:
            edit()
            edited = True
        pass_time(event.at)
        for company_id in store([as_tracked(task, account.id, event, Random(1))], rulebooks):
            evaluate([company_id], rulebooks, event.at)
    if not edited:
        edit()
    pass_time(NOW)
    generated = [
        [row for row in rows(sql, id=demo) if row["external_id"] == account.id]
        for sql in (HEALTH, FLAGS, TRANSITIONS, FIELDS)
    ]
    assert generated == [rows(sql, id=lived) for sql in (HEALTH, FLAGS, TRANSITIONS, FIELDS)]
    assert generated[2]


def _due(organization_id: int, until: datetime) -> tuple[int, datetime] | None:
    due = rows(
        "select company_id, due_at from flag_states where organization_id = %(id)s"
        " and due_at <= %(until)s order by due_at limit 1",
        id=organization_id,
        until=until,
    )
    return (due[0]["company_id"], due[0]["due_at"]) if due else None


def test_the_same_seed_generates_the_same_and_another_seed_other_customers(demo: int) -> None:
    again, other = create_organization("again", NOW), create_organization("other", NOW)
    for number in NUMBERS:
        generate(GenerationTask(again.id, SEED, [number], NOW))
        generate(GenerationTask(other.id, SEED + 1, [number], NOW))
    for sql in (HEALTH, FLAGS, TRANSITIONS, FIELDS):
        assert rows(sql, id=again.id) == rows(sql, id=demo)
        assert rows(sql, id=other.id) != rows(sql, id=demo)


def test_administrators_of_the_first_organization_may_view_the_demo() -> None:
    with transaction():
        first, second = organizations.create("first"), organizations.create("second")
        ann, ben = (people.create(f"{name}@a.example", name, None) for name in ("ann", "ben"))
        memberships.add(first.id, ann.id, "administrator")
        memberships.add(first.id, ben.id, "viewer")
        memberships.add(second.id, ben.id, "administrator")
    demo = create_organization("demo", NOW)
    with transaction():
        members = memberships.list_for_organization(demo.id)
    assert [(member.name, member.role) for member in members] == [
        ("ann", "administrator"),
        *((name, "editor") for name in ("Daniel Okafor", "Priya Rao", "Tobias Keller")),
    ]


def test_colleagues_mention_the_administrator_in_notes_that_are_partly_unread() -> None:
    with transaction():
        ann = people.create("ann@a.example", "Ann", None)
        memberships.add(organizations.create("first").id, ann.id, "administrator")
    demo = create_organization("demo", NOW).id
    generate(GenerationTask(demo, SEED, range(8), NOW))
    with transaction():
        write_notes(demo, NOW, Random(SEED))
        received, _ = mentions.read_page(demo, ann.id)
        colleagues = memberships.list_for_organization(demo)[1:]
        others = [mentions.read_page(demo, member.person_id)[0] for member in colleagues]
    assert received
    assert any(others)
    assert all("@ann@a.example" in mention.text for mention in received)
    assert all("{" not in mention.text and mention.at <= NOW for mention in received)
    assert [m.unread for m in received] == [n < UNREAD for n in range(len(received))]


def test_nothing_is_in_the_future(demo: int) -> None:
    [latest] = rows(
        "select (select max(greatest(occurred_at, received_at)) from events) as event,"
        " (select max(greatest(at, recorded_at)) from transitions) as transition"
    )
    assert latest["event"] <= NOW
    assert latest["transition"] <= NOW
    assert NOW - latest["event"] < timedelta(days=1)


def post(settings: Settings, *outages: Outage) -> int:
    """A demo organization with attempted deliveries, and with additional outages."""
    organization = create_organization("posted", NOW)
    with transaction():
        subscribed = subscribe(organization.id, NOW - YEAR, settings.secret_keys)
    generate(GenerationTask(organization.id, SEED, range(CUSTOMERS), NOW))
    for endpoint_id, receiver in subscribed:
        failing = replace(receiver, outages=[*receiver.outages, *outages])
        deliver_history(
            organization.id, endpoint_id, failing, NOW, policy=settings.webhooks, chance=Random(1)
        )
    return organization.id


def test_the_delivery_log_is_complete_and_nothing_is_ever_sent(settings: Settings) -> None:
    posted = post(settings)
    states = rows(
        "select state, count(*) as number from deliveries where organization_id = %(id)s"
        " group by 1",
        id=posted,
    )
    assert {row["state"] for row in states} <= {"delivered", "failed", "paused"}
    assert dict(row.values() for row in states)["delivered"] > 40  # type: ignore[misc]
    with transaction():
        in_a_year = NOW + timedelta(days=365)
        assert across_organizations.find_due_deliveries(until=in_a_year, limit=1) == []
        assert across_organizations.find_due_probes(until=in_a_year, limit=1) == []
    endpoints = rows("select * from webhook_endpoints where organization_id = %(id)s", id=posted)
    assert len(endpoints) == len(RECEIVERS)
    assert all(e["disabled_at"] == NOW and e["created_at"] < NOW for e in endpoints)
    assert all(".example/" in e["url"] for e in endpoints)


@pytest.mark.thorough
def test_failed_deliveries_were_retried_like_live_ones(settings: Settings) -> None:
    posted = post(settings, (timedelta(days=300), timedelta(hours=90), 503))
    log = rows(
        "select d.state, d.attempts, d.tries, d.created_at, d.finished_at, d.transition_id,"
        " array_agg(a.attempt order by a.attempt) as numbers,"
        " array_agg(a.at order by a.attempt) as times,"
        " array_agg(a.error order by a.attempt) as errors"
        " from deliveries d join delivery_attempts a on a.delivery_id = d.id"
        " where d.organization_id = %(id)s group by d.organization_id, d.id",
        id=posted,
    )
    for delivery in log:
        assert delivery["numbers"] == list(range(1, delivery["tries"] + 1))
        assert delivery["times"] == sorted(delivery["times"])
        assert delivery["created_at"] <= delivery["times"][0]
        assert delivery["times"][-1] <= NOW
        assert (delivery["errors"][-1] is None) == (delivery["state"] == "delivered")
        assert all(error for error in delivery["errors"][:-1])
    retried = [delivery for delivery in log if delivery["tries"] > 1]
    assert retried
    assert all(
        timedelta(seconds=4) <= delivery["times"][1] - delivery["times"][0] for delivery in retried
    )
    assert max(delivery["tries"] for delivery in log) > 5  # some were probes
    assert {delivery["state"] for delivery in log if delivery["transition_id"]} == {"delivered"}
    tests = [delivery for delivery in log if delivery["transition_id"] is None]
    assert {delivery["state"] for delivery in tests} == {"delivered", "failed"}
