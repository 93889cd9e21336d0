"""The audit log: who changed what in an organization, and when. Only ever added to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.database import execute, json, query


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is written down. `made_by` is an email as of then, or the name of a tool."""

    person_id: int | None
    made_by: str
    at: datetime
    action: str
    subject: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class AuditEntry(Change):
    """A change as it is listed."""

    id: int


def add(organization_id: int, change: Change) -> None:
    """Write down a change, in the transaction that makes it."""
    execute(
        "insert into audit_log (organization_id, person_id, made_by, at, action, subject, detail)"
        " values (%(organization_id)s, %(person_id)s, %(made_by)s, %(at)s, %(action)s,"
        " %(subject)s, %(detail)s)",
        {
            "organization_id": organization_id,
            **vars(change),
            "detail": json(dict(change.detail)),
        },
    )


def read_page(
    organization_id: int,
    *,
    made_by: str | None = None,
    action: str | None = None,
    before_id: int | None = None,
    limit: int,
) -> list[AuditEntry]:
    """The newest entries, or those that came before the entry `before_id`."""
    rows = query(
        "select id, person_id, made_by, at, action, subject, detail from audit_log"
        " where organization_id = %(organization_id)s"
        + (" and made_by = %(made_by)s" if made_by else "")
        + (" and action = %(action)s" if action else "")
        + (" and id < %(before_id)s" if before_id else "")
        + " order by id desc limit %(limit)s",
        {
            "organization_id": organization_id,
            "made_by": made_by,
            "action": action,
            "before_id": before_id,
            "limit": limit,
        },
    )
    return [AuditEntry(**row) for row in rows]


def list_makers(organization_id: int) -> list[str]:
    """Everybody who has an entry, in order."""
    return _distinct(organization_id, "made_by")


def list_actions(organization_id: int) -> list[str]:
    """Every action that has an entry, in order."""
    return _distinct(organization_id, "action")


def _distinct(organization_id: int, column: str) -> list[str]:
    """The values of a column: one index probe for each, however long the log is."""
    rows = query(
        f"with recursive found as ("
        f" select (select min({column}) from audit_log"
        f" where organization_id = %(organization_id)s) as value"
        f" union all"
        f" select (select min({column}) from audit_log where organization_id = %(organization_id)s"
        f" and {column} > found.value) from found where found.value is not null)"
        f" select value from found where value is not null order by value",
        {"organization_id": organization_id},
    )
    return [row["value"] for row in rows]
