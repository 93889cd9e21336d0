"""Companies to count again, because their history changed, or because all have to be counted.

Each change of a company's history inserts a row in the same transaction. A company is counted
after its rows are deleted, from what is committed by then; what is committed later has rows of its
own, which remain.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from models.bulk import insert
from models.database import execute, query

EVER = date.min
"""The day of a change that may be about any day."""


def mark(organization_id: int, since: Mapping[int, date]) -> None:
    """Note that the history of companies changed, in the transaction that changes it.

    `since` is the first UTC day that a change is about, by company: figures of the days before stay
    as they are.
    """
    insert(
        "portfolio_stale",
        ("organization_id", "company_id", "since"),
        [
            {"organization_id": organization_id, "company_id": company_id, "since": day}
            for company_id, day in sorted(since.items())
        ],
    )


def mark_all_days(organization_id: int, company_ids: Iterable[int]) -> None:
    """Note that the history of companies changed, and any of their days with it."""
    mark(organization_id, dict.fromkeys(company_ids, EVER))


def take(organization_id: int, *, limit: int) -> list[int]:
    """Delete up to `limit` rows of an organization, and return their companies."""
    rows = query(
        "with taken as (delete from portfolio_stale where organization_id = %(organization_id)s"
        " and ctid = any(array(select ctid from portfolio_stale"
        " where organization_id = %(organization_id)s limit %(limit)s)) returning company_id)"
        " select distinct company_id from taken order by 1",
        {"organization_id": organization_id, "limit": limit},
    )
    return [row["company_id"] for row in rows]


def count_all(organization_id: int) -> None:
    """Have all companies of an organization counted, from the first one on."""
    insert(
        "portfolio_backfills",
        ("organization_id",),
        [{"organization_id": organization_id}],
        then="on conflict (organization_id) do update set counted_until = 0",
    )


@dataclass(frozen=True)
class Backfill:
    """How far all companies of an organization are counted."""

    counted_until: int


def lock_backfill(organization_id: int) -> Backfill | None:
    """Lock the row of an organization whose companies are all being counted; None if none is."""
    rows = query(
        "select counted_until from portfolio_backfills"
        " where organization_id = %(organization_id)s for update",
        {"organization_id": organization_id},
    )
    return Backfill(**rows[0]) if rows else None


FEW = 50
"""Companies that may wait to be counted again while the figures count as complete: as events come
in, some always do, for seconds."""


def is_complete(organization_id: int, day: date) -> bool:
    """Whether the figures at the end of a day are complete, but for a few companies.

    What changed on later days, and is not counted yet, has no part in them.
    """
    rows = query(
        "(select 1 as waiting from portfolio_backfills"
        " where organization_id = %(organization_id)s) union all"
        " (select 1 from portfolio_stale where organization_id = %(organization_id)s"
        " and since <= %(day)s offset %(few)s limit 1)",
        {"organization_id": organization_id, "day": day, "few": FEW},
    )
    return not rows


def next_companies(organization_id: int, backfill: Backfill, *, limit: int) -> list[int]:
    """Return the companies to count next, in order; fewer than `limit` are the last ones."""
    rows = query(
        "select id from companies where organization_id = %(organization_id)s"
        " and id > %(counted_until)s order by id limit %(limit)s",
        {
            "organization_id": organization_id,
            "counted_until": backfill.counted_until,
            "limit": limit,
        },
    )
    return [row["id"] for row in rows]


def advance(organization_id: int, counted_until: int | None) -> None:
    """Store how far the companies are counted; None means all of them are."""
    if counted_until is None:
        statement = "delete from portfolio_backfills"
    else:
        statement = "update portfolio_backfills set counted_until = %(counted_until)s"
    execute(
        f"{statement} where organization_id = %(organization_id)s",
        {"organization_id": organization_id, "counted_until": counted_until},
    )
