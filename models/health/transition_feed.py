"""The transition feed: an organization's transitions in one fixed order, for polling readers.

Each transition gets a position when a reader first asks for it. Positions are assigned under a
lock and only to committed rows, so a row that is committed later also comes later, and a reader
that continues from its last position misses nothing. The transitions of one company are in the
order of their `sequence`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.bulk import query_over
from models.cursors import Cursor
from models.database import query
from models.locks import AdvisoryLock, lock_for_organization

POSITIONS_PER_STEP = 2_000
"""Transitions that get a position in one step; a few more if their companies have older ones."""

_IN_ORDER = Cursor("feed", ("bigint",))


@dataclass(frozen=True)
class FeedTransition:
    """A transition with its company; `company` is the client's own id.

    `from_status` equals `to_status` if only flags changed. `changes` lists these, each with `flag`,
    `from`, `to` and `threshold`.
    """

    id: UUID
    company: str
    company_name: str
    sequence: int
    at: datetime
    from_status: str
    to_status: str
    cause: str
    changes: list[dict[str, Any]]
    rules_version: int
    recorded_at: datetime


@dataclass(frozen=True)
class FeedPage:
    """Consecutive transitions, the cursor of the next page, and whether there are more by now."""

    transitions: list[FeedTransition]
    next: str
    more: bool


def read_feed(organization_id: int, *, after: str | None = None, limit: int = 100) -> FeedPage:
    """Return the transitions after a cursor, from the beginning if it is None.

    Requires a transaction of level `read committed` that may write.

    Raises:
        UnreadableCursor: `after` is not a cursor of this feed.
    """
    position = _IN_ORDER.read(after).get("cursor_0", 0)
    rows = _read_after(organization_id, position, limit + 1)
    while len(rows) <= limit and _assign_positions(organization_id):
        rows = _read_after(organization_id, position, limit + 1)
    more = len(rows) > limit
    reached = [row.pop("position") for row in rows][:limit]
    return FeedPage(
        [FeedTransition(**row) for row in rows[:limit]],
        _IN_ORDER.write([reached[-1] if reached else position]),
        more,
    )


def _read_after(organization_id: int, position: int, limit: int) -> list[dict[str, Any]]:
    return query(
        "select t.position, t.id, c.external_id as company, c.name as company_name, t.sequence,"
        " t.at, t.from_status, t.to_status, t.cause, t.changes, t.rules_version, t.recorded_at"
        " from transitions t join companies c"
        " on c.organization_id = t.organization_id and c.id = t.company_id"
        " where t.organization_id = %(organization_id)s and t.position > %(position)s"
        " order by t.position limit %(limit)s",
        {"organization_id": organization_id, "position": position, "limit": limit},
    )


def _assign_positions(organization_id: int) -> bool:
    """Assign positions to transitions without one; return whether there were any.

    They are ordered by the time of recording, as far as clocks agree, but never before an earlier
    one of the same company, whose transaction ended before. The lock is held until the
    transaction ends, so that no greater position becomes visible before a smaller one.
    """
    parameters = {"organization_id": organization_id, "limit": POSITIONS_PER_STEP}
    if not query(
        "select 1 as unplaced from transitions where organization_id = %(organization_id)s"
        " and position is null order by recorded_at limit 1",  # in the order of the index
        parameters,
    ):
        return False
    lock_for_organization(AdvisoryLock.TRANSITION_FEED, organization_id)
    # A separate statement, so that it sees what the previous holder of the lock committed.
    unplaced = query(
        """
        with reached as (
            select company_id, max(sequence) as sequence from (
                select company_id, sequence from transitions
                where organization_id = %(organization_id)s and position is null
                order by recorded_at limit %(limit)s
            ) oldest group by company_id
        ), unplaced as (
            select t.id, t.company_id, t.sequence,
                max(t.recorded_at) over (partition by t.company_id order by t.sequence) as latest
            from reached r join transitions t on t.organization_id = %(organization_id)s
                and t.company_id = r.company_id
                and t.sequence <= r.sequence and t.position is null
        )
        select id from unplaced order by latest, company_id, sequence
        """,
        parameters,
    )
    positions = query(
        "select nextval('transition_positions') as position from generate_series(1, %(number)s)",
        {"number": len(unplaced)},
    )
    query_over(
        "update transitions t set position = v.position from v"
        " where t.organization_id = %(organization_id)s and t.id = v.id",
        [row | place for row, place in zip(unplaced, positions, strict=True)],
        "id uuid, position bigint",
        organization_id=organization_id,
    )
    return True
