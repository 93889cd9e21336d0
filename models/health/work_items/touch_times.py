"""How long it took until somebody did something about items, by whose they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.database import json, query


@dataclass(frozen=True)
class TouchTimes:
    """The items that were opened in a time: how many, how many were touched, and how soon.

    `person_id` is whose they are; if it is None, `owner` is an owner that is no member, in lower
    case, or None. `median` is of the touched items; None if there is none.
    """

    person_id: int | None
    owner: str | None
    opened: int
    touched: int
    median: timedelta | None


def list_by_person(
    organization_id: int, owners: Mapping[str, int], since: datetime, *, limit: int
) -> list[TouchTimes]:
    """Return the times of items that were opened since an instant, the most items first.

    `owners` are the members by the owners, in lower case, that they are.
    """
    rows = query(
        """
        select person_id, owner, count(*) as opened, count(touched_at) as touched,
            percentile_cont(0.5) within group (order by touched_at - opened_at) as median
        from (
            select coalesce(i.assignee_id, m.person_id) as person_id, i.opened_at, i.touched_at,
                case when i.assignee_id is null and m.person_id is null then lower(i.owner) end
                    as owner
            from work_items i left join (
                select key, value::bigint as person_id from jsonb_each_text(%(owners)s)
            ) m on m.key = lower(i.owner)
            where i.organization_id = %(organization_id)s and i.opened_at >= %(since)s
        ) of_items
        group by person_id, owner order by opened desc, person_id, owner limit %(limit)s
        """,
        {
            "organization_id": organization_id,
            "owners": json(dict(owners)),
            "since": since,
            "limit": limit,
        },
    )
    return [TouchTimes(**row) for row in rows]
