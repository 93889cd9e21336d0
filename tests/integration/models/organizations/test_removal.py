"""Deleting an organization deletes all of its rows and none of another organization."""

from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from uuid import uuid4

import pytest
import redis
from click.testing import CliRunner
from cryptography.fernet import Fernet
from peewee import ProgrammingError

from cli.main import main
from config.settings import Settings
from demo.customers.delivery_log import deliver_history, subscribe
from demo.customers.generate import GenerationTask, generate
from demo.customers.organization import YEAR, create_organization
from models.companies import companies
from models.companies.company_notes import NewNote
from models.database import execute, query, transaction
from models.events import hourly_counts, waiting_records
from models.events.waiting_records import NewWaitingRecord
from models.health import flag_overrides, forecasts
from models.health.flag_overrides import NewOverride
from models.health.work_items import item_changes
from models.health.work_items.item_changes import ItemChange
from models.keys import api_keys
from models.notifications import destinations, outbox
from models.notifications.outbox import MessageKey, NewMessage, NotedChange
from models.organizations import audit_log, organizations, removal
from models.organizations.organizations import Organization
from models.outcomes import backtests, outcomes
from models.outcomes.backtests import NewBacktest
from models.outcomes.outcomes import NewOutcome, OutcomeKind
from models.people import memberships, people, saved_views
from models.portfolio import stale_companies
from queues.refused.requests import RefusedRequests
from queues.refused.unknown_event_keys import UnknownKeys
from services.events.set_aside import set_aside
from services.forecasts import refreshing
from services.insights.questions import Adoption, write_question
from services.notes import writing
from services.outcomes import runs
from services.rules.rule_books import RuleBooks
from services.totals import refresh
from tests.support.in_transactions import compute_answer
from tests.support.ingress.refusals import note_unknown_keys

OF_NO_ORGANIZATION = {
    "organizations",
    "people",
    "schema_migrations",
    "sessions",
    "unreadable_messages",
}
"""People and their sessions may belong to several organizations, and outlive each; nobody knows
the organization of an unreadable message."""

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)

KEY = Fernet.generate_key().decode()


def create_with_rows(name: str, settings: Settings) -> Organization:
    """Create an organization with rows in every table."""
    organization = create_organization(name, NOW)
    with transaction():
        api_keys.create(organization.id, "a key")
        set_aside(organization.id, [b"1", b"no event"], "unreadable")
        waiting_records.add(
            organization.id, [NewWaitingRecord("u", "login", "e", NOW, NOW, [b"1", b"{}"])]
        )
        subscribed = subscribe(organization.id, NOW - YEAR, settings.secret_keys)
    generate(GenerationTask(organization.id, 3, range(2), NOW))
    for endpoint_id, receiver in subscribed:
        deliver_history(
            organization.id, endpoint_id, receiver, NOW, policy=settings.webhooks, chance=Random(1)
        )
    add_rows_of_people_and_workers(organization)
    return organization


def add_rows_of_people_and_workers(organization: Organization) -> None:
    """Add the rows that do not come from events."""
    o = organization.id
    with transaction():
        person = people.create(f"ann@{organization.name}.com", "Ann", None)
        memberships.add(o, person.id, "editor")
        company_id = companies.list_ids(o)[0]
        saved_views.add(o, person.id, "Mine", "status=Critical", shared=False)
        writing.add(NewNote(o, company_id, person.id, NOW, f"Call them, @{person.email}."))
        flag_overrides.add(
            NewOverride(o, company_id, "Any", None, "why", "ann", "ann", NOW, NOW + YEAR)
        )
        change = {"person_id": person.id, "made_by": "ann", "at": NOW, "action": "Done"}
        audit_log.add(o, audit_log.Change(**change, subject="it", detail={}))
        outcomes.enter(o, [NewOutcome(company_id, OutcomeKind.LEFT, NOW.date())], "ann", NOW)
        [item] = query(
            "select id, company_id from work_items where organization_id = %(id)s limit 1",
            {"id": o},
        )
        item_changes.add(
            [ItemChange(o, item["id"], item["company_id"], NOW, person.id, "ann", "note")]
        )
        backtests.add(o, NewBacktest("", 1, NOW - YEAR, NOW, 90, 1, 1, "ann", NOW))
        forecasts.ask(o, NOW)
        add_notifications(o, company_id)
    runs.refresh(RuleBooks())
    refreshing.refresh(o, RuleBooks(), lambda: NOW)
    question = write_question(Adoption("login"))
    compute_answer(o, question, NOW)
    record_arrival(organization)
    refresh(NOW, RuleBooks())


