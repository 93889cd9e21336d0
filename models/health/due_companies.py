"""Companies of an organization with due rows in `flag_states` or `flag_overrides`."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from models.across_organizations import DUE_NOT_LEFT_OUT, DueCompany
from models.companies.partitions import PARTITION
from models.database import json, query

_STORED = f"""
    and not exists (
        select from jsonb_to_recordset(%(behind)s) as behind (partition integer, until timestamptz)
        join companies c on c.organization_id = %(organization_id)s and c.id = due.company_id
        where due.due_at > behind.until
            and behind.partition = {PARTITION.format(external_id="c.external_id")}
    )
"""


def find_due(
    table: str,
    organization_id: int,
    behind: Mapping[int, datetime],
    *,
    until: datetime,
    limit: int,
    leave_out: Sequence[tuple[int, datetime]] = (),
) -> list[DueCompany]:
    """Return companies with a due row, the longest overdue first.

    Skips what became due while events of the company's partition wait to be stored: `behind` has
    the instants up to which the events of partitions are stored. Also skips the pairs of a company
    and a time in `leave_out`.
    """
    rows = query(
        f"select due.organization_id, due.company_id, due.due_at from {table} due"
        " where due.organization_id = %(organization_id)s and due.due_at <= %(until)s"
        + (DUE_NOT_LEFT_OUT if leave_out else "")
        + _STORED
        + " order by due.due_at limit %(limit)s",
        {
            "organization_id": organization_id,
            "until": until,
            "limit": limit,
            "left_out_ids": [company_id for company_id, _ in leave_out],
            "left_out_due": [due_at for _, due_at in leave_out],
            "behind": json(
                [{"partition": number, "until": str(at)} for number, at in behind.items()]
            ),
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
