"""The audit log: who changed what in an organization, and when. Entries are never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.database import query
from models.organizations.tables import AuditLogRow
from models.table import fetch


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change to record. `made_by` is the person's email at the time, or the name of a tool."""

    person_id: int | None
    made_by: str
    at: datetime
    action: str
    subject: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class AuditEntry(Change):
    """A recorded change."""

    id: int


def add(organization_id: int, change: Change) -> None:
    """Record a change, in the transaction that makes it."""
    AuditLogRow.insert(
        organization=organization_id,
        person=change.person_id,
        made_by=change.made_by,
        at=change.at,
        action=change.action,
        subject=change.subject,
        detail=dict(change.detail),
    ).execute()


def read_page(
    organization_id: int,
    *,
    made_by: str | None = None,
    action: str | None = None,
    before_id: int | None = None,
    limit: int,
) -> list[AuditEntry]:
    """Return the newest entries, or those before the entry `before_id`, newest first."""
    row = AuditLogRow
    entries = row.select().where(row.organization == organization_id)
    if made_by:
        entries = entries.where(row.made_by == made_by)
    if action:
        entries = entries.where(row.action == action)
    if before_id:
        entries = entries.where(row.id < before_id)
    return [
        AuditEntry(
            id=entry["id"],
            person_id=entry["person"],
            made_by=entry["made_by"],
            at=entry["at"],
            action=entry["action"],
            subject=entry["subject"],
            detail=entry["detail"],
        )
        for entry in fetch(entries.order_by(row.id.desc()).limit(limit))
    ]


def list_makers(organization_id: int) -> list[str]:
    """Return everyone who has an entry, in alphabetical order."""
    return _list_distinct(organization_id, "made_by")


def list_actions(organization_id: int) -> list[str]:
    """Return every action that has an entry, in alphabetical order."""
    return _list_distinct(organization_id, "action")


def _list_distinct(organization_id: int, column: str) -> list[str]:
    """Return the values of a column: one index probe for each, however long the log is."""
    rows = query(
        f"with recursive entry as ("
        f" select (select min({column}) from audit_log"
        f" where organization_id = %(organization_id)s) as value"
        f" union all"
        f" select (select min({column}) from audit_log where organization_id = %(organization_id)s"
        f" and {column} > entry.value) from entry where entry.value is not null)"
        f" select value from entry where value is not null order by value",
        {"organization_id": organization_id},
    )
    return [row["value"] for row in rows]
