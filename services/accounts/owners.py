"""Which owners of companies a member is, and which member an owner is.

A member is the owner with their email, and those with one of the values that are set for them, such
as `Jane Doe` where a CRM names owners. Upper and lower case do not matter.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from models.companies import company_counts
from models.organizations import audit_log
from models.organizations.organizations import Organization
from models.people import memberships
from models.people.memberships import Membership
from models.people.people import Person
from rules.team import LONGEST_OWNER
from services.accounts.audit import Maker, change_by
from services.accounts.people import ChangeRefused

MOST_VALUES = 20
"""Values of one member."""

MOST_OWNERS = 500
"""Owners, those with the most companies, that are searched for ones that no member is."""


def owners_of(person: Person, membership: Membership) -> tuple[str, ...]:
    """Return the values of `owner` that mean a member, the email first."""
    return (person.email, *membership.owner_values)


def find_person(organization_id: int, owner: str) -> Person | None:
    """Return the member that an owner is; None if it is no member, or one who is disabled."""
    return find_people(organization_id, [owner]).get(owner)


def find_people(organization_id: int, owners: Collection[str]) -> Mapping[str, Person]:
    """Return the members that owners are, by owner. A member's email is before others' values."""
    return memberships.find_owners(organization_id, owners)


def unmatched_owners(organization_id: int, *, limit: int) -> list[tuple[str, int]]:
    """Return the owners that no member is, with their numbers of companies, the most first."""
    counted = company_counts.count_by_owner(organization_id, limit=MOST_OWNERS)
    known = find_people(organization_id, [owner for owner, _ in counted])
    return [(owner, number) for owner, number in counted if owner not in known][:limit]


def change_owners(
    organization: Organization,
    person: Person,
    texts: Iterable[str],
    *,
    maker: Maker,
    at: datetime,
) -> None:
    """Replace the values that mean a member besides their email, with an entry in the audit log.

    Raises:
        ChangeRefused: They are not a member, a value is too long, there are too many, or one means
            another member.
    """
    memberships.lock_organization(organization.id)
    listed = memberships.list_for_organization(organization.id)
    former = next((m.owner_values for m in listed if m.person_id == person.id), None)
    if former is None:
        raise ChangeRefused(f"{person.email} is not a member of `{organization.name}`.")
    values = _distinct(texts, person.email)
    _check(values)
    for member in listed:
        if member.person_id == person.id:
            continue
        taken = {owner.lower() for owner in (member.email, *member.owner_values)}
        for value in values:
            if value.lower() in taken:
                raise ChangeRefused(f"`{value}` is already a name of {member.email}.")
    if list(former) == values:
        return
    memberships.set_owner_values(organization.id, person.id, values)
    detail = {"was": list(former), "owners": values}
    audit_log.add(organization.id, change_by(maker, at, "Owners changed", person.email, detail))


def _distinct(texts: Iterable[str], email: str) -> list[str]:
    """Return the values that remain of texts: without empty ones, repetitions and the email."""
    seen = {"", email.lower()}
    values = []
    for text in texts:
        value = text.strip()
        if value.lower() not in seen:
            seen.add(value.lower())
            values.append(value)
    return values


def _check(values: list[str]) -> None:
    if len(values) > MOST_VALUES:
        raise ChangeRefused(f"{len(values)} names are too many; the most are {MOST_VALUES}.")
    for value in values:
        if len(value) > LONGEST_OWNER:
            raise ChangeRefused(f"A name has at most {LONGEST_OWNER} characters.")
