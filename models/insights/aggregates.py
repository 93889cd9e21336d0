"""Aggregate queries over all companies of an organization, too slow to run within a request."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.companies.companies import CORE_FIELDS
from models.database import query
from models.events.events import Filters, filter_condition


@dataclass(frozen=True)
class Counted:
    """What `count_distribution` counts: events in `(since, until]`, or with `users` distinct users.

    With a `flag`, only companies where it is not N/A are counted.
    """

    event_key: str | None
    where: Filters
    since: datetime
    until: datetime
    users: bool = False
    flag: str | None = None


def count_adoption(organization_id: int, event_key: str, now: datetime) -> dict[str, int]:
    """Count the companies, and those with an event of a key ever and in the last 30 days.

    One probe of the index `events_by_key` for each company, regardless of its number of events.
    """
    [row] = query(
        """
        select count(*) as companies, count(last.occurred_at) as ever,
            count(*) filter (where last.occurred_at > %(now)s::timestamptz - interval '30 days')
                as in_a_month
        from companies c left join lateral (
            select occurred_at from events
            where organization_id = %(organization_id)s and company_id = c.id
                and event_key = %(event_key)s and occurred_at <= %(now)s
            order by occurred_at desc limit 1
        ) last on true
        where c.organization_id = %(organization_id)s
        """,
        {"organization_id": organization_id, "event_key": event_key, "now": now},
    )
    return row


def count_uptake(
    organization_id: int, event_key: str, now: datetime, *, weeks: int
) -> list[dict[str, Any]]:
    """Count the companies seen by the end of each week, oldest first, and those with a key by then.

    Covers the last `weeks` weeks including the current one, each with its Monday (UTC) as text.
    One probe of the index `events_by_key` for each company, regardless of its number of events.
    """
    return query(
        """
        with firsts as (
            select date_trunc('week', c.first_seen_at at time zone 'UTC') as seen,
                date_trunc('week', used.occurred_at at time zone 'UTC') as used
            from companies c left join lateral (
                select occurred_at from events
                where organization_id = %(organization_id)s and company_id = c.id
                    and event_key = %(event_key)s and occurred_at <= %(now)s
                order by occurred_at limit 1
            ) used on true
            where c.organization_id = %(organization_id)s
        ), ends as (
            select date_trunc('week', %(now)s::timestamptz at time zone 'UTC') as until
        ), weeks as (
            select week from ends cross join lateral
                generate_series(until - %(back)s * interval '7 days', until, '7 days') week
        ), begun as (
            select greatest(at, (select min(week) from weeks)) as week,
                sum(companies) as companies, sum(used) as used
            from (
                select seen as at, 1 as companies, 0 as used from firsts
                union all
                select used, 0, 1 from firsts where used is not null
            ) each group by 1
        )
        select to_char(week, 'YYYY-MM-DD') as week,
            coalesce(sum(companies) over past, 0)::bigint as companies,
            coalesce(sum(used) over past, 0)::bigint as used
        from weeks left join begun using (week) window past as (order by week) order by 1
        """,
        {
            "organization_id": organization_id,
            "event_key": event_key,
            "now": now,
            "back": weeks - 1,
        },
    )


_WHERE_FLAG_APPLIES = """
            and not exists (
                select from flag_states s where s.organization_id = %(organization_id)s
                    and s.flag = %(flag)s and s.status is null and s.company_id = c.id)"""


def count_distribution(
    organization_id: int, counted: Counted, *, cap: int
) -> list[tuple[int, int]]:
    """Count companies by their number of events, or users, in a window: (number, companies).

    In ascending order; the number `cap` means `cap` or more. Companies without events have 0.
    """
    data, parameters = filter_condition(counted.where)
    key = "" if counted.event_key is None else " and event_key = %(event_key)s"
    applies = "" if counted.flag is None else _WHERE_FLAG_APPLIES
    number = "count(distinct user_id)" if counted.users else "count(*)"
    rows = query(
        f"""
        select least(coalesce(n, 0), %(cap)s)::integer as number, count(*)::integer as companies
        from companies c left join (
            select company_id, {number} as n from events
            where organization_id = %(organization_id)s{key}
                and occurred_at > %(since)s and occurred_at <= %(until)s{data}
            group by company_id
        ) e on e.company_id = c.id
        where c.organization_id = %(organization_id)s{applies} group by 1 order by 1
        """,
        {
            "organization_id": organization_id,
            "event_key": counted.event_key,
            "since": counted.since,
            "until": counted.until,
            "cap": cap,
            "flag": counted.flag,
            **parameters,
        },
    )
    return [(row["number"], row["companies"]) for row in rows]


def count_cohorts(
    organization_id: int, field: str, event_key: str, now: datetime, *, limit: int
) -> list[dict[str, Any]]:
    """Count by value of a field: companies, those active in 30 days, and their events.

    Returns the `limit` most frequent values, as JSON in `value`; a missing field counts as null.
    All other values form one row in which `others` is true.
    """
    value = f"to_jsonb({field})" if field in CORE_FIELDS else "nullif(traits -> %(field)s, 'null')"
    return query(
        f"""
        with used as (
            select company_id, count(*) as events from events
            where organization_id = %(organization_id)s and event_key = %(event_key)s
                and occurred_at > %(now)s::timestamptz - interval '30 days'
                and occurred_at <= %(now)s
            group by company_id
        ), cohorts as (
            select {value} as value, count(*)::bigint as companies, count(used.events) as active,
                coalesce(sum(used.events), 0)::bigint as events
            from companies c left join used on used.company_id = c.id
            where c.organization_id = %(organization_id)s group by 1
        ), ranked as (
            select *, row_number() over (order by companies desc, value) > %(limit)s as others
            from cohorts
        )
        select case when others then null else value end as value, others,
            sum(companies)::bigint as companies, sum(active)::bigint as active,
            sum(events)::bigint as events
        from ranked group by 1, 2 order by others, 3 desc, 1
        """,
        {
            "organization_id": organization_id,
            "field": field,
            "event_key": event_key,
            "now": now,
            "limit": limit,
        },
    )
