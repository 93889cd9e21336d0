"""Companies with due rows, in tables that have `organization_id`, `company_id` and `due_at`."""

from collections.abc import Sequence
from datetime import datetime

from models.database import query


def find_due(
    table: str, *, until: datetime, limit: int, leave_out: Sequence[tuple[int, datetime]]
) -> list[tuple[int, datetime]]:
    """Return companies with a due row, and since when it is due, the longest overdue first.

    One probe of the table's partial index on `due_at`, regardless of the number of companies; it
    skips the pairs in `leave_out`.
    """
    rows = query(
        f"select company_id, due_at from {table} where due_at <= %(until)s"
        + (" and (company_id, due_at) not in %(leave_out)s" if leave_out else "")
        + " order by due_at limit %(limit)s",
        {"until": until, "limit": limit, "leave_out": tuple(leave_out)},
    )
    return [(row["company_id"], row["due_at"]) for row in rows]


def list_due(table: str, organization_id: int, *, until: datetime) -> list[int]:
    """Return the companies of an organization with a row that is due up to an instant."""
    rows = query(
        f"select distinct company_id from {table}"
        " where organization_id = %(organization_id)s and due_at <= %(until)s",
        {"organization_id": organization_id, "until": until},
    )
    return [row["company_id"] for row in rows]
