"""How many companies and users each event key had in a week, counted again where events came.

Distinct companies cannot be added up, and events come late. So a week that was touched is
counted anew as a whole, in the background; `as_of` tells what is not there yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from models.database import execute, query

AT_MOST_EVERY = timedelta(minutes=1)
TIMES_ITS_COST = 20
"""Counting a week again waits so many times as long as it took: it takes no more than a
twentieth of one connection however many events there are."""


@dataclass(frozen=True)
class Week:
    """A week that begins on Monday, UTC: who was active, as of when it was counted.

    `behind` tells that events came since.
    """

    week: date
    companies: int
    users: int
    as_of: datetime
    behind: bool = False


@dataclass(frozen=True)
class TouchedWeek:
    """A week of an organization of which events came since it was counted."""

    organization_id: int
    week: date
    event_keys: list[str]


_COLUMNS = (
    "event_key, week, companies, users, counted_at as as_of, touched_at is not null as behind"
)


def read_weeks(organization_id: int, event_key: str, *, since: date) -> list[Week]:
    """The counted weeks of a key from the week of a day on; one without an event has none."""
    return read_weeks_by_key(organization_id, [event_key], since=since).get(event_key, [])


def read_weeks_by_key(
    organization_id: int, event_keys: Sequence[str] | None, *, since: date
) -> dict[str, list[Week]]:
    """The same of several keys, by key, of all where it is None; a key without any is left out."""
    wanted = "" if event_keys is None else " and event_key = any(%(event_keys)s)"
    rows = query(
        f"select {_COLUMNS} from event_weeks where organization_id = %(organization_id)s{wanted}"
        " and week >= date_trunc('week', %(since)s::timestamp)::date and counted_at is not null"
        " order by event_key, week",
        {
            "organization_id": organization_id,
            "event_keys": None if event_keys is None else list(event_keys),
            "since": since,
        },
    )
    found: dict[str, list[Week]] = {}
    for row in rows:
        found.setdefault(row.pop("event_key"), []).append(Week(**row))
    return found


def read_company_counts(organization_id: int, *, since: date) -> dict[str, dict[int, int]]:
    """By event key, how many companies were active in each week with any.

    Weeks by their number, that of the day `since` being 0. All keys come in a row each, since
    making a value of each of their weeks takes far longer than reading them.
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


def in_week(organization_id: int, day: date) -> dict[str, Week]:
    """By event key, who was active in the week of a day."""
    rows = query(
        f"select {_COLUMNS} from event_weeks where organization_id = %(organization_id)s"
        " and week = date_trunc('week', %(day)s::timestamp)::date and counted_at is not null",
        {"organization_id": organization_id, "day": day},
    )
    return {row.pop("event_key"): Week(**row) for row in rows}


def find_touched(now: datetime, *, limit: int) -> list[TouchedWeek]:
    """Weeks that may be counted again by now, those that wait the longest first."""
    rows = query(
        "select organization_id, week, array_agg(event_key order by event_key) as event_keys"
        " from event_weeks where touched_at is not null and (counted_at is null or"
        f" counted_at + greatest(%(at_most_every)s, {TIMES_ITS_COST} * took) <= %(now)s)"
        " group by 1, 2 order by min(touched_at), 2 desc limit %(limit)s",
        {"now": now, "at_most_every": AT_MOST_EVERY, "limit": limit},
    )
    return [TouchedWeek(**row) for row in rows]


def recount(one: TouchedWeek, now: datetime) -> None:
    """Count a touched week, of its keys together, within the transaction at hand.

    It is taken as counted before it is: what comes meanwhile touches it again.
    """
    parameters = {**vars(one), "now": now}
    execute(
        "update event_weeks set touched_at = null, counted_at = %(now)s"
        " where organization_id = %(organization_id)s and week = %(week)s"
        " and event_key = any(%(event_keys)s)",
        parameters,
    )
    execute(
        """
        update event_weeks w set companies = counted.companies, users = counted.users,
            took = clock_timestamp() - statement_timestamp()
        from (
            select wanted.event_key, count(distinct e.company_id) as companies,
                count(distinct e.user_id) as users
            from unnest(%(event_keys)s) wanted (event_key) left join events e
                on e.organization_id = %(organization_id)s and e.event_key = wanted.event_key
                and e.occurred_at >= %(week)s::timestamp at time zone 'UTC'
                and e.occurred_at < (%(week)s::timestamp + interval '7 days') at time zone 'UTC'
            group by 1
        ) counted
        where w.organization_id = %(organization_id)s and w.week = %(week)s
            and w.event_key = counted.event_key
        """,
        parameters,
    )
