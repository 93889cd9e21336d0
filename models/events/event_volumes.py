"""Event volumes: how often and when each event key last occurred, from the hourly counts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from models.database import query


@dataclass(frozen=True)
class Volume:
    """How often an event key occurred recently; the windows begin with a whole hour."""

    event_key: str
    last_at: datetime
    in_a_day: int
    in_a_week: int
    in_a_month: int


def read_volumes(organization_id: int, now: datetime) -> dict[str, Volume]:
    """Return the volume of every event key that ever occurred, by key.

    The windows of 24 hours, 7 and 30 days begin with the whole hour that contains their beginning.
    """
    begins = {"day": now - timedelta(days=1), "week": now - timedelta(days=7)}
    begins["month"] = now - timedelta(days=30)
    hours = {name: at.replace(minute=0, second=0, microsecond=0) for name, at in begins.items()}
    rows = query(
        """
        with recursive keys as (
            (select event_key from event_counts where organization_id = %(organization_id)s
             order by event_key limit 1)
            union all
            select next.event_key from keys cross join lateral (
                select event_key from event_counts where organization_id = %(organization_id)s
                    and event_key > keys.event_key order by event_key limit 1) next
        ), latest as (
            select last.* from keys cross join lateral (
                select event_key, hour, 0::bigint as events, last_at from event_counts
                where organization_id = %(organization_id)s and event_key = keys.event_key
                order by hour desc limit 1) last
        )
        select event_key, max(last_at) as last_at,
            coalesce(sum(events) filter (where hour >= %(day)s), 0)::bigint as in_a_day,
            coalesce(sum(events) filter (where hour >= %(week)s), 0)::bigint as in_a_week,
            coalesce(sum(events) filter (where hour >= %(month)s), 0)::bigint as in_a_month
        from (
            select event_key, hour, events, last_at from latest
            union all
            select event_key, hour, events, last_at from event_arrivals
            where organization_id = %(organization_id)s
            union all
            select c.event_key, hour, events, last_at from keys join event_counts c
                on c.organization_id = %(organization_id)s and c.event_key = keys.event_key
                and c.hour >= %(month)s
        ) counts group by event_key
        """,
        {"organization_id": organization_id, **hours},
    )
    return {row["event_key"]: Volume(**row) for row in rows}


def find_last_at(organization_id: int, event_key: str) -> datetime | None:
    """Return when an event key last occurred; None if it never did."""
    [row] = query(
        """
        select greatest(
            (select last_at from event_counts
             where organization_id = %(organization_id)s and event_key = %(event_key)s
             order by hour desc limit 1),
            (select max(last_at) from event_arrivals
             where organization_id = %(organization_id)s and event_key = %(event_key)s)
        ) as last_at
        """,
        {"organization_id": organization_id, "event_key": event_key},
    )
    last_at: datetime | None = row["last_at"]
    return last_at
