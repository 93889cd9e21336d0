"""The worst companies of some owners, of these the most valuable; without those that left.

Read from one index, a status after the other, until there are enough.
"""

from collections.abc import Collection, Sequence

from models.database import query


def list_ids(
    organization_id: int, owners: Collection[str], worst_first: Sequence[str], *, limit: int
) -> list[int]:
    """Return the row ids of the first companies with any of the statuses.

    `owners` are written as the companies have them.
    """
    rows = query(
        """
        select worst.id from unnest(%(statuses)s::text[]) with ordinality listed (status, place)
        cross join lateral (
            select id, value from companies
            where organization_id = %(organization_id)s and health_status = listed.status
                and owner = any(%(owners)s::text[]) and left_on is null
            order by value desc nulls last, id limit %(limit)s
        ) worst order by place, value desc nulls last, id limit %(limit)s
        """,
        {
            "organization_id": organization_id,
            "owners": list(owners),
            "statuses": list(worst_first),
            "limit": limit,
        },
    )
    return [row["id"] for row in rows]
