"""Answers about all companies that take too long to count while somebody waits, and the counting.

An answer is kept as JSON with its question, as of when it was counted.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models.companies.companies import CORE_FIELDS
from models.database import execute, json, query
from models.events.events import Filters, filtered


@dataclass(frozen=True)
class StoredAnswer:
    """An answer as of an instant, and what counting it took."""

    answer: Any
    as_of: datetime
    took: timedelta


@dataclass(frozen=True)
class Counted:
    """The events of all companies in `(since, until]`, or with `users` who did them.

    With a `flag` only of those companies where it is not N/A.
    """

    event_key: str | None
    where: Filters
    since: datetime
    until: datetime
    users: bool = False
    flag: str | None = None


def find(organization_id: int, question: str) -> StoredAnswer | None:
    """What is known in answer to a question."""
    rows = query(
        "select answer, as_of, took from insights"
        " where organization_id = %(organization_id)s and question = %(question)s",
        {"organization_id": organization_id, "question": question},
    )
    return StoredAnswer(**rows[0]) if rows else None


def find_several(organization_id: int, questions: Collection[str]) -> dict[str, StoredAnswer]:
    """What is known in answer to several questions, by question."""
    rows = query(
        "select question, answer, as_of, took from insights"
        " where organization_id = %(organization_id)s and question = any(%(questions)s)",
        {"organization_id": organization_id, "questions": list(questions)},
    )
    return {row.pop("question"): StoredAnswer(**row) for row in rows}


def save(organization_id: int, question: str, answered: StoredAnswer) -> None:
    """Keep an answer in place of the former one, unless that is newer.

    Not of an organization that was deleted while it was worked out.
    """
    execute(
        "insert into insights (organization_id, question, answer, as_of, took)"
        " select id, %(question)s, %(answer)s::jsonb, %(as_of)s, %(took)s"
        " from organizations where id = %(organization_id)s for key share"
        " on conflict (organization_id, question) do update set answer = excluded.answer,"
        " as_of = excluded.as_of, took = excluded.took where insights.as_of < excluded.as_of",
        {
            "organization_id": organization_id,
            "question": question,
            "answer": json(answered.answer),
            "as_of": answered.as_of,
            "took": answered.took,
        },
    )


def forget(*, before: datetime) -> None:
    """Remove answers that nobody has asked for since an instant."""
    execute("delete from insights where as_of < %(before)s", {"before": before})


def adoption(organization_id: int, event_key: str, now: datetime) -> dict[str, int]:
    """Companies in all, and how many of them had an event of a key ever, and in the last 30 days.

    One probe of `events_by_key` for each company, however many events it has.
    """
    [row] = query(
        """
        select count(*) as companies, count(last.occurred_at) as ever,
            count(*) filter (where last.occurred_at > %(now)s::timestamptz - interval '30 days')
                as in_a_month
        from companies c left join lateral (
            select occurred_at from events
            where company_id = c.id and event_key = %(event_key)s and occurred_at <= %(now)s
            order by occurred_at desc limit 1
        ) last on true
        where c.organization_id = %(organization_id)s
        """,
        {"organization_id": organization_id, "event_key": event_key, "now": now},
    )
    return row


def uptake(
    organization_id: int, event_key: str, now: datetime, *, weeks: int
) -> list[dict[str, Any]]:
    """By week, oldest first: companies known by its end, and those that had used a key by then.

    Of the last `weeks` weeks, each with its Monday (UTC) as a text, the last as far as it is gone.
    One probe of `events_by_key` for each company, however many events it has.
    """
    return query(
        """
        with firsts as (
            select date_trunc('week', c.first_seen_at at time zone 'UTC') as seen,
                date_trunc('week', used.occurred_at at time zone 'UTC') as used
            from companies c left join lateral (
                select occurred_at from events
                where company_id = c.id and event_key = %(event_key)s and occurred_at <= %(now)s
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


def distribution(organization_id: int, counted: Counted, *, cap: int) -> list[tuple[int, int]]:
    """How many companies had how many events, or users, in a window: (number, companies).

    In ascending order; the last number stands for `cap` or more. Companies without any count as 0.
    """
    data, parameters = filtered(counted.where)
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


def cohorts(
    organization_id: int, field: str, event_key: str, now: datetime, *, limit: int
) -> list[dict[str, Any]]:
    """By what a field of companies says: how many, how many active in 30 days, and their events.

    The `limit` values of most companies, as JSON with `value`; a field that is missing is null, as
    one that is null. All others together have `others` true.
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
