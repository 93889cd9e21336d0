"""Companies with due rows, in tables that have `organization_id`, `company_id` and `due_at`."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from models.companies.partitions import PARTITION
from models.database import json, query


class DueCompany(NamedTuple):
    """A company with a due row, and since when it is due."""

    organization_id: int
    company_id: int
    due_at: datetime


class PartitionBehind(NamedTuple):
    """A partition of an organization's companies whose events are stored up to `until` only."""

    organization_id: int
    partition: int
    until: datetime


# A list of pairs would be compared with each row, one after another.
_NOT_LEFT_OUT = """
    and not exists (
        select from unnest(%(left_out_ids)s::bigint[], %(left_out_due)s::timestamptz[])
            as left_out (company_id, due_at)
        where left_out.company_id = due.company_id and left_out.due_at = due.due_at
    )
"""

_STORED = f"""
    and not exists (
        select from jsonb_to_recordset(%(behind)s)
            as behind (organization_id bigint, partition integer, until timestamptz)
        join companies c on c.id = due.company_id
        where behind.organization_id = due.organization_id and due.due_at > behind.until
            and behind.partition = {PARTITION.format(external_id="c.external_id")}
    )
"""


def find_due(
    table: str,
    *,
    until: datetime,
    limit: int,
    leave_out: Sequence[tuple[int, datetime]] = (),
    behind: Sequence[PartitionBehind] = (),
    except_organizations: Collection[int] = (),
) -> list[DueCompany]:
    """Return companies with a due row, the longest overdue first.

    One probe of the table's partial index on `due_at`, regardless of the number of companies; it
    skips the pairs in `leave_out`, and what became due while events of the company's partition
    wait to be stored.
    """
    rows = query(
        f"select due.organization_id, due.company_id, due.due_at from {table} due"
        " where due.due_at <= %(until)s"
        + (_NOT_LEFT_OUT if leave_out else "")
        + (" and due.organization_id <> all(%(without)s)" if except_organizations else "")
        + (_STORED if behind else "")
        + " order by due.due_at limit %(limit)s",
        {
            "until": until,
            "limit": limit,
            "left_out_ids": [company_id for company_id, _ in leave_out],
            "left_out_due": [due_at for _, due_at in leave_out],
            "without": list(except_organizations),
            "behind": json([{**part._asdict(), "until": str(part.until)} for part in behind]),
        },
    )
    return [DueCompany(**row) for row in rows]


def list_due(table: str, organization_id: int, *, until: datetime) -> list[int]:
    """Return the companies of an organization with a row that is due up to an instant."""
    rows = query(
        f"select distinct company_id from {table}"
        " where organization_id = %(organization_id)s and due_at <= %(until)s",
        {"organization_id": organization_id, "until": until},
    )
    return [row["company_id"] for row in rows]