def add_notifications(organization_id: int, company_id: int) -> None:
    """Add a destination, and an open message to it about a change."""
    destinations.add(organization_id, "slack", "cs", "https://a.example", secret_keys=[KEY], at=NOW)
    key = MessageKey("slack", "cs", to_owner=False, schedule="at once", rules_version=None)
    outbox.open_missing(organization_id, [NewMessage(key, None, NOW, NOW, NOW)])
    message_id = outbox.lock_open(organization_id, [key])[key]
    change = NotedChange(message_id, uuid4(), company_id, NOW, "Healthy", "At Risk", [])
    outbox.add_changes(organization_id, [change])


def record_arrival(organization: Organization) -> None:
    """Record the arrival of an event, not yet merged into the counts, and a company to count."""
    with transaction():
        hourly_counts.record_arrivals([CountedEvent(organization.id, "login", NOW)])
        stale_companies.count_all(organization.id)
        stale_companies.mark_all_days(organization.id, [companies.list_ids(organization.id)[0]])


@dataclass(frozen=True)
class CountedEvent:
    """An event with only the fields that are counted."""

    organization_id: int
    event_key: str
    occurred_at: datetime


def counts(organization_id: int) -> dict[str, int]:
    with transaction():
        return removal.count_rows(organization_id)


def tables_of_organizations() -> set[str]:
    with transaction():
        return {
            row["table_name"]
            for row in query(
                "select c.table_name from information_schema.columns c"
                " join information_schema.tables t using (table_schema, table_name)"
                " where t.table_schema = 'public' and t.table_type = 'BASE TABLE'"
                " and c.column_name = 'organization_id'"
            )
        }


def test_every_row_of_a_deleted_organization_is_gone_and_every_other_row_remains(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "CHUNK", 100)
    doomed, other = create_with_rows("doomed", settings), create_with_rows("other", settings)
    record_arrival(doomed)
    record_arrival(other)
    kept, gone = counts(other.id), counts(doomed.id)
    assert set(kept) == tables_of_organizations()
    assert [table for table, number in gone.items() if not number] == []
    deleted = sum(removal.remove(doomed.id))
    assert deleted == sum(gone.values()) + 1 - gone["api_keys"]
    assert set(counts(doomed.id).values()) == {0}
    assert counts(other.id) == kept
    with transaction():
        assert [organization.name for organization in organizations.list_all()] == ["other"]


def test_every_other_table_belongs_to_no_organization(settings: Settings) -> None:
    with transaction():
        rows = query("select tablename from pg_tables where schemaname = 'public'")
    assert {row["tablename"] for row in rows} - tables_of_organizations() == OF_NO_ORGANIZATION


def test_an_answer_for_a_deleted_organization_is_not_stored(settings: Settings) -> None:
    doomed = create_with_rows("doomed", settings)
    list(removal.remove(doomed.id))
    compute_answer(doomed.id, write_question(Adoption("login")), NOW)
    refresh(NOW, RuleBooks())
    assert set(counts(doomed.id).values()) == {0}


