import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from peewee import ProgrammingError

from config.settings import Settings
from models import migrations
from models.companies import companies
from models.database import query, transaction
from models.events import rejected_events
from models.health.transition_feed import read_feed
from models.keys import api_keys
from models.keys.scopes import Scope
from models.migrations import Migration, MigrationRefused, migrate
from tests.support.ingress.former_keys import add_key_as_the_release_before


def test_migrating_an_up_to_date_database_changes_nothing(settings: Settings) -> None:
    assert migrate() == []


def test_the_numbers_of_migrations_are_unique_and_without_gaps() -> None:
    numbers = [migration.name.partition("_")[0] for migration in migrations.every()]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


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
        matching = query("""select external_id from companies where traits @> '{"seats": 77}'""")
    assert any("companies_by_traits" in row["QUERY PLAN"] for row in plan)
    assert [row["external_id"] for row in matching] == ["c77"]


@pytest.fixture
def migrated_before(empty_database: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that applies the migrations before a given one to a new database."""

    def migrate_until(name: str) -> None:
        shipped = migrations.every()
        with monkeypatch.context() as patch:
            patch.setattr(migrations, "every", lambda: [m for m in shipped if m.name < name])
            migrate()

    return migrate_until


def test_0010_positions_transitions_in_the_order_of_recording(
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
    assert "0010_transition_order" in migrate(post=True)
    with transaction():
        [o] = query("select id from organizations")
        fed = read_feed(o["id"]).transitions
    order = [(transition.company, transition.sequence) for transition in fed]
    assert order == [("b", 1), ("a", 1), ("a", 2), ("b", 2)]


def test_0013_keeps_fields_and_the_flags_that_await_an_event(
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
    assert "0013_said_again" in migrate(post=True)
    with transaction():
        [o] = query("select id from organizations")
        company = companies.find(o["id"], "a")
    assert company is not None
    assert sorted(company.awaiting) == ["Also", "Yes"]
    newest = datetime(2026, 1, 5, 12, 0, 0, 123456, tzinfo=UTC)
    assert company.traits.newest_event_at == company.traits.sent_at("name") == newest
    assert company.traits.sent_at("plan") == newest.replace(microsecond=0)
    assert company.traits.digest() is None


FORMER_EVENT = '{"organization_id": 1, "event_id": "e1", "company": {"id": "c", "name": "Café"}}'


def reject_as_the_release_before(*rows: tuple[int | None, str, str]) -> None:
    """Insert rows of organization, message as JSON, and reason."""
    with transaction():
        for organization_id, message, error in rows:
            query(
                "insert into rejected_events (organization_id, message, error)"
                " values (%(organization_id)s, %(message)s, %(error)s)",
                {"organization_id": organization_id, "message": message, "error": error},
            )


def test_0017_keeps_what_was_set_aside_before_it_and_what_the_release_before_sets_aside(
    migrated_before: Callable[[str], None],
) -> None:
    migrated_before("0017")
    with transaction():
        query("insert into organizations (id, name) overriding system value values (1, 'o')")
    rows: list[tuple[int | None, str, str]] = [
        (1, FORMER_EVENT, "DataError: no"),
        (1, '"no JSON \\\\xff"', "TypeError"),
        (1, '["2", "{\\"a\\": 1}", "t", "5"]', "an unknown format"),
        (1, "[1, 2]", "TypeError"),
        (None, '["dramatiq", "garbage", "t", "5"]', "an unknown format"),
        (None, "null", "TypeError"),
        (4711, FORMER_EVENT, "foreign key"),
    ]
    reject_as_the_release_before(*rows)
    migrated_before("0019")
    reject_as_the_release_before(*rows)  # its processes still run
    with transaction():
        entries = rejected_events.lock(1, {})
        unreadable = query("select queue, content, reason from unreadable_messages order by id")
    kept = [
        (e.fields[:1], json.loads(e.fields[1]) if e.event.event_id else e.fields[1:])
        for e in entries
    ]
    assert kept == 2 * [
        ((b"1",), json.loads(FORMER_EVENT)),
        ((b"1",), (b"no JSON \\xff",)),
        ((b"2",), (b'{"a": 1}', b"t", b"5")),
        ((b"1",), (b"[1, 2]",)),
    ]
    assert [entry.event.id for entry in entries[:4]] == [1, 2, 3, 4]
    assert (entries[0].event.company, entries[0].event.event_id) == ("c", "e1")
    messages = [(row["queue"], bytes(row["content"]), row["reason"]) for row in unreadable]
    assert messages[:2] == [
        ("events", b"garbage", "an unknown format"),
        ("events", b"null", "TypeError"),
    ]
    assert json.loads(messages[2][1]) == json.loads(FORMER_EVENT)
    assert messages[3:] == messages[:3]


def test_0020_keys_send_and_read_as_before_and_so_do_those_of_the_release_before(
    migrated_before: Callable[[str], None],
) -> None:
    migrated_before("0019")
    with transaction():
        [o] = query("insert into organizations (name) values ('o') returning id")
    add_key_as_the_release_before(o["id"], "existing")
    assert "0020_key_scopes" in migrate(post=True)
    add_key_as_the_release_before(o["id"], "new")  # its processes still run
    with transaction():
        keys = api_keys.list_for_organization(o["id"])
    assert [(key.name, key.scopes, key.scopes_chosen) for key in keys] == [
        ("existing", (Scope.SEND, Scope.READ), False),
        ("new", (Scope.SEND, Scope.READ), False),
    ]


@pytest.fixture
def ship(empty_database: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that ships added migrations; names that end in `_post` are post."""
    shipped = migrations.every()

    def release(**sql_by_name: str) -> None:
        added = [
            Migration(name.removesuffix("_post"), sql, is_post=name.endswith("_post"))
            for name, sql in sql_by_name.items()
        ]
        every = sorted([*shipped, *added], key=lambda migration: migration.name)
        monkeypatch.setattr(migrations, "every", lambda: every)

    return release


def columns_of(table: str) -> list[str]:
    with transaction():
        rows = query(
            "select column_name from information_schema.columns where table_name = %(table)s"
            " order by ordinal_position",
            {"table": table},
        )
    return [row["column_name"] for row in rows]


def recorded() -> dict[str, str | None]:
    with transaction():
        rows = query("select name, checksum from schema_migrations")
    return {row["name"]: row["checksum"] for row in rows}


ADD = "create table t9000 (a integer, b integer)"
DROP = "alter table t9000 drop column b"


def test_the_checksum_of_every_applied_migration_is_recorded(empty_database: None) -> None:
    migrate()
    assert recorded() == {m.name: m.checksum for m in migrations.every()}


def test_migrations_applied_before_checksums_existed_get_them_at_the_next_run(
    migrated_before: Callable[[str], None],
) -> None:
    migrated_before("0014")
    assert columns_of("schema_migrations") == ["name", "applied_at"]
    assert migrate(post=True)[0] == "0014_migration_checksums"
    assert recorded() == {m.name: m.checksum for m in migrations.every()}


def test_an_applied_migration_that_has_changed_is_refused_by_name(
    ship: Callable[..., None],
) -> None:
    ship(n9000_t=ADD)
    migrate()
    ship(n9000_t=ADD + " ", n9001_next=DROP)
    for post in (False, True):
        with pytest.raises(MigrationRefused, match=r"n9000_t .*has changed.* new migration"):
            migrate(post=post)
    assert columns_of("t9000") == ["a", "b"]
    ship(n9000_t=ADD, n9001_next=DROP)
    assert migrate() == ["n9001_next"]


def test_applied_migrations_of_a_newer_release_are_ignored(ship: Callable[..., None]) -> None:
    ship(n9000_t=ADD)
    migrate()
    ship()
    assert migrate() == []
    assert "n9000_t" in recorded()


def test_an_empty_database_gets_all_migrations_in_number_order(ship: Callable[..., None]) -> None:
    ship(n9000_t=ADD, n9001_b_post=DROP, n9002_b="alter table t9000 add column b text")
    assert migrate()[-3:] == ["n9000_t", "n9001_b", "n9002_b"]
    assert columns_of("t9000") == ["a", "b"]
    assert migrations.pending() == []


def test_post_migrations_wait_until_they_are_requested(ship: Callable[..., None]) -> None:
    migrate()
    ship(n9000_t=ADD, n9001_b_post=DROP)
    assert migrate() == ["n9000_t"]
    assert migrate() == []
    assert columns_of("t9000") == ["a", "b"]
    assert migrations.pending() == ["n9001_b"]
    assert migrate(post=True) == ["n9001_b"]
    assert columns_of("t9000") == ["a"]
    assert migrations.pending() == []


def test_a_pre_migration_is_refused_while_an_older_post_migration_waits(
    ship: Callable[..., None],
) -> None:
    migrate()
    ship(n9000_t=ADD, n9001_b_post=DROP, n9002_b="alter table t9000 add column b text")
    with pytest.raises(MigrationRefused, match=r"n9002_b may depend on n9001_b.*migrate --post"):
        migrate()
    assert migrations.pending() == ["n9000_t", "n9001_b", "n9002_b"]
    assert migrate(post=True) == ["n9000_t", "n9001_b", "n9002_b"]


def test_the_suffix_of_a_post_migration_is_not_part_of_its_recorded_name(
    empty_database: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0002_b.post.sql").write_text("select 2")
    (tmp_path / "0001_a.sql").write_text("select 1")
    (tmp_path / "__init__.py").write_text("")
    monkeypatch.setattr(migrations.resources, "files", lambda _: tmp_path)
    assert migrations.every() == [
        Migration("0001_a", "select 1"),
        Migration("0002_b", "select 2", is_post=True),
    ]


def test_a_failed_migration_is_undone_and_those_before_it_stay(ship: Callable[..., None]) -> None:
    migrate()
    ship(n9000_t=ADD, n9001_fault=f"{DROP}; select no_such_column from t9000")
    with pytest.raises(ProgrammingError):
        migrate()
    assert columns_of("t9000") == ["a", "b"]
    assert migrations.pending() == ["n9001_fault"]
