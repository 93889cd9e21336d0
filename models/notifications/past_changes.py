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
    """Return the newest changes that were recorded after an instant, in the order of recording."""
    rows = query(
        "select * from (select t.id, t.recorded_at, t.from_status, t.to_status, t.cause, t.changes,"
        " t.rules_version, c.traits || jsonb_build_object('id', c.external_id, 'name', c.name)"
        " as fields from transitions t join companies c"
        " on c.organization_id = t.organization_id and c.id = t.company_id"
        " where t.organization_id = %(organization_id)s and t.at > %(since)s"
        " and t.recorded_at > %(since)s and t.cause = any(%(causes)s)"
        " order by t.at desc limit %(limit)s) newest order by recorded_at, id",
        {
            "organization_id": organization_id,
            "since": since,
            "causes": list(causes),
            "limit": limit,
        },
    )
    return [PastChange(**{k: v for k, v in row.items() if k != "id"}) for row in rows]
