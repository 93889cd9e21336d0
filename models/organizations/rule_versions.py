"""Every version of an organization's rules, as it was written."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.database import query
from models.organizations.tables import OrganizationRow, RuleVersionRow
from models.table import fetch


@dataclass(frozen=True)
class RuleVersion:
    """One applied rule file; `brought_back` is the version that a rollback repeats.

    `in_dashboard` means that it was made in the dashboard, not read from a file.
    """

    version: int
    source: str
    applied_at: datetime
    applied_by: str
    brought_back: int | None
    in_dashboard: bool


def add(
    organization_id: int,
    source: str,
    *,
    applied_by: str,
    applied_at: datetime,
    brought_back: int | None = None,
    in_dashboard: bool = False,
) -> int:
    """Put a new version into force at `applied_at`, and return its number.

    `brought_back` is the version that it repeats if it is a rollback.
    """
    [organization] = (
        OrganizationRow.update(rules_version=OrganizationRow.rules_version + 1)
        .where(OrganizationRow.id == organization_id)
        .returning(OrganizationRow.rules_version)
        .execute()
    )
    version: int = organization.rules_version
    RuleVersionRow.insert(
        organization=organization_id,
        version=version,
        source=source,
        applied_at=applied_at,
        applied_by=applied_by,
        brought_back=brought_back,
        in_dashboard=in_dashboard,
    ).execute()
    return version


def find(organization_id: int, version: int) -> RuleVersion | None:
    """Return one version."""
    rows = _select(organization_id).where(RuleVersionRow.version == version)
    return next(iter(_versions(rows)), None)


def list_after(organization_id: int, version: int) -> list[RuleVersion]:
    """Return the versions that came into force after this one, in order."""
    rows = _select(organization_id).where(RuleVersionRow.version > version)
    return _versions(rows.order_by(RuleVersionRow.version))


def read_page(organization_id: int, *, before: int | None = None, limit: int) -> list[RuleVersion]:
    """Return the newest versions, or those before one, newest first."""
    rows = _select(organization_id)
    if before is not None:
        rows = rows.where(RuleVersionRow.version < before)
    return _versions(rows.order_by(RuleVersionRow.version.desc()).limit(limit))


def read_current(organization_id: int) -> int:
    """Return the number of the version in force; 0 for none, or if there is no organization."""
    rows = query(
        "select rules_version from organizations where id = %(organization_id)s",
        {"organization_id": organization_id},
    )
    return rows[0]["rules_version"] if rows else 0


def _select(organization_id: int) -> Any:
    columns = [getattr(RuleVersionRow, name) for name in RuleVersion.__dataclass_fields__]
    return RuleVersionRow.select(*columns).where(RuleVersionRow.organization == organization_id)


def _versions(rows: Any) -> list[RuleVersion]:
    return [RuleVersion(**row) for row in fetch(rows)]
