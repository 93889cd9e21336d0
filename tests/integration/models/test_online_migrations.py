"""Migrations whose statements are transactions of their own, beside transactions of others."""

import threading
from collections.abc import Callable
from contextlib import closing

import psycopg2
import pytest

from config.settings import Settings
from models import migrations
from models.database import execute, query, transaction
from models.migrations import MigrationRefused, migrate, online

STATEMENTS = """
-- A comment alone is no statement.

create table if not exists t9000 (a integer, b integer);

create unique index concurrently if not exists t9000_a on t9000 (a);

alter table t9000 drop constraint if exists t9000_positive,
    add constraint t9000_positive check (a > 0);
"""


@pytest.fixture
def migrated(empty_database: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that applies one more migration."""
    shipped = [migrations.Migration("n8000_locks", "select 1")]

    def apply(sql: str) -> None:
        added = migrations.Migration("n9000_t", sql, is_online=True)
        monkeypatch.setattr(migrations, "every", lambda: [*shipped, added])
        migrate()

    return apply


def valid(index: str) -> bool:
    with transaction():
        rows = query(
            "select indisvalid from pg_index where indexrelid = to_regclass(%(index)s)",
            {"index": index},
        )
    return bool(rows and rows[0]["indisvalid"])


def test_statements_are_separated_by_empty_lines() -> None:
    first, second, third = online.statements_of(STATEMENTS)
    assert first.startswith("create table")
    assert second.startswith("create unique index")
    assert third.endswith("check (a > 0);")


def test_an_interrupted_migration_continues_at_the_next_run(
    migrated: Callable[[str], None],
) -> None:
    with pytest.raises(Exception, match="does not exist"):
        migrated(f"{STATEMENTS}\n\nselect no_such_column from t9000;")
    assert valid("t9000_a")
    assert migrations.pending() == ["n9000_t"]
    migrated(STATEMENTS)
    assert migrations.pending() == []


def test_an_index_whose_building_was_interrupted_is_built_again(
    migrated: Callable[[str], None],
) -> None:
    with transaction():
        execute("create table t9000 (a integer, b integer)")
        execute("insert into t9000 values (1, 1), (1, 2)")
    with pytest.raises(Exception, match="could not create unique index"):
        migrated(STATEMENTS)
    assert not valid("t9000_a")
    with transaction():
        execute("delete from t9000 where b = 2")
    migrated(STATEMENTS)
    assert valid("t9000_a")


def test_it_waits_for_a_table_that_others_use_and_delays_nobody_behind_it(
    migrated: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, used_database: Settings
) -> None:
    monkeypatch.setattr(online, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(online, "LOCK_TIMEOUT_MS", 50)
    with transaction():
        execute("create table t9000 (a integer, b integer)")
    migrating = threading.Thread(target=migrated, args=(STATEMENTS.replace("concurrently ", ""),))
    with closing(psycopg2.connect(used_database.database_url)) as other, other.cursor() as cursor:
        cursor.execute("insert into t9000 values (1, 1)")
        migrating.start()
        for _ in range(10):
            with closing(psycopg2.connect(used_database.database_url)) as third:
                third.autocommit = True
                with third.cursor() as reading:
                    reading.execute("set statement_timeout = '2s'")
                    reading.execute("select count(*) from t9000")
        assert migrating.is_alive()
        other.commit()
    migrating.join(10)
    assert not migrating.is_alive()
    assert valid("t9000_a")


def test_it_gives_up_with_advice_if_a_table_is_never_free(
    migrated: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, used_database: Settings
) -> None:
    monkeypatch.setattr(online, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(online, "LOCK_TIMEOUT_MS", 10)
    monkeypatch.setattr(online, "PATIENCE_SECONDS", 0.1)
    with transaction():
        execute("create table t9000 (a integer, b integer)")
    with closing(psycopg2.connect(used_database.database_url)) as other, other.cursor() as cursor:
        cursor.execute("insert into t9000 values (1, 1)")
        with pytest.raises(MigrationRefused, match=r"n9000_t needs a table .*pg_stat_activity"):
            migrated("alter table t9000 add column c integer;")
    migrated("alter table t9000 add column c integer;")
    assert migrations.pending() == []
