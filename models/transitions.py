"""The history of companies' health: one row for each instant at which something changed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.database import execute, json, query


@dataclass(frozen=True)
class StoredTransition:
    """One row; `from_status` equals `to_status` where only flags changed.

    `changes` lists the flags that changed, each with `flag`, `from`, `to` and `threshold`.
    """

    id: UUID
    organization_id: int
    company_id: int
    sequence: int
    at: datetime
    from_status: str
    to_status: str
    cause: str
    changes: list[dict[str, Any]]
    rules_version: int
    recorded_at: datetime


_COLUMNS = (
    "id, organization_id, company_id, sequence, at, from_status, to_status, cause, changes,"
    " rules_version, recorded_at"
)


def add(transition: StoredTransition) -> None:
    """Record a transition."""
    execute(
        f"insert into transitions ({_COLUMNS}) values (%(id)s, %(organization_id)s,"
        " %(company_id)s, %(sequence)s, %(at)s, %(from_status)s, %(to_status)s, %(cause)s,"
        " %(changes)s, %(rules_version)s, %(recorded_at)s)",
        {**vars(transition), "changes": json(transition.changes)},
    )


def of_company(company_id: int) -> list[StoredTransition]:
    """A company's history, oldest first."""
    rows = query(
        f"select {_COLUMNS} from transitions where company_id = %(company_id)s order by sequence",
        {"company_id": company_id},
    )
    return [StoredTransition(**row) for row in rows]
