from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from config.settings import Settings
from models import migrations
from models.companies import companies
from models.database import connect, database, query, transaction
from models.health.transition_feed import stretch
from models.migrations import migrate


def test_migrating_an_up_to_date_database_changes_nothing(settings: Settings) -> None:
    assert migrate() == []


def test_filtering_companies_by_a_custom_field_uses_the_index(settings: Settings) -> None:
    with transaction():
        query("insert into organizations (name) values ('o')")
        query(
            "insert into companies (organization_id, external_id, name, first_seen_at,"
            " health_status, traits) select o.id, 'c' || n, 'C', now(), 'Healthy',"
            " jsonb_build_object('plan', 'p' || n, 'seats', n)"
            " from organizations o, generate_series(1, 20000) n"
        )
        query("analyze companies")
        plan = query("""explain select id from companies where traits @> '{"seats": 77}'""")
        found = query("""select external_id from companies where traits @> '{"seats": 77}'""")
    assert any("companies_by_traits" in row["QUERY PLAN"] for row in plan)
    assert [row["external_id"] for row in found] == ["c77"]


@pytest.fixture
def migrated_before(
    servers: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], None]]:
    """Connects to a database of its own, as the migrations before one left it."""
    servers.execute("create database of_before")
    connect(replace(settings, database_url=servers.database_url("of_before")))

    def migrate_until(name: str) -> None:
        known = migrations.every()
        with monkeypatch.context() as patch:
            patch.setattr(migrations, "every", lambda: [m for m in known if m[0] < name])
            migrate()

    try:
        yield migrate_until
    finally:
        database.obj.close_all()
        servers.execute("drop database of_before")


def test_transitions_of_before_are_placed_as_they_were_recorded(
    migrated_before: Callable[[str], None],
) -> None:
    migrated_before("0010")
    with transaction():
        query("insert into organizations (name) values ('o')")
        query(
            "insert into companies (organization_id, external_id, name, first_seen_at,"
            " health_status) select o.id, n, n, now(), 'Healthy'"
            " from organizations o, unnest(array['a', 'b']) n"
        )
        query(
            "insert into transitions (id, organization_id, company_id, sequence, at,"
            " from_status, to_status, cause, changes, rules_version, recorded_at)"
            " select gen_random_uuid(), c.organization_id, c.id, v.sequence, now(), 'Healthy',"
            " 'At Risk', 'time', '[]', 1, now() + make_interval(secs => v.seconds)"
            " from (values ('a', 1, 5), ('a', 2, 3), ('b', 1, 4), ('b', 2, 9))"
            " v (company, sequence, seconds) join companies c on c.external_id = v.company"
        )
    assert "0010_transition_order" in migrate()
    with transaction():
        [o] = query("select id from organizations")
        told = stretch(o["id"]).transitions
    order = [(one.company, one.sequence) for one in told]
    assert order == [("b", 1), ("a", 1), ("a", 2), ("b", 2)]


def test_what_was_said_before_and_what_awaits_an_event_is_kept(
    migrated_before: Callable[[str], None],
) -> None:
    migrated_before("0013")
    with transaction():
        query("insert into organizations (name) values ('o')")
        query(
            "insert into companies (organization_id, external_id, name, traits, fields_at,"
            " first_seen_at, health_status) select o.id, 'a', 'A', '{\"plan\": \"Pro\"}',"
            " '{\"name\": 1767614400123456, \"plan\": 1767614400000000}', now(), 'Healthy'"
            " from organizations o"
        )
        query(
            "insert into flag_states (organization_id, company_id, flag, changed_at, awaits_event)"
            " select c.organization_id, c.id, flag, now(), flag <> 'No' from companies c,"
            " unnest(array['Yes', 'No', 'Also']) flag"
        )
    assert "0013_said_again" in migrate()
    with transaction():
        [o] = query("select id from organizations")
        company = companies.find(o["id"], "a")
    assert company is not None
    assert sorted(company.awaiting) == ["Also", "Yes"]
    newest = datetime(2026, 1, 5, 12, 0, 0, 123456, tzinfo=UTC)
    assert company.traits.newest_event_at == company.traits.said_at("name") == newest
    assert company.traits.said_at("plan") == newest.replace(microsecond=0)
    assert company.traits.fingerprint() is None
