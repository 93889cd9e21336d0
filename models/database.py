"""The connection to PostgreSQL that this process uses, and how SQL is run on it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
import psycopg2.extras
from peewee import DatabaseProxy, InterfaceError, OperationalError
from playhouse.pool import PooledPostgresqlDatabase

from config.settings import Settings

UNAVAILABLE = (OperationalError, InterfaceError)
"""What is raised while PostgreSQL cannot be reached or goes away."""

CONNECT_TIMEOUT = 5
"""Seconds."""

database = DatabaseProxy()

psycopg2.extras.register_uuid()
psycopg2.extras.register_default_jsonb(loads=orjson.loads, globally=True)


def connect(
    settings: Settings, *, connections: int = 20, answer_within_ms: int | None = None
) -> None:
    """Choose the database of this process; connections open when first needed.

    `answer_within_ms` bounds each statement, for processes that must not wait.
    """
    options = f"-c statement_timeout={answer_within_ms}" if answer_within_ms else ""
    database.initialize(
        PooledPostgresqlDatabase(
            settings.database_url,
            max_connections=connections,
            timeout=CONNECT_TIMEOUT,
            connect_timeout=1 if answer_within_ms else CONNECT_TIMEOUT,
            options=options,
            autoconnect=False,
        )
    )


@contextmanager
def transaction() -> Iterator[None]:
    """A connection from the pool, and a transaction on it.

    Raises:
        OperationalError, InterfaceError: PostgreSQL cannot be reached, or went away.
    """
    with database.connection_context(), database.atomic():
        yield


def query(sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Run SQL with `%(name)s` parameters and return its rows by column name."""
    cursor = database.execute_sql(sql, parameters or {})
    if cursor.description is None:
        return []
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def execute(sql: str, parameters: Mapping[str, Any] | None = None) -> int:
    """Run SQL that returns no rows; how many it touched."""
    return int(database.execute_sql(sql, parameters or {}).rowcount)


def insert_rows(sql: str, rows: list[tuple[Any, ...]], *, returning: bool = False) -> list[Any]:
    """Run one `insert ... values %s` with many rows; what it returned, if anything."""
    if not rows:
        return []
    cursor = database.cursor()
    returned = psycopg2.extras.execute_values(
        cursor, sql, rows, page_size=len(rows), fetch=returning
    )
    return returned or []


def json(value: Any) -> psycopg2.extras.Json:
    """A value as a `jsonb` parameter."""
    return psycopg2.extras.Json(value, dumps=lambda v: orjson.dumps(v).decode())
