"""Memberships: the roles of people in organizations, and which owner of companies they are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.database import execute, query
from models.folding import folded
from models.organizations.organizations import COLUMNS, Organization
from models.people.people import COLUMNS as PERSON_COLUMNS
from models.people.people import Person
from models.people.tables import MembershipRow


@dataclass(frozen=True)
class Membership:
    """One person's role in one organization, as the person sees it."""

    organization: Organization
    role: str
    owner_values: Sequence[str] = ()


@dataclass(frozen=True)
class ListedMember:
    """One member of an organization, as its administrators see them."""

    person_id: int
    email: str
    name: str
    role: str
    has_password: bool
    signed_in_at: datetime | None
    disabled_at: datetime | None
    owner_values: Sequence[str] = ()


def list_for_person(person_id: int) -> list[Membership]:
    """Return a person's memberships, by the organization's name."""
    rows = query(
        "select m.role, m.owner_values,"
        f" {', '.join(f'o.{column}' for column in COLUMNS.split(', '))}"
        " from memberships m join organizations o on o.id = m.organization_id"
        " where m.person_id = %(person_id)s order by lower(o.name), o.id",
        {"person_id": person_id},
    )
    return [
        Membership(
            role=row.pop("role"),
            owner_values=row.pop("owner_values"),
            organization=Organization(**row),
        )
        for row in rows
    ]


def list_for_organization(organization_id: int) -> list[ListedMember]:
    """Return all members of an organization, by name."""
    rows = query(
        "select p.id as person_id, p.email, p.name, m.role, p.password_hash is not null"
        " as has_password, p.signed_in_at, p.disabled_at, m.owner_values"
        " from memberships m join people p on p.id = m.person_id"
        " where m.organization_id = %(organization_id)s order by lower(p.name), p.id",
        {"organization_id": organization_id},
    )
    return [ListedMember(**row) for row in rows]


def find_role(organization_id: int, person_id: int) -> str | None:
    """Return a person's role in an organization; None if they are not a member."""
    role: str | None = (
        MembershipRow.select(MembershipRow.role)
        .where(MembershipRow.organization == organization_id, MembershipRow.person == person_id)
        .scalar()
    )
    return role


def find_owners(organization_id: int, owners: Collection[str]) -> dict[str, Person]:
    """Return the members that owners of companies mean, by owner, except those who are disabled.

    An owner is a member's email, or else the first member's that has it as a value.
    """
    rows = query(
        f"select found.* from unnest(%(owners)s::text[]) as given (owner) cross join lateral ("
        f" select given.owner, {', '.join(f'p.{name}' for name in PERSON_COLUMNS.split(', '))}"
        "  from memberships m join people p on p.id = m.person_id"
        "  where m.organization_id = %(organization_id)s and p.disabled_at is null and ("
        f"   {folded('p.email')} = {folded('given.owner')} or exists (select"
        "    from unnest(m.owner_values) as v (value)"
        f"   where {folded('v.value')} = {folded('given.owner')}))"
        f"  order by {folded('p.email')} = {folded('given.owner')} desc, p.id limit 1) found",
        {"organization_id": organization_id, "owners": list(owners)},
    )
    return {row.pop("owner"): Person(**row) for row in rows}


def list_owner_keys(organization_id: int) -> dict[str, int]:
    """Return the members by all owners that they are, in lower case, with the same precedence."""
    rows = query(
        "select distinct on (key) key, person_id from ("
        " select lower(p.email) as key, p.id as person_id, 0 as rank"
        " from memberships m join people p on p.id = m.person_id"
        " where m.organization_id = %(organization_id)s and p.disabled_at is null"
        " union all select lower(v.value), p.id, 1"
        " from memberships m join people p on p.id = m.person_id"
        " cross join unnest(m.owner_values) as v (value)"
        " where m.organization_id = %(organization_id)s and p.disabled_at is null"
        ") keys order by key, rank, person_id",
        {"organization_id": organization_id},
    )
    return {row["key"]: row["person_id"] for row in rows}


def add(organization_id: int, person_id: int, role: str) -> bool:
    """Make a person a member; False if they already are."""
    return bool(
        execute(
            "insert into memberships (organization_id, person_id, role)"
            " values (%(organization_id)s, %(person_id)s, %(role)s) on conflict do nothing",
            {"organization_id": organization_id, "person_id": person_id, "role": role},
        )
    )


def set_role(organization_id: int, person_id: int, role: str) -> None:
    """Change a member's role."""
    MembershipRow.update(role=role).where(
        MembershipRow.organization == organization_id, MembershipRow.person == person_id
    ).execute()


def set_owner_values(organization_id: int, person_id: int, values: Sequence[str]) -> None:
    """Replace the values of companies' owner that mean a member, besides their email."""
    MembershipRow.update(owner_values=list(values)).where(
        MembershipRow.organization == organization_id, MembershipRow.person == person_id
    ).execute()


def remove(organization_id: int, person_id: int) -> None:
    """End a membership."""
    MembershipRow.delete().where(
        MembershipRow.organization == organization_id, MembershipRow.person == person_id
    ).execute()


def lock_organizations_of(person_id: int) -> list[Membership]:
    """Return a person's memberships, with their organizations locked against changes of members."""
    query(
        "select id from organizations where id in (select organization_id from memberships"
        " where person_id = %(person_id)s) order by id for no key update",
        {"person_id": person_id},
    )
    return list_for_person(person_id)


def lock_organization(organization_id: int) -> None:
    """Lock an organization against changes of its members until the transaction ends."""
    query(
        "select id from organizations where id = %(id)s for no key update",
        {"id": organization_id},
    )


def count_other_administrators(organization_id: int, person_id: int) -> int:
    """Count the administrators of an organization, except this person, who can sign in."""
    rows = query(
        "select count(*) as number from memberships m join people p on p.id = m.person_id"
        " where m.organization_id = %(organization_id)s and m.role = 'administrator'"
        " and p.disabled_at is null and p.id <> %(person_id)s",
        {"organization_id": organization_id, "person_id": person_id},
    )
    number: int = rows[0]["number"]
    return number


def add_first_administrators(organization_id: int) -> None:
    """Make the administrators of the oldest other organization administrators of this one."""
    execute(
        "insert into memberships (organization_id, person_id, role)"
        " select %(organization_id)s, person_id, role from memberships"
        " where role = 'administrator' and organization_id ="
        " (select min(id) from organizations where id <> %(organization_id)s)"
        " on conflict do nothing",
        {"organization_id": organization_id},
    )
