"""Deletes an organization and all of its rows, in chunks, each in a transaction of its own.

The system catalog shows which tables have `organization_id` and in which order they must be
emptied, so that a table that is added later is not forgotten.
"""

from collections.abc import Iterator
from graphlib import TopologicalSorter

from peewee import IntegrityError, OperationalError

from models.database import execute, query, transaction
from models.errors import ModelError

CHUNK = 5_000
"""Rows that one transaction deletes."""

MAX_PASSES = 5
"""How often to start over because workers wrote rows of the organization in the meantime."""

CONFLICTS = frozenset({"23503", "40P01"})
"""PostgreSQL's codes for a row that a new row refers to, and for a deadlock."""


class OrganizationBusy(ModelError):
    """Raised when rows of an organization are written faster than they can be deleted."""


def list_tables() -> list[str]:
    """Return the tables with `organization_id`, each before the tables that it refers to."""
    tables = [
        row["name"]
        for row in query(
            "select c.oid::regclass::text as name from pg_class c"
            " join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id'"
            " where c.relkind in ('r', 'p') and not c.relispartition and not a.attisdropped"
            " and c.relnamespace = current_schema()::regnamespace order by 1"
        )
    ]
    order: TopologicalSorter[str] = TopologicalSorter({name: set() for name in tables})
    for row in query(
        "select conrelid::regclass::text as child, confrelid::regclass::text as parent"
        " from pg_constraint where contype = 'f' and conrelid <> confrelid"
    ):
        if row["child"] in tables and row["parent"] in tables:
            order.add(row["parent"], row["child"])
    return list(order.static_order())


def count_rows(organization_id: int) -> dict[str, int]:
    """Count the rows of an organization by table, in the current transaction."""
    return {
        table: query(
            f"select count(*) as number from {table} where organization_id = %(id)s",
            {"id": organization_id},
        )[0]["number"]
        for table in list_tables()
    }


def remove(organization_id: int) -> Iterator[int]:
    """Delete an organization in transactions of its own; yields the number of rows of each chunk.

    After the first transaction its keys are invalid and no webhook is sent. Events that are still
    queued then end in `unreadable_messages`.

    Raises:
        OperationalError, InterfaceError: PostgreSQL is unreachable; another call continues.
        OrganizationBusy: Workers kept writing rows of it.
    """
    with transaction():
        order = list_tables()
        _stop(organization_id)
    for _ in range(MAX_PASSES):
        try:
            for table in order:
                while deleted := _delete_chunk(table, organization_id):
                    yield deleted
            yield _delete_rest(order, organization_id)
        except (IntegrityError, OperationalError) as error:
            if not _is_conflict(error):
                raise
        else:
            return
    raise OrganizationBusy(str(organization_id))


def _stop(organization_id: int) -> None:
    """Make the keys invalid, and cancel webhooks and messages to people."""
    parameters = {"id": organization_id}
    execute("delete from api_keys where organization_id = %(id)s", parameters)
    execute(
        "update webhook_endpoints set removed_at = now()"
        " where organization_id = %(id)s and removed_at is null",
        parameters,
    )
    execute(
        "update deliveries set state = 'cancelled', parked = false, next_attempt_at = null"
        " where organization_id = %(id)s and state in ('waiting', 'paused')",
        parameters,
    )
    execute(
        "update notification_messages set state = 'cancelled', due_at = null"
        " where organization_id = %(id)s and state in ('open', 'waiting')",
        parameters,
    )


def _delete_chunk(table: str, organization_id: int) -> int:
    with transaction():
        return execute(
            f"delete from {table} where organization_id = %(id)s and ctid = any(array("
            f"select ctid from {table} where organization_id = %(id)s limit %(limit)s))",
            {"id": organization_id, "limit": CHUNK},
        )


def _delete_rest(order: list[str], organization_id: int) -> int:
    """Delete the organization itself, and the rows that were written meanwhile."""
    parameters = {"id": organization_id}
    with transaction():
        # While this row is locked, no company, user or endpoint can be added.
        execute("select from organizations where id = %(id)s for update", parameters)
        deleted = sum(
            execute(f"delete from {table} where organization_id = %(id)s", parameters)
            for table in order
        )
        return deleted + execute("delete from organizations where id = %(id)s", parameters)


def _is_conflict(error: Exception) -> bool:
    return any(getattr(cause, "pgcode", None) in CONFLICTS for cause in (error, *error.args))
