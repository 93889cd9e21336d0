"""What each company has contributed to the daily figures, and the histories it is made of."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from models.bulk import insert
from models.database import query
from models.portfolio.daily_figures import NOTHING, Amount, Kind


@dataclass(frozen=True)
class CountedTransition:
    """A transition, as far as the daily figures need it; `changes` as in `transitions`."""

    at: datetime
    from_status: str
    to_status: str
    rules_version: int
    changes: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class CountedCompany:
    """A company with its transitions in order, and the values of one field of it, oldest first.

    `left_on` is the day on which it left, unless it is back.
    """

    id: int
    first_seen_at: datetime
    left_on: date | None
    health_status: str
    transitions: Sequence[CountedTransition]
    field_values: Sequence[tuple[datetime, Any]]


def lock(organization_id: int, company_ids: Sequence[int]) -> dict[int, Any]:
    """Lock and return what companies have contributed, by company with any."""
    rows = query(
        "select company_id, days from portfolio_companies"
        " where organization_id = %(organization_id)s and company_id = any(%(ids)s)"
        " order by company_id for update",
        {"organization_id": organization_id, "ids": list(company_ids)},
    )
    return {row["company_id"]: row["days"] for row in rows}


def save(organization_id: int, days: Mapping[int, Any]) -> None:
    """Store what companies contribute."""
    insert(
        "portfolio_companies",
        ("organization_id", "company_id", "days"),
        [
            {"organization_id": organization_id, "company_id": company_id, "days": of_company}
            for company_id, of_company in sorted(days.items())
        ],
        json_columns=("days",),
        then="on conflict (organization_id, company_id) do update set days = excluded.days",
    )


def read_figures(
    organization_id: int, owners: Collection[str], day: date
) -> dict[Kind, dict[str, Amount]]:
    """Return the figures at the end of a day of the companies that owners have now, without flags.

    `owners` are written as the companies have them.
    """
    rows = query(
        """
        select state ->> 1 as status, (state ->> 2)::boolean as at_risk, count(*) as companies,
            coalesce(sum((state ->> 4)::numeric), 0) as value
        from companies c join portfolio_companies p
            on p.organization_id = %(organization_id)s and p.company_id = c.id
        cross join lateral (
            select state from jsonb_array_elements(p.days) with ordinality listed (state, place)
            where (state ->> 0) collate "C" <= %(day)s order by place desc limit 1
        ) last
        where c.organization_id = %(organization_id)s and c.owner = any(%(owners)s::text[])
            and state ->> 1 <> '' group by 1, 2
        """,
        {"organization_id": organization_id, "owners": list(owners), "day": day.isoformat()},
    )
    figures: dict[Kind, dict[str, Amount]] = {kind: {} for kind in Kind}
    for row in rows:
        amount = Amount(row["companies"], row["value"])
        counted = [(Kind.STATUS, row["status"]), *([(Kind.AT_RISK, "")] if row["at_risk"] else [])]
        for kind, name in counted:
            figures[kind][name] = figures[kind].get(name, NOTHING) + amount
    return figures


def read_histories(
    organization_id: int, company_ids: Collection[int], field: str | None
) -> list[CountedCompany]:
    """Return companies with their transitions and the history of one field, if any is given."""
    parameters = {"organization_id": organization_id, "ids": list(company_ids), "field": field}
    companies = query(
        "select id, first_seen_at, left_on, health_status from companies"
        " where organization_id = %(organization_id)s and id = any(%(ids)s) order by id",
        parameters,
    )
    transitions: dict[int, list[CountedTransition]] = {}
    for row in query(
        "select company_id, at, from_status, to_status, rules_version, changes from transitions"
        " where organization_id = %(organization_id)s and company_id = any(%(ids)s)"
        " order by company_id, at, sequence",
        parameters,
    ):
        transitions.setdefault(row.pop("company_id"), []).append(CountedTransition(**row))
    values: dict[int, list[tuple[datetime, Any]]] = {}
    if field is not None:
        for row in query(
            "select company_id, at, value from field_changes"
            " where organization_id = %(organization_id)s and company_id = any(%(ids)s)"
            " and field = %(field)s order by company_id, at",
            parameters,
        ):
            values.setdefault(row["company_id"], []).append((row["at"], row["value"]))
    return [
        CountedCompany(
            row["id"],
            row["first_seen_at"],
            row["left_on"],
            row["health_status"],
            transitions.get(row["id"], ()),
            values.get(row["id"], ()),
        )
        for row in companies
    ]
