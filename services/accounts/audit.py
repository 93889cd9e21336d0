"""Writes the audit log: every change that people make, and who made it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.organizations import audit_log
from models.organizations.audit_log import Change
from models.people import memberships
from models.people.people import Person

COMMAND_LINE = "command line"
FIRST_START = "first start"


@dataclass(frozen=True)
class Maker:
    """Who makes a change: a person by their email, or a tool."""

    name: str
    person_id: int | None = None

    @classmethod
    def of(cls, person: Person) -> "Maker":
        """Return a person as the maker of a change."""
        return cls(person.email, person.id)


def change_by(
    maker: Maker, at: datetime, action: str, subject: str, detail: Mapping[str, Any] | None = None
) -> Change:
    """Return a change in the form of the log."""
    return Change(
        person_id=maker.person_id,
        made_by=maker.name,
        at=at,
        action=action,
        subject=subject,
        detail=detail or {},
    )


def log_in_all_organizations(
    person: Person, maker: Maker, at: datetime, action: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Log a change of a person in each organization that they are a member of."""
    change = change_by(maker, at, action, person.email, detail)
    for membership in memberships.list_for_person(person.id):
        audit_log.add(membership.organization.id, change)
