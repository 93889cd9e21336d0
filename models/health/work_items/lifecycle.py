"""Opens and closes items, in the transaction of the evaluation that raises and clears their flags.

Each function takes what changed about many companies, whose rows are locked, in one statement.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from models.bulk import insert, query_over
from models.companies.fields.team_columns import TEAM_TYPES, TeamColumns
from models.database import execute, query


@dataclass(frozen=True)
class OpenItem:
    """An item that is not closed."""

    id: int
    company_id: int
    flag: str
    state: str


@dataclass(frozen=True)
class ItemUpdate:
    """What an evaluation changes in an open item.

    A `raised_at` of None keeps the stored one. `worse_since` and `worse_from` are stored if
    `moved`, which is whether the status changed.
    """

    id: int
    status: str
    snoozed: bool
    state: str
    raised_at: datetime | None
    moved: bool
    worse_since: datetime | None
    worse_from: str | None


@dataclass(frozen=True)
class ClosedItem:
    """An item to close."""

    id: int
    closed_at: datetime
    closed_because: str


@dataclass(frozen=True)
class NewItem:
    """An item to add; `value` is the text of a number.

    `company_left` is whether the company has left, which `note_who_left` keeps.
    """

    organization_id: int
    company_id: int
    flag: str
    status: str
    snoozed: bool
    raised_at: datetime
    opened_at: datetime
    worse_since: datetime | None
    worse_from: str | None
    next_step: str | None
    owner: str | None
    value: str | None
    renews_on: date | None
    company_left: bool
    closed_at: datetime | None
    closed_because: str | None


def find_open(organization_id: int, company_ids: Collection[int]) -> list[OpenItem]:
    """Return the items of companies that are not closed."""
    rows = query(
        "select id, company_id, flag, state from work_items"
        " where organization_id = %(organization_id)s and company_id = any(%(company_ids)s)"
        " and closed_at is null",
        {"organization_id": organization_id, "company_ids": list(company_ids)},
    )
    return [OpenItem(**row) for row in rows]


def close(organization_id: int, items: Sequence[ClosedItem]) -> None:
    """Close items; none was closed before it was raised."""
    query_over(
        "update work_items i set closed_at = greatest(v.closed_at, i.raised_at),"
        " closed_because = v.closed_because"
        " from v where i.organization_id = %(organization_id)s and i.id = v.id",
        items,
        "id bigint, closed_at timestamptz, closed_because text",
        organization_id=organization_id,
    )


def update(organization_id: int, items: Sequence[ItemUpdate]) -> None:
    """Update open items."""
    query_over(
        "update work_items i set status = v.status, snoozed = v.snoozed, state = v.state,"
        " raised_at = coalesce(v.raised_at, i.raised_at),"
        " worse_since = case when v.moved then v.worse_since else i.worse_since end,"
        " worse_from = case when v.moved then v.worse_from else i.worse_from end"
        " from v where i.organization_id = %(organization_id)s and i.id = v.id",
        items,
        "id bigint, status text, snoozed boolean, state text, raised_at timestamptz,"
        " moved boolean, worse_since timestamptz, worse_from text",
        organization_id=organization_id,
    )


def add(items: Sequence[NewItem]) -> None:
    """Insert items."""
    insert("work_items", tuple(NewItem.__dataclass_fields__), items)


def update_team(organization_id: int, teams: Mapping[int, TeamColumns]) -> None:
    """Update the owner, value and renewal in the open items of companies."""
    names = ", ".join(f"{name} = v.{name}" for name in TEAM_TYPES)
    query_over(
        f"update work_items i set {names} from v where i.organization_id = %(organization_id)s"
        " and i.company_id = v.company_id and i.closed_at is null",
        [{"company_id": company_id, **team.as_json()} for company_id, team in teams.items()],
        f"company_id bigint, {', '.join(f'{name} {kind}' for name, kind in TEAM_TYPES.items())}",
        organization_id=organization_id,
    )


def note_who_left(organization_id: int, company_ids: Collection[int]) -> None:
    """Note in the items of companies whether they have left."""
    execute(
        "update work_items i set company_left = c.left_on is not null from companies c"
        " where i.organization_id = %(organization_id)s and i.company_id = any(%(ids)s)"
        " and c.organization_id = i.organization_id and c.id = i.company_id"
        " and i.company_left <> (c.left_on is not null)",
        {"organization_id": organization_id, "ids": list(company_ids)},
    )
