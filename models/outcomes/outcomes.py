"""Outcomes: what became of companies, and on which day. A company has one of a kind on a day."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from models.bulk import insert
from models.cursors import Cursor
from models.database import execute, query
from models.health.work_items import lifecycle
from models.portfolio import stale_companies


class OutcomeKind(StrEnum):
    """The kinds of outcomes, in the order in which they are listed."""

    LEFT = "left"
    RENEWED = "renewed"
    GREW = "grew"
    SHRANK = "shrank"


@dataclass(frozen=True)
class NewOutcome:
    """An outcome to enter. `amount` is what was lost, renewed, won or given up, None if unknown."""

    company_id: int
    kind: OutcomeKind
    day: date
    amount: Decimal | None = None
    note: str = ""


@dataclass(frozen=True)
class Outcome(NewOutcome):
    """An outcome; `company` is the client's own id of the company."""

    id: int = 0
    company: str = ""
    company_name: str = ""
    entered_by: str = ""
    entered_at: datetime | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True)
class OutcomeFilter:
    """The outcomes of a kind, and from a day up to another one, both included; None is any."""

    kind: OutcomeKind | None = None
    since: date | None = None
    until: date | None = None


EVERY_OUTCOME = OutcomeFilter()

_NEWEST_FIRST = Cursor("outcomes", ("date", "bigint"))

_ENTERED = (
    "organization_id",
    *NewOutcome.__dataclass_fields__,
    "entered_by",
    "entered_at",
    "changed_at",
)

_LISTED = (
    "select o.id, o.company_id, c.external_id as company, c.name as company_name, o.kind, o.day,"
    " o.amount, o.note, o.entered_by, o.entered_at, o.changed_at"
    " from outcomes o join companies c"
    " on c.organization_id = o.organization_id and c.id = o.company_id"
    " where o.organization_id = %(organization_id)s"
)


def enter(
    organization_id: int, outcomes: Sequence[NewOutcome], entered_by: str, at: datetime
) -> list[tuple[int, bool]]:
    """Insert outcomes, or update the amount and note of those that exist.

    Returns the id of each that was inserted or changed, and whether it is new; an outcome that
    exists with the same amount and note is left out. No two of them may have the same company,
    kind and day.
    """
    company_ids = {outcome.company_id for outcome in outcomes}
    _lock(organization_id, company_ids)
    rows = insert(
        "outcomes",
        _ENTERED,
        [
            {
                **vars(outcome),
                "organization_id": organization_id,
                "kind": outcome.kind.value,
                "entered_by": entered_by,
                "entered_at": at,
                "changed_at": at,
            }
            for outcome in outcomes
        ],
        then="on conflict (organization_id, company_id, kind, day) do update"
        " set amount = excluded.amount, note = excluded.note, changed_at = excluded.changed_at"
        " where (outcomes.amount, outcomes.note) is distinct from (excluded.amount, excluded.note)"
        " returning id, xmax = 0 as is_new",
    )
    _note_who_left(organization_id, company_ids)
    return [(row["id"], row["is_new"]) for row in rows]


def change(organization_id: int, outcome: Outcome, at: datetime) -> bool:
    """Update an outcome by its id; the company stays.

    Returns False, and changes nothing, if the company has another one of this kind on this day.
    """
    _lock(organization_id, [outcome.company_id])
    changed = execute(
        "update outcomes set kind = %(kind)s, day = %(day)s, amount = %(amount)s, note = %(note)s,"
        " changed_at = %(at)s where organization_id = %(organization_id)s and id = %(id)s"
        " and not exists (select from outcomes o where o.organization_id = %(organization_id)s"
        " and o.company_id = %(company_id)s and o.kind = %(kind)s and o.day = %(day)s"
        " and o.id <> %(id)s)",
        {
            "organization_id": organization_id,
            "id": outcome.id,
            "company_id": outcome.company_id,
            "kind": outcome.kind.value,
            "day": outcome.day,
            "amount": outcome.amount,
            "note": outcome.note,
            "at": at,
        },
    )
    _note_who_left(organization_id, [outcome.company_id])
    return bool(changed)


def remove(organization_id: int, outcome: Outcome) -> None:
    """Delete an outcome."""
    _lock(organization_id, [outcome.company_id])
    execute(
        "delete from outcomes where organization_id = %(organization_id)s and id = %(id)s",
        {"organization_id": organization_id, "id": outcome.id},
    )
    _note_who_left(organization_id, [outcome.company_id])


def _lock(organization_id: int, company_ids: Collection[int]) -> None:
    """Let nobody else change the outcomes of companies until the transaction ends."""
    execute(
        "select from companies where organization_id = %(organization_id)s and id = any(%(ids)s)"
        " order by id for no key update",
        {"organization_id": organization_id, "ids": list(company_ids)},
    )


