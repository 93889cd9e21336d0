"""Every version of an organization's rules, as it was written."""

from dataclasses import dataclass
from datetime import datetime

from models.database import execute, query


@dataclass(frozen=True)
class RuleVersion:
    """One applied rule file; `brought_back` is the version that a rollback repeats.

    `in_dashboard` tells that it was made there, and not from a file.
    """

    version: int
    source: str
    applied_at: datetime
    applied_by: str
    brought_back: int | None
    in_dashboard: bool


_COLUMNS = "version, source, applied_at, applied_by, brought_back, in_dashboard"


def add(
    organization_id: int,
    source: str,
    *,
    applied_by: str,
    applied_at: datetime,
    brought_back: int | None = None,
    in_dashboard: bool = False,
) -> int:
    """Put a new version in force from `applied_at` on; its number.

    `brought_back` is the version that it repeats, where it is a rollback.
    """
    rows = query(
        "update organizations set rules_version = rules_version + 1"
        " where id = %(organization_id)s returning rules_version",
        {"organization_id": organization_id},
    )
    version: int = rows[0]["rules_version"]
    execute(
        "insert into rule_versions (organization_id, version, source, applied_at, applied_by,"
        " brought_back, in_dashboard) values (%(organization_id)s, %(version)s, %(source)s,"
        " %(applied_at)s, %(applied_by)s, %(brought_back)s, %(in_dashboard)s)",
        {
            "organization_id": organization_id,
            "version": version,
            "source": source,
            "applied_at": applied_at,
            "applied_by": applied_by,
            "brought_back": brought_back,
            "in_dashboard": in_dashboard,
        },
    )
    return version


def find(organization_id: int, version: int) -> RuleVersion | None:
    """One version."""
    rows = query(
        f"select {_COLUMNS} from rule_versions"
        " where organization_id = %(organization_id)s and version = %(version)s",
        {"organization_id": organization_id, "version": version},
    )
    return RuleVersion(**rows[0]) if rows else None


def list_after(organization_id: int, version: int) -> list[RuleVersion]:
    """The versions that came into force after this one, in order."""
    rows = query(
        f"select {_COLUMNS} from rule_versions"
        " where organization_id = %(organization_id)s and version > %(version)s order by version",
        {"organization_id": organization_id, "version": version},
    )
    return [RuleVersion(**row) for row in rows]


def read_page(organization_id: int, *, before: int | None = None, limit: int) -> list[RuleVersion]:
    """The newest versions, or those before one, the newest first."""
    rows = query(
        f"select {_COLUMNS} from rule_versions where organization_id = %(organization_id)s"
        + (" and version < %(before)s" if before is not None else "")
        + " order by version desc limit %(limit)s",
        {"organization_id": organization_id, "before": before, "limit": limit},
    )
    return [RuleVersion(**row) for row in rows]


def read_current_versions(organization_ids: list[int]) -> dict[int, int]:
    """The number of each organization's version in force, 0 for none."""
    rows = query(
        "select id, rules_version from organizations where id = any(%(ids)s)",
        {"ids": organization_ids},
    )
    return {row["id"]: row["rules_version"] for row in rows}
