"""Weekly reach: how many companies and users had events of each key in a week.

Distinct counts cannot be added up, and events arrive late. So a week with new events is counted
again as a whole, in the background; `as_of` is the time of that count.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from models.across_organizations import TouchedWeek
from models.bulk import query_over
from models.database import execute, query

MIN_INTERVAL = timedelta(minutes=1)
COST_FACTOR = 20
"""A week is counted again after this many times the duration of its last count, so counting uses
at most a twentieth of one connection, however many events there are."""


@dataclass(frozen=True)
class Week:
    """The counts of a week that begins on Monday, UTC, as of the time of counting.

    `behind` means that events have arrived since.
    """

    week: date
    companies: int
    users: int
    as_of: datetime
    behind: bool = False


_COLUMNS = (
    "event_key, week, companies, users, counted_at as as_of, touched_at is not null as behind"
)


def read_weeks(organization_id: int, event_key: str, *, since: date) -> list[Week]:
    """Return the counted weeks of a key from the week of a day on, except weeks without events."""
    return read_weeks_by_key(organization_id, [event_key], since=since).get(event_key, [])


def read_weeks_by_key(
    organization_id: int, event_keys: Sequence[str] | None, *, since: date
) -> dict[str, list[Week]]:
    """Return the counted weeks by key, of all keys if it is None; keys without any are absent."""
    only_keys = "" if event_keys is None else " and event_key = any(%(event_keys)s)"
    rows = query(
        f"select {_COLUMNS} from event_weeks where organization_id = %(organization_id)s{only_keys}"
        " and week >= date_trunc('week', %(since)s::timestamp)::date and counted_at is not null"
        " order by event_key, week",
        {
            "organization_id": organization_id,
            "event_keys": None if event_keys is None else list(event_keys),
            "since": since,
        },
    )
    weeks: dict[str, list[Week]] = {}
    for row in rows:
        weeks.setdefault(row.pop("event_key"), []).append(Week(**row))
    return weeks


def read_company_counts(organization_id: int, *, since: date) -> dict[str, dict[int, int]]:
    """Return, by event key, the number of active companies in each week with any.

    Weeks are numbered; the week of the day `since` is 0. Each key is one row, since converting a
    value for each of its weeks takes far longer than reading them.
    """
    rows = query(
        "select event_key, array_agg((week - first) / 7) as weeks,"
        " array_agg(companies) as companies from event_weeks"
        " cross join (select date_trunc('week', %(since)s::timestamp)::date as first) since"
        " where organization_id = %(organization_id)s and week >= first and counted_at is not null"
        " group by event_key",
        {"organization_id": organization_id, "since": since},
    )
    return {
        row["event_key"]: dict(zip(row["weeks"], row["companies"], strict=True)) for row in rows
    }


def recount(week: TouchedWeek, now: datetime) -> None:
    """Count a touched week, all of its keys together, in the current transaction.

    It is marked as counted before it is: events that arrive meanwhile touch it again.
    """
    parameters = {**week._asdict(), "now": now}
    started = time.monotonic()
    execute(
        "update event_weeks set touched_at = null, counted_at = %(now)s"
        " where organization_id = %(organization_id)s and week = %(week)s"
        " and event_key = any(%(event_keys)s)",
        parameters,
    )
    counted = query(
        """
        select requested.event_key, count(distinct e.company_id) as companies,
            count(distinct e.user_id) as users
        from unnest(%(event_keys)s) requested (event_key) left join events e
            on e.organization_id = %(organization_id)s and e.event_key = requested.event_key
            and e.occurred_at >= %(week)s::timestamp at time zone 'UTC'
            and e.occurred_at < (%(week)s::timestamp + interval '7 days') at time zone 'UTC'
        group by 1
        """,
        parameters,
    )
    query_over(
        "update event_weeks w set companies = v.companies, users = v.users, took = %(took)s"
        " from v where w.organization_id = %(organization_id)s and w.week = %(week)s"
        " and w.event_key = v.event_key",
        counted,
        "event_key text, companies integer, users integer",
        organization_id=week.organization_id,
        week=week.week,
        took=timedelta(seconds=time.monotonic() - started),
    )
