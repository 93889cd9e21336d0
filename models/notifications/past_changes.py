"""Recent health changes, to count the messages that other rules would have sent about them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.database import query


@dataclass(frozen=True)
class PastChange:
    """A recorded change, with the fields of its company as they are now."""

    recorded_at: datetime
    from_status: str
    to_status: str
    cause: str
    changes: list[dict[str, Any]]
    rules_version: int
    fields: dict[str, Any]


def list_recorded(
    organization_id: int, *, since: datetime, limit: int, of_flags: bool = True
) -> list[PastChange]:
    """Return the newest changes that were recorded after an instant, without imported ones.

    When they happened does not matter: people are notified of a change once it is recorded.
    Without `of_flags`, those that changed no status are left out.
    """
    rows = query(
        "select newest.*, c.traits || jsonb_build_object('id', c.external_id, 'name', c.name)"
        " as fields from (select id, company_id, recorded_at, from_status, to_status, cause,"
        " changes, rules_version from transitions where organization_id = %(organization_id)s"
        " and recorded_at > %(since)s and cause <> 'import'"  # as in the index
        " and (%(of_flags)s or from_status <> to_status)"
        " order by recorded_at desc, id desc limit %(limit)s) newest join companies c"
        " on c.organization_id = %(organization_id)s and c.id = newest.company_id"
        " order by newest.recorded_at, newest.id",
        {
            "organization_id": organization_id,
            "since": since,
            "limit": limit,
            "of_flags": of_flags,
        },
    )
    names = PastChange.__dataclass_fields__
    return [PastChange(**{name: row[name] for name in names}) for row in rows]
