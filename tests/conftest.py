"""The embedded servers, started once per run in a folder of its own; a fresh database per test."""

import itertools
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg2
import pytest
import redis
from cryptography.fernet import Fernet

from config.settings import Settings
from models.database import connect, database, execute, query, transaction
from models.migrations import migrate
from standalone.data_directory import DataDirectory
from standalone.embedded import postgres_command, postgres_url, redis_command, redis_url
from standalone.supervisor import Supervisor
from standalone.waiting import wait_for_postgres, wait_for_redis
from tests.support.properties import load_profile

load_profile()  # before test modules are imported: their `@effort` scales what it says

TEMPLATE = "template_for_tests"

LARGE = 1024 * 1024
"""Bytes. To truncate a table makes all its files anew, so few rows are deleted."""

TABLES = "select tablename from pg_tables where schemaname = 'public' and tablename <> %(but)s"

ALTERED_BY_TESTS = """
    select 'drop routine ' || oid::regprocedure || ' cascade' as undo
    from pg_proc where pronamespace = 'public'::regnamespace
    union all
    select 'alter table ' || conrelid::regclass || ' drop constraint ' || quote_ident(conname)
    from pg_constraint where contype = 'c' and connamespace = 'public'::regnamespace
    union all
    select 'drop sequence ' || oid::regclass from pg_class c
    where relkind = 'S' and relnamespace = 'public'::regnamespace
        and not exists (select from pg_depend d where d.objid = c.oid and deptype in ('a', 'i'))
"""
"""Statements that take back the triggers and checks by which a test made something fail."""


def empty_tables() -> None:
    """Remove all rows, within the transaction at hand; ids begin anew."""
    names = [row["tablename"] for row in query(TABLES, {"but": "schema_migrations"})]
    filled = query(
        " union all ".join(
            f"select '{name}' as name, pg_relation_size('{name}') as size"
            f" where exists (select from {name})"
            for name in names
        )
    )
    if any(table["size"] > LARGE for table in filled):
        execute(f"truncate {', '.join(names)} cascade")
    else:
        execute("set local session_replication_role = replica")  # no foreign key is looked at
        for table in filled:
            execute(f"delete from {table['name']}")
        execute("set local session_replication_role = origin")
    query(
        "select setval(quote_ident(sequencename)::regclass, start_value, false) from pg_sequences"
        " where schemaname = 'public'"
    )


@dataclass(frozen=True)
class Servers:
    """Real servers; `settings` makes a database that nothing has touched."""

    data: DataDirectory
    numbers: Iterator[int]

    def settings(self) -> Settings:
        name = f"test_{next(self.numbers)}"
        self.execute(f"create database {name} template {TEMPLATE}")
        return Settings.from_environment(
            {
                "DATABASE_URL": self.database_url(name),
                "REDIS_URL": redis_url(self.data),
                "BRAZEBEE_SECRET_KEY": Fernet.generate_key().decode(),
                "BRAZEBEE_WEBHOOK_ALLOW_NETS": "127.0.0.0/8",
            }
        )

    def database_url(self, name: str) -> str:
        return postgres_url(self.data).replace("/postgres?", f"/{name}?")

    def execute(self, sql: str) -> None:
        connection = psycopg2.connect(postgres_url(self.data))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
        finally:
            connection.close()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Embedded PostgreSQL and Redis for the whole run, with a migrated template database."""
    with tempfile.TemporaryDirectory(prefix="brazebee-tests-") as folder:
        data = DataDirectory(Path(folder))
        data.logs.mkdir()
        data.redis.mkdir()
        supervisor = Supervisor(os.environ)
        postgres = postgres_command(data)
        options = ["-c", "fsync=off", "-c", "shared_buffers=128MB", "-c", "max_wal_size=1GB"]
        fast = replace(postgres, arguments=[*postgres.arguments, *options])
        supervisor.start([fast, redis_command(data)])
        try:
            wait_for_postgres(postgres_url(data))
            wait_for_redis(redis_url(data))
            running = Servers(data, itertools.count(1))
            running.execute(f"create database {TEMPLATE}")
            settings = Settings(running.database_url(TEMPLATE), redis_url(data), redis_url(data))
            connect(settings)
            migrate()
            database.obj.close_all()
            yield running
        finally:
            supervisor.stop([["redis", "postgres"]], seconds=10)


@pytest.fixture(scope="session")
def shared_settings(servers: Servers) -> Settings:
    """Settings for the database that tests use in turn: making one for each takes far longer."""
    return servers.settings()


@pytest.fixture
def settings(shared_settings: Settings) -> Iterator[Settings]:
    """Settings for an empty migrated database and an empty Redis."""
    with redis.Redis.from_url(shared_settings.redis_url) as client:
        client.flushall()
    connect(shared_settings)
    with transaction():
        execute("set local lock_timeout = '10s'")
        empty_tables()
        for row in query(ALTERED_BY_TESTS):
            execute(row["undo"])
    yield shared_settings
    database.obj.close_all()


@pytest.fixture
def in_transaction(settings: Settings) -> Iterator[Settings]:
    """A transaction that is open for the whole test."""
    with transaction():
        yield settings
