"""Recent changes of health, to count the messages that other rules would have sent about them."""

from collections.abc import Collection
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
    organization_id: int, *, since: datetime, causes: Collection[str], limit: int
) -> list[PastChange]:
    """Return the newest changes that happened and were recorded after an instant, as recorded.

    The index by time bounds the changes that are read.
    """
    rows = query(
        "select newest.*, c.traits || jsonb_build_object('id', c.external_id, 'name', c.name)"
        " as fields from (select id, company_id, recorded_at, from_status, to_status, cause,"
        " changes, rules_version from transitions where organization_id = %(organization_id)s"
        " and at > %(since)s and recorded_at > %(since)s and cause = any(%(causes)s)"
        " order by recorded_at desc, id desc limit %(limit)s) newest join companies c"
        " on c.organization_id = %(organization_id)s and c.id = newest.company_id"
        " order by newest.recorded_at, newest.id",
        {
            "organization_id": organization_id,
            "since": since,
            "causes": list(causes),
            "limit": limit,
        },
    )
    names = PastChange.__dataclass_fields__
    return [PastChange(**{name: row[name] for name in names}) for row in rows]
