"""Organizations: the tenants."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import IntegrityError

from models.database import database
from models.errors import ModelError
from models.organizations.tables import OrganizationRow
from models.table import fetch


class OrganizationExists(ModelError):
    """Raised when another organization has the name of a new one."""


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
        OrganizationExists: Another organization has this name.
    """
    insert = OrganizationRow.insert(name=name, rate_limit=rate_limit)
    try:
        with database.atomic():
            [row] = insert.returning(OrganizationRow).dicts().execute()
    except IntegrityError:
        raise OrganizationExists(name) from None
    return Organization(**row)


def find(name: str) -> Organization | None:
    """Return the organization with this name."""
    return _find(OrganizationRow.name == name)


def find_by_id(organization_id: int) -> Organization | None:
    """Return the organization with this id."""
    return _find(OrganizationRow.id == organization_id)


def list_all() -> list[Organization]:
    """Return all organizations, by name."""
    rows = OrganizationRow.select().order_by(OrganizationRow.name)
    return [Organization(**row) for row in fetch(rows)]


def lock_rules_version(organization_id: int) -> int:
    """Lock an organization's row for a change of its rules, and return their version."""
    version: int = (
        OrganizationRow.select(OrganizationRow.rules_version)
        .where(OrganizationRow.id == organization_id)
        .for_update()
        .scalar()
    )
    return version


def _find(condition: Any) -> Organization | None:
    row = OrganizationRow.select().where(condition).dicts().first()
    return Organization(**row) if row else None
