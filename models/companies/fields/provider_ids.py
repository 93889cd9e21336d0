"""Finds companies and users by the ids that other products know them by."""

from collections.abc import Collection
from typing import Literal, NamedTuple

from models.database import query


class KnownId(NamedTuple):
    """The id of a company or user in another product, and the client's own id of it."""

    provider_id: str
    external_id: str


def find_companies(
    organization_id: int,
    provider: str,
    provider_ids: Collection[str],
    *,
    fields: Literal["crm", "payment"],
    compared: int | None = None,
) -> list[KnownId]:
    """Return the companies that a CRM or payment provider knows by one of these ids.

    With `compared`, only so many of the first characters of an id count. Reads all companies of the
    organization, which an import does once.
    """
    column = f"{fields}_provider_id"
    key = column if compared is None else f"left({column}, {int(compared)})"
    rows = query(
        f"select {column} as provider_id, external_id from companies"
        f" where organization_id = %(organization_id)s and lower({fields}_provider) = %(provider)s"
        f" and {key} = any(%(ids)s)",
        {
            "organization_id": organization_id,
            "provider": provider,
            "ids": list({text[:compared] for text in provider_ids}),
        },
    )
    return [KnownId(**row) for row in rows]


def find_users(organization_id: int, provider: str, provider_ids: Collection[str]) -> list[KnownId]:
    """Return the users with one of these ids in the custom field `crm_provider_id`."""
    rows = query(
        "select traits->>'crm_provider_id' as provider_id, external_id from users"
        " where organization_id = %(organization_id)s"
        " and lower(traits->>'crm_provider') = %(provider)s"
        " and traits->>'crm_provider_id' = any(%(ids)s)",
        {"organization_id": organization_id, "provider": provider, "ids": list(provider_ids)},
    )
    return [KnownId(**row) for row in rows]


def find_users_by_email(organization_id: int, emails: Collection[str]) -> list[KnownId]:
    """Return the users with one of these emails, in lower case, as their ids in a product."""
    rows = query(
        "select lower(email) as provider_id, external_id from users"
        " where organization_id = %(organization_id)s and lower(email) = any(%(emails)s)",
        {"organization_id": organization_id, "emails": list(emails)},
    )
    return [KnownId(**row) for row in rows]


def find_companies_by_any(organization_id: int, provider_ids: Collection[str]) -> list[KnownId]:
    """Return the companies that any CRM or payment provider knows by one of these ids.

    Reads all companies of the organization, which an import does once.
    """
    rows = query(
        "select known.id as provider_id, c.external_id from companies c"
        " cross join lateral (values (crm_provider_id), (payment_provider_id)) as known (id)"
        " where c.organization_id = %(organization_id)s and known.id = any(%(ids)s)"
        " order by c.id",
        {"organization_id": organization_id, "ids": list(provider_ids)},
    )
    return [KnownId(**row) for row in rows]
