"""Quiet event keys: keys that have been silent for much longer than usual."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.database import query

SAMPLE_HOURS = 500
"""The latest hours with events that show what is usual for a key: at least three weeks."""

MIN_HOURS = 24
"""Hours with events below which it is unknown what is usual."""

QUIET_FACTOR = 2
"""A key is quiet after this many times its longest silence before."""

MIN_SILENCE = timedelta(hours=6)


@dataclass(frozen=True)
class QuietKey:
    """An event key that has not occurred since `last_at`, and its longest silence before that."""

    event_key: str
    last_at: datetime
    silent_for: timedelta
    longest_before: timedelta


def find_quiet_keys(
    organization_id: int, event_keys: Iterable[str], now: datetime
) -> list[QuietKey]:
    """Return the keys that have been silent for much longer than usual, longest silent first.

    Usual is the longest silence between the latest hours with events; keys with too few such hours
    are never quiet. Silences are measured from whole hour to whole hour, the longest possible.
    """
    silent = _silent_since(organization_id, list(event_keys), now - MIN_SILENCE)
    rows = query(
        f"""
        select event_key, max(last_at) as last_at,
            max(hour - before) as longest_before, count(*) as hours
        from (
            select requested.event_key, h.hour, h.last_at,
                lag(h.hour) over (partition by requested.event_key order by h.hour) as before
            from unnest(%(keys)s::text[]) requested (event_key) cross join lateral (
                select hour, max(last_at) as last_at from (
                    (select hour, last_at from event_counts
                     where organization_id = %(organization_id)s
                        and event_key = requested.event_key
                     order by hour desc limit {SAMPLE_HOURS})
                    union all
                    select hour, last_at from event_arrivals
                    where organization_id = %(organization_id)s and event_key = requested.event_key
                ) merged group by hour
            ) h
        ) hours group by event_key
        """,
        {"organization_id": organization_id, "keys": silent},
    )
    quiet = [
        QuietKey(row["event_key"], row["last_at"], now - row["last_at"], row["longest_before"])
        for row in rows
        if row["hours"] >= MIN_HOURS and now - row["last_at"] > QUIET_FACTOR * row["longest_before"]
    ]
    return sorted(quiet, key=lambda key: key.last_at)


def _silent_since(organization_id: int, event_keys: list[str], at: datetime) -> list[str]:
    """Return the keys that occurred before an instant but not after it; usually few."""
    rows = query(
        """
        select requested.event_key from unnest(%(keys)s::text[]) requested (event_key)
        cross join lateral (
            select last_at from event_counts
            where organization_id = %(organization_id)s and event_key = requested.event_key
            order by hour desc limit 1
        ) counted
        where counted.last_at < %(at)s
            and not exists (select from event_arrivals
                where organization_id = %(organization_id)s
                    and event_key = requested.event_key and last_at >= %(at)s)
        """,
        {"organization_id": organization_id, "keys": event_keys, "at": at},
    )
    return [row["event_key"] for row in rows]
