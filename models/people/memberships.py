"""Memberships: who may do what in which organization."""

from dataclasses import dataclass
from datetime import datetime

from models.database import execute, query
from models.organizations.organizations import COLUMNS, Organization


@dataclass(frozen=True)
class Membership:
    """One person's role in one organization, as the person sees it."""

    organization: Organization
    role: str


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


def list_for_person(person_id: int) -> list[Membership]:
    """Where a person is a member, by the organization's name."""
    rows = query(
        f"select m.role, {', '.join(f'o.{column}' for column in COLUMNS.split(', '))}"
        " from memberships m join organizations o on o.id = m.organization_id"
        " where m.person_id = %(person_id)s order by lower(o.name), o.id",
        {"person_id": person_id},
    )
    return [Membership(role=row.pop("role"), organization=Organization(**row)) for row in rows]


def list_for_organization(organization_id: int) -> list[ListedMember]:
    """All members of an organization, by name."""
    rows = query(
        "select p.id as person_id, p.email, p.name, m.role, p.password_hash is not null"
        " as has_password, p.signed_in_at, p.disabled_at"
        " from memberships m join people p on p.id = m.person_id"
        " where m.organization_id = %(organization_id)s order by lower(p.name), p.id",
        {"organization_id": organization_id},
    )
    return [ListedMember(**row) for row in rows]


def find_role(organization_id: int, person_id: int) -> str | None:
    """A person's role in an organization; None for who is no member."""
    rows = query(
        "select role from memberships"
        " where organization_id = %(organization_id)s and person_id = %(person_id)s",
        {"organization_id": organization_id, "person_id": person_id},
    )
    return str(rows[0]["role"]) if rows else None


def add(organization_id: int, person_id: int, role: str) -> bool:
    """Make a person a member; False if they are one already."""
    return bool(
        execute(
            "insert into memberships (organization_id, person_id, role)"
            " values (%(organization_id)s, %(person_id)s, %(role)s) on conflict do nothing",
            {"organization_id": organization_id, "person_id": person_id, "role": role},
        )
    )


def set_role(organization_id: int, person_id: int, role: str) -> None:
    """Give a member another role."""
    execute(
        "update memberships set role = %(role)s"
        " where organization_id = %(organization_id)s and person_id = %(person_id)s",
        {"organization_id": organization_id, "person_id": person_id, "role": role},
    )


def remove(organization_id: int, person_id: int) -> None:
    """End a membership."""
    execute(
        "delete from memberships"
        " where organization_id = %(organization_id)s and person_id = %(person_id)s",
        {"organization_id": organization_id, "person_id": person_id},
    )


def lock_organizations_of(person_id: int) -> list[Membership]:
    """The same as `of_person`, with the organizations locked: one change of members at a time."""
    query(
        "select id from organizations where id in (select organization_id from memberships"
        " where person_id = %(person_id)s) order by id for no key update",
        {"person_id": person_id},
    )
    return list_for_person(person_id)


def lock_organization(organization_id: int) -> None:
    """Let nobody else change the members of an organization until the transaction ends."""
    query(
        "select id from organizations where id = %(id)s for no key update",
        {"id": organization_id},
    )


def count_other_administrators(organization_id: int, person_id: int) -> int:
    """How many people besides this one administer an organization and may sign in."""
    rows = query(
        "select count(*) as number from memberships m join people p on p.id = m.person_id"
        " where m.organization_id = %(organization_id)s and m.role = 'administrator'"
        " and p.disabled_at is null and p.id <> %(person_id)s",
        {"organization_id": organization_id, "person_id": person_id},
    )
    number: int = rows[0]["number"]
    return number


def add_first_administrators(organization_id: int) -> None:
    """Have an organization administered by those who administer the first one that was made."""
    execute(
        "insert into memberships (organization_id, person_id, role)"
        " select %(organization_id)s, person_id, role from memberships"
        " where role = 'administrator' and organization_id ="
        " (select min(id) from organizations where id <> %(organization_id)s)"
        " on conflict do nothing",
        {"organization_id": organization_id},
    )
