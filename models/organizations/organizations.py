"""Organizations: the tenants."""

from dataclasses import dataclass
from datetime import datetime

from peewee import IntegrityError

from models.database import database, query
from models.errors import ModelError


class OrganizationExists(ModelError):
    """Raised when the name of a new organization is taken."""


@dataclass(frozen=True)
class Organization:
    """One tenant; `rate_limit` is None for the default, `rules_version` 0 before any rules."""

    id: int
    name: str
    rate_limit: str | None
    rules_version: int
    created_at: datetime


COLUMNS = "id, name, rate_limit, rules_version, created_at"


def create(name: str, *, rate_limit: str | None = None) -> Organization:
    """Add an organization.

    Raises:
        OrganizationExists: the name is taken.
    """
    try:
        with database.atomic():
            rows = query(
                "insert into organizations (name, rate_limit) values (%(name)s, %(rate_limit)s)"
                f" returning {COLUMNS}",
                {"name": name, "rate_limit": rate_limit},
            )
    except IntegrityError:
        raise OrganizationExists(name) from None
    return Organization(**rows[0])


def find(name: str) -> Organization | None:
    """The organization with this name."""
    rows = query(f"select {COLUMNS} from organizations where name = %(name)s", {"name": name})
    return Organization(**rows[0]) if rows else None


def find_by_id(organization_id: int) -> Organization | None:
    """The organization with this id."""
    rows = query(f"select {COLUMNS} from organizations where id = %(id)s", {"id": organization_id})
    return Organization(**rows[0]) if rows else None


def list_all() -> list[Organization]:
    """All organizations, by name."""
    return [
        Organization(**row) for row in query(f"select {COLUMNS} from organizations order by name")
    ]


def lock_rules_version(organization_id: int) -> int:
    """Lock an organization's row for a change of its rules; the version in force."""
    rows = query(
        "select rules_version from organizations where id = %(id)s for update",
        {"id": organization_id},
    )
    version: int = rows[0]["rules_version"]
    return version
