"""Writes the audit log: every change that people make, with who made it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.organizations import audit_log
from models.organizations.audit_log import Change
from models.people import memberships
from models.people.people import Person

COMMAND_LINE = "command line"


@dataclass(frozen=True)
class Maker:
    """Who makes a change: a person by their email, or a tool."""

    name: str
    person_id: int | None = None

    @classmethod
    def of(cls, person: Person) -> "Maker":
        """A person as the maker of a change."""
        return cls(person.email, person.id)


def change_by(
    maker: Maker, at: datetime, action: str, subject: str, detail: Mapping[str, Any] | None = None
) -> Change:
    """A change by any maker, as the log has it."""
    return Change(
        person_id=maker.person_id,
        made_by=maker.name,
        at=at,
        action=action,
        subject=subject,
        detail=detail or {},
    )


def write_wherever_member(
    person: Person, maker: Maker, at: datetime, action: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Write down what concerns a person as such, in each organization that they belong to."""
    change = change_by(maker, at, action, person.email, detail)
    for membership in memberships.of_person(person.id):
        audit_log.add(membership.organization.id, change)