def _note_who_left(organization_id: int, company_ids: Collection[int]) -> None:
    """Derive `left_on` of companies: the day on which it left, unless a later outcome follows.

    The daily figures and the forecast, which companies that left are not part of, are made again,
    and nobody needs to work on their flags.
    """
    execute(
        """
        update companies c set left_on = n.left_on, evaluated_at = clock_timestamp()
        from unnest(%(ids)s::bigint[]) as changed (id) cross join lateral (
            select case when max(day) filter (where kind = 'left') = max(day) then max(day) end
                as left_on
            from outcomes o
            where o.organization_id = %(organization_id)s and o.company_id = changed.id
        ) n
        where c.organization_id = %(organization_id)s and c.id = changed.id
            and c.left_on is distinct from n.left_on
        """,
        {"organization_id": organization_id, "ids": list(company_ids)},
    )
    stale_companies.mark_all_days(organization_id, company_ids)
    lifecycle.note_who_left(organization_id, company_ids)


def find(organization_id: int, outcome_id: int) -> Outcome | None:
    """Return one outcome."""
    rows = query(
        f"{_LISTED} and o.id = %(id)s", {"organization_id": organization_id, "id": outcome_id}
    )
    return _outcome(rows[0]) if rows else None


def list_for_company(organization_id: int, company_id: int, *, limit: int = 100) -> list[Outcome]:
    """Return the outcomes of a company, newest first."""
    rows = query(
        f"{_LISTED} and o.company_id = %(company_id)s order by o.day desc, o.id desc"
        " limit %(limit)s",
        {"organization_id": organization_id, "company_id": company_id, "limit": limit},
    )
    return [_outcome(row) for row in rows]


def list_for_companies(organization_id: int, company_ids: Collection[int]) -> list[Outcome]:
    """Return all outcomes of companies."""
    rows = query(
        f"{_LISTED} and o.company_id = any(%(ids)s)",
        {"organization_id": organization_id, "ids": list(company_ids)},
    )
    return [_outcome(row) for row in rows]


def read_page(
    organization_id: int,
    matching: OutcomeFilter = EVERY_OUTCOME,
    *,
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[Outcome], str | None]:
    """Return outcomes, the newest day first, and the cursor of the next page.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
    """
    where, parameters = _condition(organization_id, matching)
    rows = query(
        f"{_LISTED}{where}{_NEWEST_FIRST.condition(['o.day', 'o.id'], after, descending=True)}"
        " order by o.day desc, o.id desc limit %(limit)s",
        {**parameters, "limit": limit + 1, **_NEWEST_FIRST.read(after)},
    )
    return [_outcome(row) for row in rows[:limit]], _NEWEST_FIRST.next_page(
        rows, limit, "day", "id"
    )


@dataclass(frozen=True)
class KindTotal:
    """How many outcomes of a kind there are, and the sum of their amounts."""

    number: int
    amount: Decimal


def total_by_kind(
    organization_id: int, matching: OutcomeFilter = EVERY_OUTCOME
) -> dict[OutcomeKind, KindTotal]:
    """Return the totals of outcomes by kind; kinds without any are absent."""
    where, parameters = _condition(organization_id, matching)
    rows = query(
        "select o.kind, count(*) as number, coalesce(sum(o.amount), 0) as amount from outcomes o"
        f" where o.organization_id = %(organization_id)s{where} group by 1",
        parameters,
    )
    return {OutcomeKind(row["kind"]): KindTotal(row["number"], row["amount"]) for row in rows}


def revision(organization_id: int) -> str:
    """Return a text that differs after every change of an organization's outcomes."""
    [row] = query(
        "select count(*) as number, max(id) as newest, max(changed_at) as changed_at"
        " from outcomes where organization_id = %(organization_id)s",
        {"organization_id": organization_id},
    )
    return f"{row['number']} {row['newest']} {row['changed_at']}"


def _condition(organization_id: int, matching: OutcomeFilter) -> tuple[str, dict[str, Any]]:
    """Return SQL that begins with `and`, or is empty, for the rows `o` of a filter."""
    where = "".join(
        condition
        for condition, value in (
            (" and o.kind = %(kind)s", matching.kind),
            (" and o.day >= %(since)s", matching.since),
            (" and o.day <= %(until)s", matching.until),
        )
        if value is not None
    )
    return where, {
        "organization_id": organization_id,
        "kind": matching.kind and matching.kind.value,
        "since": matching.since,
        "until": matching.until,
    }


def _outcome(row: dict[str, Any]) -> Outcome:
    return Outcome(**{**row, "kind": OutcomeKind(row["kind"])})