def test_a_table_that_is_added_later_is_emptied_too(settings: Settings) -> None:
    doomed = create_with_rows("doomed", settings)
    with transaction():
        execute(
            "create table notes_of_a_test (organization_id bigint not null references"
            " organizations, company_id bigint not null,"
            " foreign key (organization_id, company_id) references companies)"
        )
    try:
        with transaction():
            execute(
                "insert into notes_of_a_test select organization_id, id from companies"
                " where organization_id = %(id)s",
                {"id": doomed.id},
            )
        list(removal.remove(doomed.id))
        assert set(counts(doomed.id).values()) == {0}
    finally:
        with transaction():
            execute("drop table notes_of_a_test")


def test_rows_that_a_worker_writes_during_the_removal_are_deleted_too(settings: Settings) -> None:
    doomed = create_with_rows("doomed", settings)
    removing = removal.remove(doomed.id)
    written = 0
    for _ in removing:
        with transaction():
            remaining = query("select id from companies where organization_id = %(id)s limit 1",
                         {"id": doomed.id})  # fmt: skip
            if remaining and written < 2:
                written += 1
                execute(
                    "insert into flag_states (organization_id, company_id, flag, changed_at)"
                    " values (%(id)s, %(company)s, 'late', now())"
                    " on conflict do nothing",
                    {"id": doomed.id, "company": remaining[0]["id"]},
                )
    assert written
    assert set(counts(doomed.id).values()) == {0}


def test_after_the_first_chunk_its_api_keys_are_invalid_and_nothing_is_sent(
    settings: Settings,
) -> None:
    doomed = create_with_rows("doomed", settings)
    with transaction():
        execute(
            "update deliveries set state = 'waiting', next_attempt_at = now()"
            " where organization_id = %(id)s",
            {"id": doomed.id},
        )
    removing = removal.remove(doomed.id)
    next(removing)
    with transaction():
        assert api_keys.list_for_organization(doomed.id) == []
        assert not query("select 1 from deliveries where state = 'waiting'")
    removing.close()
    list(removal.remove(doomed.id))  # another call continues an interrupted one
    with transaction():
        assert organizations.list_all() == []


def test_a_failed_savepoint_undoes_only_its_own_changes(settings: Settings) -> None:
    with transaction():
        organizations.create("first")
        with pytest.raises(ProgrammingError):
            _fail_within_a_transaction()
        with transaction():
            organizations.create("third")
    with transaction():
        assert [organization.name for organization in organizations.list_all()] == [
            "first",
            "third",
        ]


def _fail_within_a_transaction() -> None:
    with transaction():
        organizations.create("second")
        query("select nothing from nowhere")


@pytest.mark.parametrize(
    "command_line", [("org", "delete", "doomed"), ("demo-data", "--remove", "--org", "doomed")]
)
def test_the_commands_leave_nothing_in_postgresql_or_redis(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, command_line: tuple[str, ...]
) -> None:
    doomed = create_with_rows("doomed", settings)
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REDIS_URL", settings.redis_url)
    with redis.Redis.from_url(settings.redis_url) as client:
        keys = UnknownKeys(client)
        requests = RefusedRequests(client)
        for organization_id in (doomed.id, doomed.id + 1):
            note_unknown_keys(client, organization_id, {"signup": 1}, NOW)
        result = CliRunner().invoke(main, [*command_line, "--yes"])
        assert result.exit_code == 0, result.output
        assert not keys.of_organization(doomed.id, NOW)
        assert keys.of_organization(doomed.id + 1, NOW)
        assert [requests.count(doomed.id), requests.count(doomed.id + 1)] == [0, 1]
    assert set(counts(doomed.id).values()) == {0}
    with transaction():
        assert organizations.list_all() == []


def test_without_redis_an_organization_is_deleted_and_the_rest_is_reported(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    with transaction():
        organizations.create("doomed")
    result = CliRunner().invoke(main, ["org", "delete", "doomed", "--yes"])
    assert result.exit_code == 0, result.output
    assert "Redis keeps its refused requests for another 7 days, their event keys" in result.stderr
    with transaction():
        assert organizations.list_all() == []
