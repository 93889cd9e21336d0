"""Changes of people and memberships, each with its entry in the audit log.

An administrator of one organization must gain nothing in another: the password of a person and
disabling them are up to those who administer every organization of that person. The command line
is for the operators of the product and may do everything.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from marshmallow import ValidationError, validate

from models.health.work_items import item_edits
from models.organizations import audit_log
from models.organizations.organizations import Organization
from models.people import memberships, people, sessions
from models.people.people import Person, PersonExists
from services.accounts import audit
from services.accounts.audit import Maker, change_by
from services.accounts.roles import Role
from services.errors import ServiceError

LONGEST_EMAIL = 254
LONGEST_NAME = 200
"""Characters."""

_check_email = validate.Email()


class ChangeRefused(ServiceError):
    """Raised when a change of people is refused; the message is a sentence for people."""


@dataclass(frozen=True)
class NewMember:
    """A person to add as a member; name and password are used if they are new to the dashboard."""

    email: str
    name: str | None
    password_hash: str | None = field(repr=False)

    @property
    def display_name(self) -> str:
        """The printable part of the name, or the first part of the email."""
        name = "".join(filter(str.isprintable, self.name or "")).strip()
        return name[:LONGEST_NAME] or self.email.strip().split("@")[0]


@dataclass(frozen=True)
class AddedMember:
    """A new member; `is_new` if nobody in the dashboard had that email."""

    person: Person
    is_new: bool


def read_email(text: str) -> str:
    """Return an email address that a person entered.

    Raises:
        ChangeRefused: it is not an email address.
    """
    email = text.strip()
    with suppress(ValidationError):
        if len(email) <= LONGEST_EMAIL and email.isprintable():
            return str(_check_email(email))
    raise ChangeRefused(f"`{email[:LONGEST_EMAIL]}` is not an email address.")


def add(
    organization: Organization, member: NewMember, role: Role, *, maker: Maker, at: datetime
) -> AddedMember:
    """Add a member.

    Raises:
        ChangeRefused: they are a member already, or the email is not an email address.
    """
    memberships.lock_organization(organization.id)
    email = read_email(member.email)
    existing = people.find(email)
    try:
        person = existing or people.create(email, member.display_name, member.password_hash)
    except PersonExists:
        raise ChangeRefused(f"Somebody else is adding {email} right now; try again.") from None
    if not memberships.add(organization.id, person.id, role):
        raise ChangeRefused(f"{person.email} is a member of `{organization.name}` already.")
    audit_log.add(
        organization.id, change_by(maker, at, "Person added", person.email, {"role": role.value})
    )
    return AddedMember(person, existing is None)


def change_role(
    organization: Organization, person: Person, role: Role, *, maker: Maker, at: datetime
) -> None:
    """Change the role of a member.

    Raises:
        ChangeRefused: they are not a member, or are the last administrator.
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

    Their work items are left to the owners of the companies.

    Raises:
        ChangeRefused: they are not a member, or are the last administrator.
    """
    role = _role_for_change(organization, person)
    _keep_an_administrator(organization, person)
    memberships.remove(organization.id, person.id)
    item_edits.release(organization.id, person.id)
    audit_log.add(
        organization.id, change_by(maker, at, "Person removed", person.email, {"role": role.value})
    )


def set_password(person: Person, password_hash: str, *, maker: Maker, at: datetime) -> None:
    """Store a new password and end every session of the person."""
    people.set_password_hash(person.id, password_hash)
    sessions.end_all(person.id)
    audit.log_in_all_organizations(person, maker, at, "Password changed")


def disable(person: Person, *, maker: Maker, at: datetime) -> bool:
    """Disable a person and end their sessions; False if they were disabled already.

    Raises:
        ChangeRefused: an organization would have no administrator left.
    """
    locked = memberships.lock_organizations_of(person.id)
    for membership in locked:
        _keep_an_administrator(membership.organization, person)
    if not people.disable(person.id, at):
        return False
    for membership in locked:
        item_edits.release(membership.organization.id, person.id)
    sessions.end_all(person.id)
    audit.log_in_all_organizations(person, maker, at, "Person disabled")
    return True


def enable(person: Person, *, maker: Maker, at: datetime) -> bool:
    """Let a person sign in again; False if they were not disabled."""
    if not people.enable(person.id):
        return False
    audit.log_in_all_organizations(person, maker, at, "Person enabled")
    return True


def administers_all_of(administered: Collection[int], person: Person) -> bool:
    """Whether these organizations include all organizations of a person."""
    return {m.organization.id for m in memberships.list_for_person(person.id)} <= set(administered)


def _role_for_change(organization: Organization, person: Person) -> Role:
    memberships.lock_organization(organization.id)
    role = memberships.find_role(organization.id, person.id)
    if role is None:
        raise ChangeRefused(f"{person.email} is not a member of `{organization.name}`.")
    return Role(role)


def _keep_an_administrator(organization: Organization, person: Person) -> None:
    """Check that an organization still has an administrator without this person."""
    if (
        memberships.find_role(organization.id, person.id) != Role.ADMINISTRATOR
        or person.disabled_at
    ):
        return
    if not memberships.count_other_administrators(organization.id, person.id):
        raise ChangeRefused(
            f"{person.email} is the last administrator of `{organization.name}`;"
            " make somebody else one first."
        )
