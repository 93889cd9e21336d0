"""Changes of who may use the dashboard, each with its entry in the audit log.

An administrator of one organization must gain nothing in another: what concerns a person as such,
password and disabling, is theirs only where they administer every organization of that person.
The command line is for whoever runs the product, and may do all of it.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from marshmallow import ValidationError, validate

from models.organizations import audit_log
from models.organizations.organizations import Organization
from models.people import memberships, people, sessions
from models.people.people import Person, PersonExists
from services.accounts import audit
from services.accounts.audit import Maker, change_by
from services.accounts.roles import Role

LONGEST_EMAIL = 254
LONGEST_NAME = 200
"""Characters."""

_check_email = validate.Email()


class ChangeRefused(Exception):
    """Raised when a change of people cannot be made, with the reason as a sentence."""


@dataclass(frozen=True)
class NewMember:
    """Somebody to be made a member; name and password are for who is new to the dashboard."""

    email: str
    name: str | None
    password_hash: str | None = field(repr=False)

    @property
    def called(self) -> str:
        """The name, or what stands for it."""
        return (self.name or "").strip()[:LONGEST_NAME] or self.email.strip().split("@")[0]


@dataclass(frozen=True)
class AddedMember:
    """Who was made a member; `is_new` tells whether the dashboard knew nobody of that email."""

    person: Person
    is_new: bool


def read_email(text: str) -> str:
    """An email as people enter it.

    Raises:
        ChangeRefused: it is none.
    """
    email = text.strip()
    with suppress(ValidationError):
        if len(email) <= LONGEST_EMAIL and email.isprintable():
            return str(_check_email(email))
    raise ChangeRefused(f"`{email[:LONGEST_EMAIL]}` is not an email address.")


def add(
    organization: Organization, newcomer: NewMember, role: Role, *, maker: Maker, at: datetime
) -> AddedMember:
    """Make somebody a member.

    Raises:
        ChangeRefused: they are a member already, or the email is none.
    """
    memberships.lock_organization(organization.id)
    email = read_email(newcomer.email)
    known = people.find(email)
    try:
        person = known or people.create(email, newcomer.called, newcomer.password_hash)
    except PersonExists:
        raise ChangeRefused(f"Somebody else is adding {email} right now; try again.") from None
    if not memberships.add(organization.id, person.id, role):
        raise ChangeRefused(f"{person.email} is a member of `{organization.name}` already.")
    audit_log.add(
        organization.id, change_by(maker, at, "Person added", person.email, {"role": role.value})
    )
    return AddedMember(person, known is None)


def change_role(
    organization: Organization, person: Person, role: Role, *, maker: Maker, at: datetime
) -> None:
    """Give a member another role.

    Raises:
        ChangeRefused: they are no member, or the last who administers the organization.
    """
    former = _role_for_change(organization, person)
    if role is former:
        return
    if role is not Role.ADMINISTRATOR:
        _keep_an_administrator(organization, person)
    memberships.set_role(organization.id, person.id, role)
    detail = {"was": former.value, "role": role.value}
    audit_log.add(organization.id, change_by(maker, at, "Role changed", person.email, detail))


def remove(organization: Organization, person: Person, *, maker: Maker, at: datetime) -> None:
    """End a membership; the person stays, for other organizations and the audit log.

    Raises:
        ChangeRefused: they are no member, or the last who administers the organization.
    """
    role = _role_for_change(organization, person)
    _keep_an_administrator(organization, person)
    memberships.remove(organization.id, person.id)
    audit_log.add(
        organization.id, change_by(maker, at, "Person removed", person.email, {"role": role.value})
    )


def set_password(person: Person, password_hash: str, *, maker: Maker, at: datetime) -> None:
    """Store a new password, and end every session that the old one began."""
    people.set_password_hash(person.id, password_hash)
    sessions.end_all(person.id)
    audit.write_wherever_member(person, maker, at, "Password changed")


def disable(person: Person, *, maker: Maker, at: datetime) -> bool:
    """Keep a person from signing in anywhere, and end their sessions; False if that was so.

    Raises:
        ChangeRefused: an organization would have nobody left who administers it.
    """
    for membership in memberships.lock_organizations_of(person.id):
        _keep_an_administrator(membership.organization, person)
    if not people.disable(person.id, at):
        return False
    sessions.end_all(person.id)
    audit.write_wherever_member(person, maker, at, "Person disabled")
    return True


def enable(person: Person, *, maker: Maker, at: datetime) -> bool:
    """Let a person sign in again; False if they could."""
    if not people.enable(person.id):
        return False
    audit.write_wherever_member(person, maker, at, "Person enabled")
    return True


def administers_all_of(administered: Collection[int], person: Person) -> bool:
    """Whether somebody who administers these organizations does so for all of a person's."""
    return {m.organization.id for m in memberships.of_person(person.id)} <= set(administered)


def _role_for_change(organization: Organization, person: Person) -> Role:
    memberships.lock_organization(organization.id)
    role = memberships.role_of(organization.id, person.id)
    if role is None:
        raise ChangeRefused(f"{person.email} is no member of `{organization.name}`.")
    return Role(role)


def _keep_an_administrator(organization: Organization, person: Person) -> None:
    """See that an organization is administered without this person, if it is by them now."""
    if memberships.role_of(organization.id, person.id) != Role.ADMINISTRATOR or person.disabled_at:
        return
    if not memberships.count_other_administrators(organization.id, person.id):
        raise ChangeRefused(
            f"{person.email} is the last administrator of `{organization.name}`;"
            " make somebody else one first."
        )
