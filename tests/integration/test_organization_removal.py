"""An organization is deleted with all that is its own, and with nothing of any other."""

from datetime import UTC, datetime
from random import Random

import pytest
from peewee import ProgrammingError

from cli.demo_data import command
from cli.demo_data.delivering import deliver_past, subscribe
from cli.demo_data.making import Task, make
from config.settings import Settings
from models import api_keys, events, organizations, removal
from models.database import execute, query, transaction
from models.organizations import Organization

FILLED_BY_OTHERS = {
    "audit_log", "company_notes", "event_counts", "event_weeks", "flag_overrides", "insights",
    "memberships", "saved_views",
}  # fmt: skip
"""Tables that the dashboard and its workers write to."""

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)


def made(name: str, settings: Settings) -> Organization:
    """An organization with rows in every table."""
    organization = command.found(name, NOW)
    with transaction():
        api_keys.create(organization.id, "a key")
        events.reject(organization.id, {"no": "event"}, "unreadable")
        subscribed = subscribe(organization.id, NOW - command.YEAR, settings.secret_keys)
    make(Task(organization.id, 3, range(6), NOW))
    for endpoint_id, receiver in subscribed:
        deliver_past(
            organization.id, endpoint_id, receiver, NOW, policy=settings.webhooks, chance=Random(1)
        )
    return organization


def counts(organization_id: int) -> dict[str, int]:
    with transaction():
        return removal.count_rows(organization_id)


def tables_of_the_catalogue() -> set[str]:
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


def test_every_table_is_empty_of_a_deleted_organization_and_full_of_the_other(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "CHUNK", 100)
    doomed, other = made("doomed", settings), made("other", settings)
    kept, gone = counts(other.id), counts(doomed.id)
    assert set(kept) == tables_of_the_catalogue()
    assert {table for table, number in gone.items() if not number} <= FILLED_BY_OTHERS
    deleted = sum(removal.remove(doomed.id))
    assert deleted == sum(gone.values()) + 1 - gone["api_keys"]
    assert set(counts(doomed.id).values()) == {0}
    assert counts(other.id) == kept
    with transaction():
        assert [one.name for one in organizations.every()] == ["other"]


def test_a_table_that_is_added_later_is_not_forgotten(settings: Settings) -> None:
    doomed = made("doomed", settings)
    with transaction():
        execute(
            "create table notes_of_a_test (organization_id bigint not null references"
            " organizations, company_id bigint not null references companies)"
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


def test_what_a_worker_writes_meanwhile_is_deleted_as_well(settings: Settings) -> None:
    doomed = made("doomed", settings)
    removing = removal.remove(doomed.id)
    written = 0
    for _ in removing:
        with transaction():
            left = query("select id from companies where organization_id = %(id)s limit 1",
                         {"id": doomed.id})  # fmt: skip
            if left and written < 2:
                written += 1
                execute(
                    "insert into flag_states (organization_id, company_id, flag, changed_at,"
                    " awaits_event) values (%(id)s, %(company)s, 'late', now(), true)"
                    " on conflict do nothing",
                    {"id": doomed.id, "company": left[0]["id"]},
                )
    assert written
    assert set(counts(doomed.id).values()) == {0}


def test_its_keys_are_gone_and_nothing_is_sent_from_the_first_chunk_on(
    settings: Settings,
) -> None:
    doomed = made("doomed", settings)
    with transaction():
        execute(
            "update deliveries set state = 'waiting', next_attempt_at = now()"
            " where organization_id = %(id)s",
            {"id": doomed.id},
        )
    removing = removal.remove(doomed.id)
    next(removing)
    with transaction():
        assert api_keys.of_organization(doomed.id) == []
        assert not query("select 1 from deliveries where state = 'waiting'")
    removing.close()
    list(removal.remove(doomed.id))  # whoever was interrupted goes on
    with transaction():
        assert organizations.every() == []


def test_a_part_of_a_transaction_that_fails_takes_back_only_what_it_did(
    settings: Settings,
) -> None:
    with transaction():
        organizations.create("first")
        with pytest.raises(ProgrammingError):
            _fail_within_a_transaction()
        with transaction():
            organizations.create("third")
    with transaction():
        assert [one.name for one in organizations.every()] == ["first", "third"]


def _fail_within_a_transaction() -> None:
    with transaction():
        organizations.create("second")
        query("select nothing from nowhere")
