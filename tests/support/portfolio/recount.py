"""The daily figures of an organization, recounted from transitions and the history of fields."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import orjson

from models.database import query, transaction
from models.organizations import rule_versions
from models.portfolio import daily_figures
from models.portfolio.daily_figures import Amount, Kind
from rules.statuses import DEFAULT_STATUSES, NOT_APPLICABLE
from services.portfolio.upkeep import catch_up
from services.rules.rule_books import RuleBooks

RECOUNT = """
    with best as (
        select * from json_to_recordset(%(best)s) as best (version integer, status text)
    ), counted as (
        select c.id, coalesce(last.to_status, (
                select from_status from transitions t where t.organization_id = %(id)s
                and t.company_id = c.id order by at, sequence limit 1
            ), c.health_status) as status,
            coalesce(last.to_status <> best.status, false) as at_risk,
            case
                when jsonb_typeof(f.value) = 'number'
                    or f.value #>> '{}' ~ '^-?[0-9]+([.][0-9]+)?$'
                then round((f.value #>> '{}')::numeric, 2) else 0
            end as value
        from companies c
        left join lateral (
            select to_status, rules_version from transitions t where t.organization_id = %(id)s
            and t.company_id = c.id and t.at < %(day)s::date + 1
            order by at desc, sequence desc limit 1
        ) last on true
        left join best on best.version = last.rules_version
        left join lateral (
            select value from field_changes f where f.organization_id = %(id)s
            and f.company_id = c.id and f.field = %(field)s and f.at < %(day)s::date + 1
            order by at desc limit 1
        ) f on true
        where c.organization_id = %(id)s and (c.left_on is null or c.left_on > %(day)s::date)
        and least(c.first_seen_at, (
            select min(at) from transitions t
            where t.organization_id = %(id)s and t.company_id = c.id
        )) < %(day)s::date + 1
    ), raised as (
        select distinct on (t.company_id, change ->> 'flag') t.company_id,
            change ->> 'flag' as flag, change ->> 'to' as status, t.rules_version as version
        from transitions t cross join lateral jsonb_array_elements(t.changes) change
        where t.organization_id = %(id)s and t.at < %(day)s::date + 1
        order by t.company_id, change ->> 'flag', t.at desc, t.sequence desc
    )
    select 'status' as kind, status as name, count(*) as companies, sum(value) as value
    from counted group by 1, 2
    union all select 'at_risk', '', count(*), sum(value) from counted where at_risk
    having count(*) > 0
    union all select 'flag', r.flag, count(*), sum(c.value)
    from raised r join counted c on c.id = r.company_id join best using (version)
    where r.status not in (best.status, %(not_applicable)s) group by 1, 2
"""


def recount(
    organization_id: int, day: date, rulebooks: RuleBooks
) -> Mapping[tuple[Kind, str], Amount]:
    """Return the figures at the end of a day from the rows that they are about; none are zero."""
    with transaction():
        versions = rule_versions.list_after(organization_id, 0)
        books = {v.version: rulebooks.book(organization_id, v.version) for v in versions}
        team = books[versions[-1].version].team.value if versions else None
        best = [{"version": n, "status": book.statuses[0]} for n, book in books.items()]
        rows = query(
            RECOUNT,
            {
                "id": organization_id,
                "day": day,
                "field": team[0] if team else None,
                "best": orjson.dumps(
                    [*best, {"version": 0, "status": DEFAULT_STATUSES[0]}]
                ).decode(),
                "not_applicable": NOT_APPLICABLE,
            },
        )
    return {
        (Kind(row["kind"]), row["name"]): Amount(row["companies"], row["value"]) for row in rows
    }


def kept(organization_id: int, day: date) -> Mapping[tuple[Kind, str], Amount]:
    """Return the figures at the end of a day as they are kept, without those that are zero."""
    with transaction():
        figures = daily_figures.read(organization_id, [day])
    return {
        (kind, name): amounts[0]
        for kind, by_name in figures.items()
        for name, amounts in by_name.items()
        if amounts[0] != Amount(0, Decimal())
    }


def count_all(organization_id: int, rulebooks: RuleBooks) -> None:
    """Count the companies whose history changed, as the clock has it done."""
    more = True
    while more:
        with transaction():
            more = catch_up(organization_id, rulebooks)
