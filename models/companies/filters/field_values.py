"""The values that a column or field has among all companies of an organization, with counts."""

from dataclasses import dataclass

from models.companies.filters.subjects import Subject, subject
from models.database import query

MOST_DIFFERENT = 5_000
"""Different texts of which the frequent ones are counted. More are ids, names, or times, which
nobody selects from a list, and comparing them would take several times as long."""


@dataclass(frozen=True)
class CountedValue:
    """A value as one of the companies has it, and how many have one that is equal to it.

    Numbers are equal by value, texts regardless of case and accents, as in conditions.
    """

    text: str
    companies: int


@dataclass(frozen=True)
class Values:
    """The most frequent values, how many different ones there are, and companies without any.

    None are listed if there are more than `MOST_DIFFERENT` different texts.
    """

    frequent: list[CountedValue]
    different: int
    without: int


def count_values(organization_id: int, name: str, *, limit: int) -> Values | None:
    """Count the values of a subject, see `subjects`; None if there is no such subject.

    One scan of all companies.
    """
    about = subject(name, "v")
    if about is None:
        return None
    # Texts are folded and read as numbers once for each different one, not for each company.
    value = Subject("value", "any", "value", {}, "value")
    rows = query(
        f"""
        with texts as materialized (
            select coalesce({about.text}, '') as value, count(*) as companies
            from companies where organization_id = %(organization_id)s group by 1
        ), counted as (
            select min(value) as value, sum(companies)::bigint as companies
            from texts where value <> '' and (select count(*) from texts) <= %(most)s
            group by {value.key}
        ), frequent as (
            select value, companies, count(*) over () as different
            from counted order by companies desc, value limit %(limit)s
        ), totals as (
            select count(*) filter (where value <> '') as texts,
                coalesce(sum(companies) filter (where value = ''), 0)::bigint as without from texts
        )
        select value, companies, coalesce(different, texts) as different, without
        from totals left join frequent on true order by companies desc, value
        """,
        {
            "organization_id": organization_id,
            "limit": limit,
            "most": MOST_DIFFERENT,
            **about.parameters,
        },
    )
    frequent = [CountedValue(row["value"], row["companies"]) for row in rows if row["companies"]]
    return Values(frequent, rows[0]["different"], rows[0]["without"])
