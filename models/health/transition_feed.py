"""The transitions of an organization in one order that never changes, for readers that go on.

Each has a position, which is given when it is first asked for, to what is committed by then and
under a lock. So whatever is committed later comes later, and a reader that goes on from its last
position misses nothing. Those of one company are in the order of their `sequence`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.cursors import Cursor
from models.database import execute, query
from models.locks import AdvisoryLock, lock_for_organization

PLACED_AT_ONCE = 2_000
"""Transitions of which the places are worked out in one step, and a few more."""

_IN_ORDER = Cursor("feed", ("bigint",))


@dataclass(frozen=True)
class FedTransition:
    """A transition with its company, of which `company` is the client's own id.

    `from_status` equals `to_status` where only flags changed. `changes` lists these, each with
    `flag`, `from`, `to` and `threshold`.
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
    """Some transitions, what to go on from, and whether there are more already."""

    transitions: list[FedTransition]
    next: str
    more: bool


def read_feed(organization_id: int, *, after: str | None = None, limit: int = 100) -> FeedPage:
    """What comes after a place in the order, the beginning of all where it is None.

    Within a transaction of level `read committed` that may write.

    Raises:
        UnreadableCursor: `after` is not what an earlier stretch gave.
    """
    place = _IN_ORDER.read(after).get("cursor_0", 0)
    rows = _after(organization_id, place, limit + 1)
    while len(rows) <= limit and _place(organization_id):
        rows = _after(organization_id, place, limit + 1)
    more = len(rows) > limit
    reached = [row.pop("position") for row in rows][:limit]
    return FeedPage(
        [FedTransition(**row) for row in rows[:limit]],
        _IN_ORDER.write([reached[-1] if reached else place]),
        more,
    )


def _after(organization_id: int, place: int, limit: int) -> list[dict[str, Any]]:
    return query(
        "select t.position, t.id, c.external_id as company, c.name as company_name, t.sequence,"
        " t.at, t.from_status, t.to_status, t.cause, t.changes, t.rules_version, t.recorded_at"
        " from transitions t join companies c on c.id = t.company_id"
        " where t.organization_id = %(organization_id)s and t.position > %(place)s"
        " order by t.position limit %(limit)s",
        {"organization_id": organization_id, "place": place, "limit": limit},
    )


def _place(organization_id: int) -> bool:
    """Give positions to transitions that have none; whether there were any.

    By when they were recorded, as far as clocks agree, but none before an earlier one of its
    company: whoever wrote that had ended before. The lock is held until the transaction ends, so
    that no greater position is seen before a smaller one.
    """
    parameters = {"organization_id": organization_id, "limit": PLACED_AT_ONCE}
    if not query(
        "select 1 as some from transitions where organization_id = %(organization_id)s"
        " and position is null order by recorded_at limit 1",  # in the order of the index
        parameters,
    ):
        return False
    lock_for_organization(AdvisoryLock.TRANSITION_FEED, organization_id)
    # A statement of its own: it sees what whoever held the lock has done.
    execute(
        """
        with reached as (
            select company_id, max(sequence) as sequence from (
                select company_id, sequence from transitions
                where organization_id = %(organization_id)s and position is null
                order by recorded_at limit %(limit)s
            ) oldest group by company_id
        ), told as (
            select t.id, t.company_id, t.sequence,
                max(t.recorded_at) over (partition by t.company_id order by t.sequence) as latest
            from reached r join transitions t on t.company_id = r.company_id
                and t.sequence <= r.sequence and t.position is null
        ), placed as materialized (
            select id, nextval('transition_positions') as position from (
                select id from told order by latest, company_id, sequence
            ) ordered
        )
        update transitions t set position = placed.position from placed where t.id = placed.id
        """,
        parameters,
    )
    return True
