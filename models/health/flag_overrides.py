"""Overrides: flags of companies that are snoozed or set by a person. Ended rows are kept.

An override is created at `starts_at` and ends at `ended_at`. Its start and its end each affect the
company's health once they are recorded there: immediately, unless events wait to be stored.
`due_at` is the instant at which the next of the two is to be recorded.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from models.database import query
from models.health import due_companies
from models.health.tables import FlagOverrideRow
from models.table import fetch


class Kind(StrEnum):
    """How a flag is overridden."""

    SNOOZE = "snooze"
    OVERRIDE = "override"


@dataclass(frozen=True)
class NewOverride:
    """An override to add; `status` is None for a snooze, `ends_at` if it has no planned end."""

    organization_id: int
    company_id: int
    flag: str
    status: str | None
    reason: str
    owner: str
    made_by: str
    starts_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True)
class StoredOverride(NewOverride):
    """One override. `ended_by` is a person, `time` or `rules`."""

    id: int
    kind: Kind
    ended_at: datetime | None
    ended_by: str | None
    ended_because: str | None
    start_recorded: bool
    end_recorded: bool

    @property
    def over_at(self) -> datetime | None:
        """When it ended or is planned to end; None if neither."""
        return self.ended_at or self.ends_at


@dataclass(frozen=True)
class ListedOverride:
    """One override as lists show it; `company` is the client's own id."""

    company: str
    company_name: str
    override: StoredOverride


_COLUMNS = (
    "id, organization_id, company_id, flag, kind, status, reason, owner, made_by, starts_at,"
    " ends_at, ended_at, ended_by, ended_because, start_recorded, end_recorded"
)

_FIELDS = (
    FlagOverrideRow.organization.alias("organization_id"),
    *(getattr(FlagOverrideRow, name) for name in _COLUMNS.split(", ") if name != "organization_id"),
)


def add(new: NewOverride) -> StoredOverride:
    """Insert an override."""
    insert = FlagOverrideRow.insert(
        organization=new.organization_id,
        company_id=new.company_id,
        flag=new.flag,
        kind=Kind.SNOOZE if new.status is None else Kind.OVERRIDE,
        status=new.status,
        reason=new.reason,
        owner=new.owner,
        made_by=new.made_by,
        starts_at=new.starts_at,
        ends_at=new.ends_at,
    )
    [row] = insert.returning(*_FIELDS).dicts().execute()
    return _stored(row)


def save(stored: StoredOverride) -> None:
    """Store how an override ended, and whether its start and end are recorded."""
    FlagOverrideRow.update(
        ended_at=stored.ended_at,
        ended_by=stored.ended_by,
        ended_because=stored.ended_because,
        start_recorded=stored.start_recorded,
        end_recorded=stored.end_recorded,
    ).where(
        FlagOverrideRow.organization == stored.organization_id, FlagOverrideRow.id == stored.id
    ).execute()


def find(organization_id: int, override_id: int) -> StoredOverride | None:
    """Return one override."""
    rows = fetch(
        FlagOverrideRow.select(*_FIELDS).where(
            FlagOverrideRow.organization == organization_id, FlagOverrideRow.id == override_id
        )
    )
    return _stored(rows[0]) if rows else None


def list_open(
    organization_id: int, company_ids: Collection[int]
) -> dict[int, list[StoredOverride]]:
    """Return the overrides whose end is not recorded yet, oldest first, by company with any."""
    rows = query(
        f"select {_COLUMNS} from flag_overrides"
        " where organization_id = %(organization_id)s and company_id = any(%(company_ids)s)"
        " and not end_recorded order by starts_at, id",
        {"organization_id": organization_id, "company_ids": list(company_ids)},
    )
    overrides: dict[int, list[StoredOverride]] = {}
    for row in rows:
        overrides.setdefault(row["company_id"], []).append(_stored(row))
    return overrides


def list_all(organization_id: int, company_ids: Collection[int]) -> dict[int, list[StoredOverride]]:
    """Return all overrides of companies, oldest first, by company with any."""
    rows = query(
        f"select {_COLUMNS} from flag_overrides where organization_id = %(organization_id)s"
        " and company_id = any(%(company_ids)s) order by starts_at, id",
        {"organization_id": organization_id, "company_ids": list(company_ids)},
    )
    overrides: dict[int, list[StoredOverride]] = {}
    for row in rows:
        overrides.setdefault(row["company_id"], []).append(_stored(row))
    return overrides


def list_for_organization(
    organization_id: int, *, company_id: int | None = None, ended: bool = False
) -> list[ListedOverride]:
    """Return the overrides in force, or with `ended` all of them, newest first.

    `company_id` restricts them to one company.
    """
    columns = ", ".join(f"o.{name}" for name in _COLUMNS.split(", "))
    rows = query(
        f"select {columns}, c.external_id as company, c.name as company_name"
        " from flag_overrides o join companies c"
        " on c.organization_id = o.organization_id and c.id = o.company_id"
        " where o.organization_id = %(organization_id)s"
        + ("" if ended else " and o.ended_at is null")
        + ("" if company_id is None else " and o.company_id = %(company_id)s")
        + " order by o.starts_at desc, o.id desc",
        {"organization_id": organization_id, "company_id": company_id},
    )
    return [
        ListedOverride(row.pop("company"), row.pop("company_name"), _stored(row)) for row in rows
    ]


def count_between(organization_id: int, *, since: datetime, until: datetime) -> int:
    """Count the overrides that were in force at any time from `since` to `until`."""
    rows = query(
        "select count(*) as number from flag_overrides"
        " where organization_id = %(organization_id)s and starts_at <= %(until)s"
        " and coalesce(ended_at, 'infinity') > %(since)s",
        {"organization_id": organization_id, "since": since, "until": until},
    )
    number: int = rows[0]["number"]
    return number


def find_due_companies(organization_id: int, *, until: datetime) -> list[int]:
    """Return the companies of an organization that have an override due up to an instant."""
    return due_companies.list_due("flag_overrides", organization_id, until=until)


def _stored(row: dict[str, Any]) -> StoredOverride:
    return StoredOverride(**{**row, "kind": Kind(row["kind"])})
