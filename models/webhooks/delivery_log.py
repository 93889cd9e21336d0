"""What people look up in the outbox, and send again by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from models.cursors import Cursor
from models.database import execute, query
from models.webhooks.deliveries import MESSAGE_LOST_AFTER, ManualReason, Request

PARKED = "parked"
STATES = ("waiting", PARKED, "delivered", "failed", "paused", "cancelled")
"""How a delivery may stand. One that is parked waits for its turn."""


@dataclass(frozen=True)
class LoggedDelivery:
    """One delivery as lists show it; `company` is the client's own id, None for a test."""

    id: UUID
    endpoint_id: UUID
    url: str
    company: str | None
    event: str
    state: str
    attempts: int
    next_attempt_at: datetime | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class LoggedAttempt:
    """One attempt; `response` is the beginning of what was answered."""

    attempt: int
    at: datetime
    duration_ms: int
    status_code: int | None
    error: str | None
    response: str | None


_LISTED = (
    "select d.id, d.endpoint_id, e.url, c.external_id as company, d.payload::jsonb ->> 'event'"
    " as event, case when d.parked then 'parked' else d.state end as state, d.tries as attempts,"
    " case when d.state = 'waiting' then d.next_attempt_at end as next_attempt_at, d.created_at,"
    " d.finished_at from deliveries d join webhook_endpoints e on e.id = d.endpoint_id"
    " left join transitions t on t.id = d.transition_id"
    " left join companies c on c.id = t.company_id"
)


_FILTERS = {
    "endpoint": "d.endpoint_id = %(endpoint)s",
    "company": (
        # From the company's transitions to theirs, of which there are few.
        "d.transition_id in (select t.id from transitions t join companies c"
        " on c.id = t.company_id where c.organization_id = %(organization_id)s"
        " and c.external_id = %(company)s)"
    ),
    "state": "not d.parked and d.state = %(state)s",
    PARKED: "d.parked and d.state = 'waiting'",
    "since": "d.created_at >= %(since)s",
}
"""SQL for each; only of those that are asked for, so that each has its own plan."""

_NEWEST_FIRST = Cursor("deliveries", ("timestamptz", "uuid"))


def read_page(
    organization_id: int, filters: Mapping[str, Any], *, after: str | None = None, limit: int
) -> tuple[list[LoggedDelivery], str | None]:
    """The newest deliveries, and how to ask for the next.

    Filters are `endpoint`, `company` (the client's own id), `state` and `since`, or None.

    Raises:
        UnreadableCursor: `after` is not what an earlier page gave.
    """
    given = {name: filters[name] for name in _FILTERS if filters.get(name) is not None}
    if given.get("state") == PARKED:
        given[PARKED] = given.pop("state")
    rows = query(
        f"{_LISTED} where d.organization_id = %(organization_id)s"
        + "".join(f" and {_FILTERS[name]}" for name in given)
        + _NEWEST_FIRST.condition(["d.created_at", "d.id"], after, descending=True)
        + " order by d.created_at desc, d.id desc limit %(limit)s",
        {
            "organization_id": organization_id,
            **given,
            **_NEWEST_FIRST.read(after),
            "limit": limit + 1,
        },
    )
    return _page(rows, limit)


def read_page_for_company(
    company_id: int, *, after: str | None = None, limit: int = 50
) -> tuple[list[LoggedDelivery], str | None]:
    """The deliveries that tell of a company, newest first, and how to ask for the next.

    From its transitions to theirs: a company has few, whatever was sent for others.

    Raises:
        UnreadableCursor: `after` is not what an earlier page gave.
    """
    rows = query(
        f"{_LISTED} where t.company_id = %(company_id)s"
        f"{_NEWEST_FIRST.condition(['d.created_at', 'd.id'], after, descending=True)}"
        " order by d.created_at desc, d.id desc limit %(limit)s",
        {"company_id": company_id, "limit": limit + 1, **_NEWEST_FIRST.read(after)},
    )
    return _page(rows, limit)


def find(organization_id: int, delivery_id: UUID) -> tuple[LoggedDelivery, str] | None:
    """One delivery and its payload."""
    rows = query(
        f"select listed.*, d.payload from ({_LISTED}) listed join deliveries d on d.id = listed.id"
        " where d.organization_id = %(organization_id)s and d.id = %(id)s",
        {"organization_id": organization_id, "id": delivery_id},
    )
    if not rows:
        return None
    payload = rows[0].pop("payload")
    return LoggedDelivery(**rows[0]), payload


def list_attempts(delivery_id: UUID) -> list[LoggedAttempt]:
    """The attempts of a delivery that are still kept, oldest first."""
    rows = query(
        "select attempt, at, duration_ms, status_code, error, response from delivery_attempts"
        " where delivery_id = %(id)s order by attempt",
        {"id": delivery_id},
    )
    return [LoggedAttempt(**row) for row in rows]


