"""This process's connections to PostgreSQL, and functions that run SQL on them."""

import select
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import orjson
import psycopg2
import psycopg2.errors
import psycopg2.extensions
import psycopg2.extras
from peewee import (
    DatabaseProxy,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    PostgresqlDatabase,
    ProgrammingError,
)
from playhouse.pool import PooledPostgresqlDatabase

from config.settings import Settings
from models.suitable_database import ENCODING, UnsuitableDatabase, check_encoding

UNAVAILABLE = (
    OperationalError,
    InterfaceError,
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
)
"""Raised while PostgreSQL is unreachable, shuts down, is out of resources, or times out."""

NOT_SET_UP = (
    ProgrammingError,
    InternalError,
    NotSupportedError,
    psycopg2.ProgrammingError,
    psycopg2.InternalError,
    psycopg2.NotSupportedError,
)
"""Raised when the schema or a privilege is missing, or a pooler or an extension does not support a
statement: the deployment's fault, not an event's."""

_LOCK_TIMEOUTS = (psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected)

_REFUSALS = ("21", "22", "23", "54")
"""Classes of SQLSTATE: cardinality, data, constraints, and limits of the program."""

CONNECT_TIMEOUT = 5
"""Seconds."""

LOCK_TIMEOUT_MS = 500
"""For workers: a row that is locked for longer delays what is about it, and nothing else."""

database = DatabaseProxy()

psycopg2.extras.register_uuid()
psycopg2.extras.register_default_jsonb(loads=orjson.loads, globally=True)


class _CheckedConnections(PostgresqlDatabase):
    """Opens connections to suitable databases only; the pool calls it for each new one."""

    def _connect(self) -> Any:
        connection = super()._connect()  # type: ignore[misc]
        try:
            check_encoding(connection)
        except UnsuitableDatabase:
            connection.close()
            raise
        return connection


class _Database(PooledPostgresqlDatabase, _CheckedConnections):  # type: ignore[misc]
    """A pool whose transactions wait for each lock for a limited time, if `lock_timeout_ms`."""

    lock_timeout_ms: int | None = None

    def begin(self, isolation_level: str | None = None) -> None:
        """See `peewee.PostgresqlDatabase.begin`; the timeout takes no round trip of its own."""
        if self.lock_timeout_ms is None:
            super().begin(isolation_level)
        else:
            self.execute_sql(f"begin; set local lock_timeout = {self.lock_timeout_ms}")


def connect(
    settings: Settings,
    *,
    connections: int = 20,
    answer_within_ms: int | None = None,
    lock_timeout_ms: int | None = None,
) -> None:
    """Configure the database of this process; connections open when first needed.

    `answer_within_ms` limits connecting and each statement, for processes that must not wait: a
    server that is stopped or cut off sends nothing, so only a timeout of our own ends the wait.
    `lock_timeout_ms` limits the wait for a lock that another transaction has, for processes that
    have something else to do.
    """
    wait = partial(_wait_for_answer, answer_within_ms / 1000) if answer_within_ms else None
    psycopg2.extensions.set_wait_callback(wait)
    pool = _Database(
        settings.database_url,
        max_connections=connections,
        timeout=CONNECT_TIMEOUT,
        connect_timeout=CONNECT_TIMEOUT,
        client_encoding=ENCODING,  # takes precedence over the role's and over PGCLIENTENCODING
        keepalives_idle=30,
        keepalives_interval=10,
        keepalives_count=3,
        tcp_user_timeout=30_000,
        autoconnect=False,
    )
    pool.lock_timeout_ms = lock_timeout_ms
    database.initialize(pool)


def check_database() -> None:
    """Check at the start of a process whether its database is suitable.

    Nothing is checked while PostgreSQL is away, so that processes start without it. Connections
    that open later are checked as well.

    Raises:
        UnsuitableDatabase: it is not.
    """
    try:
        with database.connection_context():
            return
    except UnsuitableDatabase:
        raise
    except UNAVAILABLE:
        return


def is_lock_timeout(error: BaseException) -> bool:
    """Whether a transaction waited too long for a lock, or was chosen to end a deadlock."""
    while not isinstance(error, _LOCK_TIMEOUTS):
        if error.__context__ is None:
            return False
        error = error.__context__
    return True


def is_refusal(error: BaseException) -> bool:
    """Whether values are refused, by PostgreSQL or its driver, and would be the next time.

    Among them are errors that `UNAVAILABLE` or `NOT_SET_UP` include as well: limits of an index or
    of `jsonb` (SQLSTATE class 54), two rows with one key in a statement (21), and values that the
    driver cannot pass (none).
    """
    while not isinstance(error, psycopg2.Error):
        if error.__context__ is None:
            return False
        error = error.__context__
    if error.pgcode is None:
        return isinstance(error, psycopg2.ProgrammingError)
    return error.pgcode[:2] in _REFUSALS


def _wait_for_answer(seconds: float, connection: psycopg2.extensions.connection) -> None:
    """Wait for PostgreSQL as psycopg2 does, but with a timeout, which closes the connection.

    Raises:
        OperationalError: There was no answer in time.
    """
    deadline = time.monotonic() + seconds
    while (state := connection.poll()) != psycopg2.extensions.POLL_OK:
        writing = state == psycopg2.extensions.POLL_WRITE
        waiting = select.poll()
        waiting.register(connection.fileno(), select.POLLOUT if writing else select.POLLIN)
        left = deadline - time.monotonic()
        if left <= 0 or not waiting.poll(left * 1000):
            raise psycopg2.OperationalError(f"no answer within {seconds:g} s")


@contextmanager
def transaction() -> Iterator[None]:
    """Open a transaction on a connection from the pool, or a savepoint in the current transaction.

    A savepoint that fails undoes only its own changes; they last once the transaction commits.

    Raises:
        OperationalError, InterfaceError: PostgreSQL is unreachable or shut down.
    """
    if database.in_transaction():
        with database.atomic():
            yield
        return
    with database.connection_context(), database.atomic():
        yield


def read_one_snapshot() -> None:
    """Make the current transaction read-only, with all reads as of its first query.

    For consistent results from several tables while workers write to them.
    """
    execute("set transaction isolation level repeatable read read only")


def query(sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Run SQL with `%(name)s` parameters and return its rows by column name."""
    return rows_of(database.execute_sql(sql, parameters or {}))


def rows_of(cursor: psycopg2.extensions.cursor) -> list[dict[str, Any]]:
    """Return the rows of a statement that was executed, by column name."""
    if cursor.description is None:
        return []
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def execute(sql: str, parameters: Mapping[str, Any] | None = None) -> int:
    """Run SQL that returns no rows, and return the number of rows it affected."""
    return int(database.execute_sql(sql, parameters or {}).rowcount)


def json(value: Any) -> psycopg2.extras.Json:
    """Return a value as a `jsonb` parameter."""
    return psycopg2.extras.Json(value, dumps=lambda v: orjson.dumps(v).decode())
