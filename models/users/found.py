"""Finds users and companies by what people type into a search: a few of each, for a list."""

from dataclasses import dataclass

from models.companies.filters.found_text import FEWEST_CHARACTERS, found_text
from models.database import query

FEW = 6
"""Of each kind that a search returns."""


@dataclass(frozen=True)
class FoundUser:
    """A user that a search finds, with its company; ids are the client's own."""

    id: str
    name: str | None
    email: str | None
    company_name: str


@dataclass(frozen=True)
class FoundCompany:
    """A company that a search finds; `id` is the client's own."""

    id: str
    name: str
    health_status: str


def find_companies(organization_id: int, text: str, *, limit: int = FEW) -> list[FoundCompany]:
    """Return companies that `found_text` finds, those whose name begins with the text first."""
    condition, parameters = found_text(text)
    rows = query(
        "select external_id as id, name, health_status from companies"
        f" where organization_id = %(organization_id)s and {condition}"
        " order by external_id = %(text)s desc, starts_with(lower(name), lower(%(text)s)) desc,"
        " lower(name), id limit %(limit)s",
        {"organization_id": organization_id, "limit": limit, **parameters},
    )
    return [FoundCompany(**row) for row in rows]


def find_users(organization_id: int, text: str, *, limit: int = FEW) -> list[FoundUser]:
    """Return users with this id, or whose email, its domain, or name begins with the text.

    Each of the conditions is a scan of an index. An email or name is searched for from
    `FEWEST_CHARACTERS` on.
    """
    scans = ["external_id = %(text)s"]
    if len(text) >= FEWEST_CHARACTERS:
        scans += [
            f'{part} is not null and {value} collate "C" >= lower(%(text)s)'
            f' and {value} collate "C" < lower(%(text)s) || chr(1114109)'
            for part, value in (
                ("email", "lower(email)"),
                ("email", "lower(split_part(email, '@', 2))"),
                ("name", "lower(name)"),
            )
        ]
    parts = (
        "(select id from users where organization_id = %(organization_id)s"
        f" and {scan} limit %(limit)s)"
        for scan in scans
    )
    rows = query(
        "select u.external_id as id, u.name, u.email, c.name as company_name from users u"
        " join companies c on c.organization_id = u.organization_id and c.id = u.company_id"
        " where u.organization_id = %(organization_id)s"
        f" and u.id in ({' union '.join(parts)})"
        " order by u.external_id = %(text)s desc, lower(coalesce(u.name, u.email, '')), u.id"
        " limit %(limit)s",
        {"organization_id": organization_id, "text": text, "limit": limit},
    )
    return [FoundUser(**row) for row in rows]
