"""How often each event came: by organization, event key and hour.

Who stores events adds rows to `event_arrivals` in the same transaction, so that an event is counted
exactly when it is stored, at its own time, however late it comes and however often it is sent.
Nobody waits for another there. `gather` moves what arrived into `event_counts`; readers
add up both, and so are never behind.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from models.bulk import query_over
from models.database import execute, query

HOURS_THAT_TELL = 500
"""The latest hours with events that tell what is usual for a key: three weeks at the least."""

FEWEST_HOURS = 24
"""Hours with events before which nothing is known to be usual."""

QUIET_FROM = 2
"""How many times the longest silence of before a key is quiet."""

SHORTEST_QUIET = timedelta(hours=6)


class Stored(Protocol):
    """An event that was stored just now."""

    @property
    def organization_id(self) -> int:
        """Whose it is."""
        ...

    @property
    def event_key(self) -> str:
        """Its key."""
        ...

    @property
    def occurred_at(self) -> datetime:
        """Its time."""
        ...


@dataclass
class _Arrivals:
    organization_id: int
    event_key: str
    hour: datetime
    events: int
    last_at: datetime


@dataclass(frozen=True)
class Volume:
    """How often an event key came lately; the windows begin with a whole hour."""

    event_key: str
    last_at: datetime
    in_a_day: int
    in_a_week: int
    in_a_month: int


@dataclass(frozen=True)
class QuietKey:
    """An event key that has not come since `last_at`, and its longest silence before that."""

    event_key: str
    last_at: datetime
    silent_for: timedelta
    longest_before: timedelta


@dataclass(frozen=True)
class DayCount:
    """How often an event key came on a day, UTC."""

    day: date
    events: int


def record_arrivals(stored: Iterable[Stored]) -> None:
    """Count events within the transaction that stores them."""
    arrivals: dict[tuple[int, str, datetime], _Arrivals] = {}
    for event in stored:
        at = event.occurred_at
        hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        key = event.organization_id, event.event_key, hour
        known = arrivals.get(key)
        if known is None:
            arrivals[key] = _Arrivals(*key, 1, at)
        else:
            known.events += 1
            known.last_at = max(known.last_at, at)
    query_over(
        "insert into event_arrivals (organization_id, event_key, hour, events, last_at)"
        " select * from v",
        list(arrivals.values()),
        "organization_id bigint, event_key text, hour timestamptz, events bigint,"
        " last_at timestamptz",
    )


def merge_arrivals(now: datetime) -> int:
    """Move what arrived into the counts, and note which weeks it touches; how many rows it was."""
    [row] = query(
        """
        with arrived as (delete from event_arrivals returning *),
        counted as (
            insert into event_counts (organization_id, event_key, hour, events, last_at)
            select organization_id, event_key, hour, sum(events), max(last_at) from arrived
            group by 1, 2, 3 order by 1, 2, 3
            on conflict (organization_id, event_key, hour) do update set
                events = event_counts.events + excluded.events,
                last_at = greatest(event_counts.last_at, excluded.last_at)
        ), touched as (
            insert into event_weeks (organization_id, event_key, week, touched_at)
            select distinct organization_id, event_key,
                date_trunc('week', hour at time zone 'UTC')::date, %(now)s::timestamptz
            from arrived order by 1, 2, 3
            on conflict (organization_id, event_key, week) do update set
                touched_at = coalesce(event_weeks.touched_at, excluded.touched_at)
        )
        select count(*) as number from arrived
        """,
        {"now": now},
    )
    number: int = row["number"]
    return number


def recount(organization_id: int, now: datetime) -> None:
    """Count an organization's events anew, for whoever stores them in another way.

    Within the transaction at hand; nobody else may store events of it meanwhile.
    """
    parameters = {"organization_id": organization_id, "now": now}
    for table in ("event_arrivals", "event_counts", "event_weeks"):
        execute(f"delete from {table} where organization_id = %(organization_id)s", parameters)
    execute(
        "insert into event_counts (organization_id, event_key, hour, events, last_at)"
        " select organization_id, event_key, date_trunc('hour', occurred_at, 'UTC'), count(*),"
        " max(occurred_at) from events where organization_id = %(organization_id)s"
        " group by 1, 2, 3",
        parameters,
    )
    execute(
        "insert into event_weeks (organization_id, event_key, week, touched_at)"
        " select distinct organization_id, event_key,"
        " date_trunc('week', hour at time zone 'UTC')::date, %(now)s::timestamptz"
        " from event_counts where organization_id = %(organization_id)s",
        parameters,
    )


_COUNTS = (
    "(select event_key, hour, events, last_at from event_counts"
    " where organization_id = %(organization_id)s"
    " union all select event_key, hour, events, last_at from event_arrivals"
    " where organization_id = %(organization_id)s) counts"
)


def read_volumes(organization_id: int, now: datetime) -> dict[str, Volume]:
    """How often each event key that ever came has come lately, by key.

    The windows of 24 hours, 7 and 30 days begin with the whole hour that holds their beginning.
    """
    ends = {"day": now - timedelta(days=1), "week": now - timedelta(days=7)}
    ends["month"] = now - timedelta(days=30)
    hours = {name: at.replace(minute=0, second=0, microsecond=0) for name, at in ends.items()}
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
    """When an event key came last; None if it never did."""
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
    found: datetime | None = row["last_at"]
    return found


def daily(
    organization_id: int, event_key: str, *, since: datetime, until: datetime
) -> list[DayCount]:
    """How often an event key came on each day (UTC) with any, from the day of `since` on."""
    rows = query(
        "select (hour at time zone 'UTC')::date as day, sum(events)::bigint as events from"
        f" {_COUNTS} where event_key = %(event_key)s"
        " and hour >= date_trunc('day', %(since)s::timestamptz, 'UTC') and hour <= %(until)s"
        " group by 1 order by 1",
        {
            "organization_id": organization_id,
            "event_key": event_key,
            "since": since,
            "until": until,
        },
    )
    return [DayCount(**row) for row in rows]


def find_quiet_keys(organization_id: int, event_keys: Iterable[str], now: datetime) -> list[QuietKey]:
    """The keys that have been silent for much longer than is usual, the longest silent first.

    Usual is the longest silence between the latest hours with events; one with too few of
    those has none. Silences are as long as they may have been: from whole hour to whole hour.
    """
    silent = _silent_since(organization_id, list(event_keys), now - SHORTEST_QUIET)
    rows = query(
        f"""
        select event_key, max(last_at) as last_at,
            max(hour - before) as longest_before, count(*) as hours
        from (
            select wanted.event_key, h.hour, h.last_at,
                lag(h.hour) over (partition by wanted.event_key order by h.hour) as before
            from unnest(%(keys)s::text[]) wanted (event_key) cross join lateral (
                select hour, max(last_at) as last_at from (
                    (select hour, last_at from event_counts
                     where organization_id = %(organization_id)s
                        and event_key = wanted.event_key
                     order by hour desc limit {HOURS_THAT_TELL})
                    union all
                    select hour, last_at from event_arrivals
                    where organization_id = %(organization_id)s and event_key = wanted.event_key
                ) merged group by hour
            ) h
        ) hours group by event_key
        """,
        {"organization_id": organization_id, "keys": silent},
    )
    found = [
        QuietKey(row["event_key"], row["last_at"], now - row["last_at"], row["longest_before"])
        for row in rows
        if row["hours"] >= FEWEST_HOURS
        and now - row["last_at"] > QUIET_FROM * row["longest_before"]
    ]
    return sorted(found, key=lambda key: key.last_at)


def _silent_since(organization_id: int, event_keys: list[str], at: datetime) -> list[str]:
    """Those of the keys that came before an instant, and not after it; few, as a rule."""
    rows = query(
        """
        select wanted.event_key from unnest(%(keys)s::text[]) wanted (event_key)
        cross join lateral (
            select last_at from event_counts
            where organization_id = %(organization_id)s and event_key = wanted.event_key
            order by hour desc limit 1
        ) counted
        where counted.last_at < %(at)s
            and not exists (select from event_arrivals
                where organization_id = %(organization_id)s
                    and event_key = wanted.event_key and last_at >= %(at)s)
        """,
        {"organization_id": organization_id, "keys": event_keys, "at": at},
    )
    return [row["event_key"] for row in rows]
