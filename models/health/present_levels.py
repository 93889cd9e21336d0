"""The recorded levels of companies in short, page by page: what an edit of rules begins from."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import orjson

from models.database import query


class PresentLevels(NamedTuple):
    """The status of a company and those of its flags, None for not applicable.

    `next_due` is when the next of its flags is due, and `fixed_until` when its health last changed.
    `is_overridden` is whether it has an override of a flag that has not ended.
    """

    id: int
    external_id: str
    name: str
    first_seen_at: datetime
    status: str
    judged_version: int
    unsettled_since: datetime | None
    flags: Mapping[str, str | None]
    next_due: datetime | None
    fixed_until: datetime | None
    is_overridden: bool


def read_page(organization_id: int, *, after_id: int, limit: int) -> list[PresentLevels]:
    """Return the next companies of an organization in the order of their ids."""
    rows = query(
        "select c.id, c.external_id, c.name, c.first_seen_at, c.health_status as status,"
        " c.judged_version, c.unsettled_since, f.flags, f.next_due,"
        " greatest(f.fixed_until, c.recorded_until) as fixed_until,"
        " exists (select from flag_overrides o where o.organization_id = %(organization_id)s"
        " and o.company_id = c.id and not o.end_recorded) as is_overridden"
        " from (select * from companies where organization_id = %(organization_id)s"
        " and id > %(after_id)s order by id limit %(limit)s) c cross join lateral"
        " (select coalesce(json_object_agg(flag, status)::text, '{}') as flags,"
        " min(due_at) as next_due, max(greatest(changed_at, moved_at)) as fixed_until"
        " from flag_states where organization_id = %(organization_id)s and company_id = c.id) f"
        " order by c.id",
        {"organization_id": organization_id, "after_id": after_id, "limit": limit},
    )
    for row in rows:
        row["flags"] = orjson.loads(row["flags"])
    return [PresentLevels(**row) for row in rows]