def list_failed(endpoint_id: UUID, since: datetime, *, latest: bool) -> list[UUID]:
    """Failed deliveries of an endpoint since an instant, oldest first.

    With `latest` only those that are the newest of their company.
    """
    newest = (
        " and not exists (select from deliveries n join transitions nt on nt.id = n.transition_id"
        " where n.endpoint_id = d.endpoint_id and nt.company_id = t.company_id"
        " and nt.sequence > t.sequence)"
    )
    rows = query(
        "select d.id from deliveries d join transitions t on t.id = d.transition_id"
        " where d.endpoint_id = %(endpoint_id)s and d.state = 'failed'"
        f" and d.created_at >= %(since)s{newest if latest else ''} order by d.id",
        {"endpoint_id": endpoint_id, "since": since},
    )
    return [row["id"] for row in rows]


def send_again(
    endpoint_id: UUID, ids: Sequence[UUID], by_hand: ManualReason, now: datetime
) -> list[Request]:
    """Have deliveries wait once more, outside of their schedule; what to ask for.

    Those of a recovery are parked until their turn.
    """
    at_once = by_hand is ManualReason.AT_ONCE
    rows = query(
        "update deliveries set state = 'waiting', by_hand = %(by_hand)s, parked = %(parked)s,"
        " next_attempt_at = %(due_at)s, finished_at = null where id = any(%(ids)s::uuid[])"
        " and endpoint_id = %(endpoint_id)s and lease_token is null"
        " and state in ('delivered', 'failed') returning id, tries + 1 as number",
        {
            "endpoint_id": endpoint_id,
            "ids": list(ids),
            "by_hand": by_hand,
            "parked": not at_once,
            "due_at": now + MESSAGE_LOST_AFTER if at_once else None,
        },
    )
    return [(row["id"], row["number"]) for row in rows]


def list_paused(endpoint_id: UUID, *, until: datetime) -> list[tuple[UUID, datetime]]:
    """What was written up to an instant and never tried: ids and times, oldest first."""
    rows = query(
        "select id, created_at from deliveries where endpoint_id = %(endpoint_id)s"
        " and state = 'paused' and tries = 0 and created_at <= %(until)s order by created_at, id",
        {"endpoint_id": endpoint_id, "until": until},
    )
    return [(row["id"], row["created_at"]) for row in rows]


def resume(delivery_id: UUID, now: datetime) -> None:
    """Have one that is paused wait for its next attempt, as if it had been written now."""
    execute(
        "update deliveries set state = 'waiting', next_attempt_at = %(due_at)s"
        " where id = %(id)s and state = 'paused'",
        {"id": delivery_id, "due_at": now + MESSAGE_LOST_AFTER},
    )


def count_recovering(endpoint_id: UUID) -> int:
    """How many deliveries of a recovery of this endpoint are still to be sent."""
    rows = query(
        "select count(*) as number from deliveries where endpoint_id = %(endpoint_id)s"
        " and state = 'waiting' and by_hand = 'recovery'",
        {"endpoint_id": endpoint_id},
    )
    number: int = rows[0]["number"]
    return number


@dataclass(frozen=True)
class Summary:
    """Deliveries that are not over and endpoints, by state, and how late the oldest due one is."""

    deliveries: Mapping[str, int]
    endpoints: Mapping[str, int]
    oldest_due: timedelta


def summarize(now: datetime) -> Summary:
    """How all deliveries and endpoints stand."""
    states = query(
        "select case when parked then 'parked' else state end as state, count(*) as number"
        " from deliveries where state in ('waiting', 'paused') group by 1"
    )
    endpoints = query(
        "select case when disabled_at is not null then 'disabled' when probe_at is not null"
        " then 'failing' else 'active' end as state, count(*) as number"
        " from webhook_endpoints where removed_at is null group by 1"
    )
    oldest = query(
        "select min(next_attempt_at) as at from deliveries"
        " where state = 'waiting' and not parked and lease_token is null"
    )[0]["at"]
    none = dict.fromkeys(("waiting", "parked", "paused"), 0)
    nobody = dict.fromkeys(("active", "failing", "disabled"), 0)
    return Summary(
        none | {row["state"]: row["number"] for row in states},
        nobody | {row["state"]: row["number"] for row in endpoints},
        max(timedelta(0), now - oldest) if oldest else timedelta(0),
    )


def _page(rows: Sequence[Mapping[str, Any]], limit: int) -> tuple[list[LoggedDelivery], str | None]:
    found = [LoggedDelivery(**row) for row in rows[:limit]]
    more = len(rows) > limit
    return found, _NEWEST_FIRST.write([found[-1].created_at, found[-1].id]) if more else None
