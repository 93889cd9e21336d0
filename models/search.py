"""One search for companies, users and event keys, by what people type into a search field."""

from dataclasses import dataclass

from models.companies.filters.found_text import found_text
from models.database import query
from models.folding import folded


@dataclass(frozen=True)
class FoundCompany:
    """A company by the client's own id."""

    id: str
    name: str
    health_status: str


@dataclass(frozen=True)
class FoundUser:
    """A user by the client's own id, with their company."""

    id: str
    name: str | None
    email: str | None
    company: str
    company_name: str


@dataclass(frozen=True)
class FoundEventKey:
    """An event key of the rules in force, with its display name."""

    event_key: str
    name: str


@dataclass(frozen=True)
class Found:
    """What a search finds."""

    companies: list[FoundCompany]
    users: list[FoundUser]
    event_keys: list[FoundEventKey]


def search(organization_id: int, text: str, *, limit: int = 5) -> Found:
    """Return up to `limit` companies, users and event keys that a text finds, regardless of case.

    Companies are found as in their list, see `found_text`; those whose name or id begins with the
    text come first. Users are found by the beginning of their email or of its domain, and by their
    whole id; event keys by a part of the key or of a name. Accents matter in emails and ids only.
    """
    text = text.strip()
    if not text:
        return Found([], [], [])
    return Found(
        _companies(organization_id, text, limit),
        _users(organization_id, text, limit),
        _event_keys(organization_id, text, limit),
    )


def _companies(organization_id: int, text: str, limit: int) -> list[FoundCompany]:
    matching, parameters = found_text(text)
    sought = folded("%(text)s::text")
    rows = query(
        "select external_id as id, name, health_status from companies"
        f" where organization_id = %(organization_id)s and {matching} order by"
        f" not (starts_with({folded('name')}, {sought})"
        f" or starts_with({folded('external_id')}, {sought})), searched limit %(limit)s",
        {"organization_id": organization_id, "limit": limit, **parameters},
    )
    return [FoundCompany(**row) for row in rows]


def _users(organization_id: int, text: str, limit: int) -> list[FoundUser]:
    """Find users by three indexes, so that it takes as long with millions of them."""
    of_users = "(select id from users where organization_id = %(organization_id)s and"
    ranges = (
        f'{of_users} {key} collate "C" >= lower(%(text)s)'
        f' and {key} collate "C" < lower(%(text)s) || chr(1114109) limit %(limit)s)'
        for key in ("lower(email)", "lower(split_part(email, '@', 2))")
    )
    found = " union ".join((*ranges, f"{of_users} external_id = %(text)s)"))
    rows = query(
        "select u.external_id as id, u.name, u.email, c.external_id as company,"
        " c.name as company_name from users u join companies c"
        " on c.organization_id = %(organization_id)s and c.id = u.company_id"
        f" where u.organization_id = %(organization_id)s and u.id in ({found})"
        " order by lower(coalesce(u.email, u.name, u.external_id)), u.external_id limit %(limit)s",
        {"organization_id": organization_id, "text": text, "limit": limit},
    )
    return [FoundUser(**row) for row in rows]


def _event_keys(organization_id: int, text: str, limit: int) -> list[FoundEventKey]:
    sought = folded("%(text)s::text")
    rows = query(
        "select event_key, name from event_settings where organization_id = %(organization_id)s"
        " and exists (select from unnest(array[event_key, name] || called) as written"
        f" where strpos({folded('written')}, {sought}) > 0)"
        " order by event_key limit %(limit)s",
        {"organization_id": organization_id, "text": text, "limit": limit},
    )
    return [FoundEventKey(**row) for row in rows]
