"""Upcoming changes of status, as a forecast in the background has computed them.

A row is about one company and its changes up to `at`; it is superseded by the row of the company's
next change. So the rows that say what happens up to an instant are those before it that are not
superseded by then: one for each company that changes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any

from models.bulk import insert
from models.cursors import Cursor
from models.database import execute, query

_CURSOR = Cursor("upcoming", ("bigint", "timestamptz", "bigint"))


class Direction(IntEnum):
    """What becomes of a company, in the order of lists.

    It has a worse status than now for a while, or it ends with a better one: by a recovery, or only
    because what raised its flags is no longer counted. Or it returns to its present status.
    """

    WORSE = 1
    RECOVERS = 2
    RUNS_OUT = 3
    RETURNS = 4


@dataclass(frozen=True)
class UpcomingChange:
    """The changes of a company up to and including that at `at`.

    It has `from_status` now, gets `worst_status`, the worst of those to come, first at `worst_at`,
    and ends with `to_status`. `cause` and `flags` are those of the change at `at` itself.
    """

    company_id: int
    at: datetime
    superseded_at: datetime
    direction: Direction
    from_status: str
    worst_status: str
    worst_at: datetime
    to_status: str
    owner: str | None
    value: Decimal | None
    cause: str
    flags: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class UpcomingFilter:
    """The conditions of a list; None or empty is no condition.

    One of `owners` is the whole owner, regardless of case. `status` is the worst one to come. The
    companies change before `until`; `first` and `before` are the bounds of `worst_at`.
    """

    until: datetime
    owners: tuple[str, ...] = ()
    least_value: Decimal | None = None
    status: str | None = None
    direction: Direction | None = None
    first: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True)
class UpcomingTotal:
    """How many companies get their worst status on a day, and the sum of their values, if any."""

    day: int
    direction: Direction
    companies: int
    value: Decimal | None


@dataclass(frozen=True)
class ListedChange:
    """A company in the list: its changes in the span, and why and how it gets its worst status."""

    company_id: int
    external_id: str
    name: str
    direction: Direction
    from_status: str
    worst_status: str
    worst_at: datetime
    to_status: str
    to_at: datetime
    owner: str | None
    value: Decimal | None
    cause: str
    flags: Sequence[Mapping[str, Any]]


def replace(
    organization_id: int, company_ids: Collection[int], changes: Sequence[UpcomingChange]
) -> None:
    """Replace the upcoming changes of companies."""
    execute(
        "delete from upcoming_changes where organization_id = %(organization_id)s"
        " and company_id = any(%(company_ids)s)",
        {"organization_id": organization_id, "company_ids": list(company_ids)},
    )
    insert(
        "upcoming_changes",
        ("organization_id", *UpcomingChange.__dataclass_fields__),
        [{"organization_id": organization_id, **vars(change)} for change in changes],
        json_columns=("flags",),
    )


def count_by_day(
    organization_id: int, upcoming: UpcomingFilter, days: Sequence[datetime]
) -> list[UpcomingTotal]:
    """Count companies by day and direction; `days` are the first instants of days, in order.

    A change that is overdue belongs to the first day.
    """
    condition, parameters = _condition(organization_id, upcoming)
    rows = query(
        "select greatest(width_bucket(u.worst_at, %(days)s::timestamptz[]) - 1, 0) as day,"
        " u.direction, count(*) as companies, sum(u.value) as value"
        f" from upcoming_changes u where {condition} group by 1, 2 order by 1, 2",
        {**parameters, "days": list(days)},
    )
    return [UpcomingTotal(**{**row, "direction": Direction(row["direction"])}) for row in rows]


def read_page(
    organization_id: int, upcoming: UpcomingFilter, *, after: str | None, limit: int
) -> tuple[list[ListedChange], str | None]:
    """Return a page of companies and the cursor of the next: by direction, the soonest first.

    Raises:
        UnreadableCursor: `after` is not a cursor that an earlier call returned.
    """
    condition, parameters = _condition(organization_id, upcoming)
    last = tuple(_CURSOR.read(after).values())
    if last:
        condition += " and (u.direction, u.worst_at, u.company_id) > %(last)s"
        parameters["last"] = last
    rows = query(
        "with listed as materialized (select u.company_id, u.at as to_at, u.direction,"
        " u.from_status, u.worst_status, u.worst_at, u.to_status, u.owner, u.value"
        " from upcoming_changes u"
        f" where {condition} order by u.direction, u.worst_at, u.company_id limit %(limit)s)"
        " select l.*, c.external_id, c.name, w.cause, w.flags from listed l"
        " join upcoming_changes w on w.organization_id = %(organization_id)s"
        " and w.company_id = l.company_id and w.at = l.worst_at"
        " join companies c on c.organization_id = %(organization_id)s and c.id = l.company_id"
        " order by l.direction, l.worst_at, l.company_id",
        {**parameters, "limit": limit + 1},
    )
    page = [
        ListedChange(**{**row, "direction": Direction(row["direction"])}) for row in rows[:limit]
    ]
    if len(rows) <= limit:
        return page, None
    end = page[-1]
    return page, _CURSOR.write([int(end.direction), end.worst_at, end.company_id])


def _condition(organization_id: int, upcoming: UpcomingFilter) -> tuple[str, dict[str, Any]]:
    """Return an SQL condition on `upcoming_changes u`, and its parameters."""
    conditions = {
        "u.organization_id = %(organization_id)s": organization_id,
        "u.at < %(until)s and u.superseded_at >= %(until)s": upcoming.until,
    }
    optional = {
        "lower(u.owner) = any(array(select lower(t) from unnest(%(owners)s::text[]) as t))": (
            list(upcoming.owners) or None
        ),
        "u.value >= %(least_value)s": upcoming.least_value,
        "u.worst_status = %(status)s": upcoming.status,
        "u.direction = %(direction)s": upcoming.direction and int(upcoming.direction),
        "u.worst_at >= %(first)s": upcoming.first,
        "u.worst_at < %(before)s": upcoming.before,
    }
    conditions |= {text: value for text, value in optional.items() if value is not None}
    parameters = {
        text.partition("%(")[2].partition(")s")[0]: value for text, value in conditions.items()
    }
    return " and ".join(conditions), parameters
