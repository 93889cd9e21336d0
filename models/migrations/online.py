"""Changes the schema of tables while processes read and write them.

Each statement is a transaction of its own. An index is built concurrently, beside reads and writes.
Anything else needs a lock of its table for a moment: while it waits for the lock, everybody else
waits behind it, so it gives up soon and tries again.
"""

import logging
import re
import time
from collections.abc import Sequence

from peewee import OperationalError

from models.database import database, execute, is_lock_timeout, query

logger = logging.getLogger("brazebee.migrations")

LOCK_TIMEOUT_MS = 200
PAUSE_SECONDS = 0.5
LOG_SECONDS = 5.0
PATIENCE_SECONDS = 300.0
"""How long a statement is repeated while other transactions keep its table locked."""

_BUILT_INDEX = re.compile(r"create (?:unique )?index concurrently if not exists (\w+)")


def statements_of(sql: str) -> list[str]:
    """Return the statements of a migration: its paragraphs, except those of comments alone."""
    paragraphs = (paragraph.strip() for paragraph in sql.split("\n\n"))
    return [
        paragraph
        for paragraph in paragraphs
        if any(line and not line.startswith("--") for line in paragraph.splitlines())
    ]


def run(statements: Sequence[str]) -> None:
    """Execute statements that change nothing if they were executed before.

    The connection must not be in a transaction.

    Raises:
        OperationalError: A table was locked by others all the time, or PostgreSQL is unavailable.
            The statements before are done.
    """
    for statement in statements:
        if index := _BUILT_INDEX.search(statement):
            _drop_if_invalid(index[1])
        if " concurrently " in statement:
            database.execute_sql(statement)
        else:
            _execute_between_others(statement)


def _drop_if_invalid(index: str) -> None:
    """Drop an index whose building was interrupted."""
    if query(
        "select from pg_index where indexrelid = to_regclass(%(index)s) and not indisvalid",
        {"index": index},
    ):
        database.execute_sql(f"drop index concurrently {index}")


def _execute_between_others(statement: str) -> None:
    began, logged = time.monotonic(), False
    execute(f"set lock_timeout = {LOCK_TIMEOUT_MS}")
    try:
        while True:
            try:
                database.execute_sql(statement)
            except OperationalError as error:
                waited = time.monotonic() - began
                if not is_lock_timeout(error) or waited >= PATIENCE_SECONDS:
                    raise
                if waited >= LOG_SECONDS and not logged:
                    logged = True
                    logger.warning(
                        "a migration waits for transactions that have used its table: %s",
                        statement,
                    )
                time.sleep(PAUSE_SECONDS)
            else:
                return
    finally:
        if not database.is_closed():
            execute("reset lock_timeout")
