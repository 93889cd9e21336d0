"""Deletes an organization with everything in it, in chunks, in whatever tables there are.

The catalogue tells which tables carry `organization_id` and in which order they must be emptied,
so that a table that is added later is not forgotten.
"""

from collections.abc import Iterator
from graphlib import TopologicalSorter

from peewee import IntegrityError, OperationalError

from models.database import execute, query, transaction
from models.errors import ModelError

CHUNK = 5_000
"""Rows that are deleted in one transaction."""

MAX_PASSES = 5
"""How often to begin anew because workers wrote to what was being deleted."""

CONFLICTS = frozenset({"23503", "40P01"})
"""PostgreSQL's codes for a row that others have just referred to, and for a deadlock."""


class OrganizationBusy(ModelError):
    """Raised when an organization is written to faster than it can be deleted."""


def list_tables() -> list[str]:
    """The tables that carry `organization_id`, each before those that it refers to."""
    ours = [
        row["name"]
        for row in query(
            "select c.oid::regclass::text as name from pg_class c"
            " join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id'"
            " where c.relkind in ('r', 'p') and not c.relispartition and not a.attisdropped"
            " and c.relnamespace = current_schema()::regnamespace order by 1"
        )
    ]
    order: TopologicalSorter[str] = TopologicalSorter({name: set() for name in ours})
    for row in query(
        "select conrelid::regclass::text as child, confrelid::regclass::text as parent"
        " from pg_constraint where contype = 'f' and conrelid <> confrelid"
    ):
        if row["child"] in ours and row["parent"] in ours:
            order.add(row["parent"], row["child"])
    return list(order.static_order())


def count_rows(organization_id: int) -> dict[str, int]:
    """How many rows of each table are an organization's, within the transaction at hand."""
    return {
        table: query(
            f"select count(*) as number from {table} where organization_id = %(id)s",
            {"id": organization_id},
        )[0]["number"]
        for table in list_tables()
    }


def remove(organization_id: int) -> Iterator[int]:
    """Delete an organization; yields the number of rows that were deleted, again and again.

    From the first chunk on its keys are gone and no webhook is sent. Events that are on their way
    meanwhile are set aside in `rejected_events`.

    Raises:
        OperationalError, InterfaceError: PostgreSQL cannot be reached; called again it goes on.
        OrganizationBusy: others kept writing to it.
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
    """Take no events from now on, and send no webhooks."""
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


def _delete_chunk(table: str, organization_id: int) -> int:
    with transaction():
        return execute(
            f"delete from {table} where ctid = any(array(select ctid from {table}"
            " where organization_id = %(id)s limit %(limit)s))",
            {"id": organization_id, "limit": CHUNK},
        )


def _delete_rest(order: list[str], organization_id: int) -> int:
    """Delete the organization itself, and what was written to it meanwhile."""
    parameters = {"id": organization_id}
    with transaction():
        # Nobody can add a company, a user or an endpoint while this is held.
        execute("select from organizations where id = %(id)s for update", parameters)
        deleted = sum(
            execute(f"delete from {table} where organization_id = %(id)s", parameters)
            for table in order
        )
        return deleted + execute("delete from organizations where id = %(id)s", parameters)


def _is_conflict(error: Exception) -> bool:
    return any(getattr(cause, "pgcode", None) in CONFLICTS for cause in (error, *error.args))
