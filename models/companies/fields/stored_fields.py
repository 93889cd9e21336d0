"""Reads the fields of companies and users without locking them, to compare them with others."""

from collections.abc import Collection
from typing import NamedTuple

from models.companies.companies import FIELD_COLUMNS, pop_traits
from models.companies.fields.field_merge import Traits
from models.database import query


class StoredFields(NamedTuple):
    """The fields of a company or user, and the client's own id of the company of a user."""

    traits: Traits
    company_id: str | None = None


def find_companies(organization_id: int, external_ids: Collection[str]) -> dict[str, StoredFields]:
    """Return the fields of an organization's companies by the client's own ids."""
    rows = query(
        f"select external_id, last_event_at, {', '.join(FIELD_COLUMNS)} from companies"
        " where organization_id = %(organization_id)s and external_id = any(%(ids)s)",
        {"organization_id": organization_id, "ids": list(external_ids)},
    )
    return {row["external_id"]: StoredFields(pop_traits(row)) for row in rows}


def find_users(organization_id: int, external_ids: Collection[str]) -> dict[str, StoredFields]:
    """Return the fields of an organization's users by the client's own ids."""
    rows = query(
        "select u.external_id, c.external_id as company_id, u.email, u.name, u.traits, u.fields_at,"
        " u.company_at, u.left_out from users u join companies c"
        " on c.organization_id = u.organization_id and c.id = u.company_id"
        " where u.organization_id = %(organization_id)s and u.external_id = any(%(ids)s)",
        {"organization_id": organization_id, "ids": list(external_ids)},
    )
    return {
        row["external_id"]: StoredFields(
            Traits.stored(
                {"email": row["email"], "name": row["name"]},
                row["traits"],
                row["fields_at"],
                row["company_at"],
                digest=None,
                left_out=row["left_out"],
            ),
            row["company_id"],
        )
        for row in rows
    }
