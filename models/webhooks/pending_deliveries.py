"""Unfinished deliveries of an endpoint: probes, the turns of parked ones, and paused ones.

Changes of turns require the lock of the endpoint, so that no two transactions use the same slot.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from models.database import execute, query
from models.webhooks.deliveries import MESSAGE_LOST_AFTER, ManualReason, Request

PROBE_CHOICE = 1_000
"""A probe is one of the oldest parked deliveries, up to this number of them."""

_REQUEST = "organization_id, endpoint_id, id as delivery_id, tries + 1 as attempt"

_OF_ENDPOINT = "organization_id = %(organization_id)s and endpoint_id = %(endpoint_id)s"


def find_probes(organization_id: int, endpoint_ids: Collection[UUID]) -> list[Request]:
    """Return a parked delivery of each of these endpoints that has any.

    It is one of those that were tried least, in no particular order: each probe is another one,
    and rarely of the same company as the one before.
    """
    return _requests(
        "select d.* from unnest(%(endpoint_ids)s::uuid[]) e (id) cross join lateral ("
        f" select {_REQUEST} from (select * from deliveries"
        " where organization_id = %(organization_id)s and endpoint_id = e.id"
        " and state = 'waiting' and parked order by by_hand nulls first, id limit %(choice)s)"
        " oldest order by tries, by_hand nulls first, md5(id::text) limit 1) d",
        organization_id=organization_id,
        endpoint_ids=list(endpoint_ids),
        choice=PROBE_CHOICE,
    )


def find_backlogs(
    organization_id: int, endpoint_ids: Collection[UUID], *, before: datetime
) -> set[UUID]:
    """Return which of these endpoints have a parked delivery from before an instant."""
    rows = query(
        "select e.id from unnest(%(endpoint_ids)s::uuid[]) e (id) where exists (select"
        " from deliveries where organization_id = %(organization_id)s and endpoint_id = e.id"
        " and state = 'waiting' and parked and by_hand is null and created_at < %(before)s)",
        {
            "organization_id": organization_id,
            "endpoint_ids": list(endpoint_ids),
            "before": before,
        },
    )
    return {row["id"] for row in rows}


def unpark(
    organization_id: int,
    endpoint_id: UUID,
    manual: ManualReason | None,
    now: datetime,
    *,
    limit: int,
) -> list[Request]:
    """Give the oldest parked deliveries of a kind their turn, and return the tries to make."""
    kind = "is null" if manual is None else "= %(manual)s"
    unparked = _requests(
        "update deliveries set parked = false, next_attempt_at = %(due_at)s"
        " where organization_id = %(organization_id)s and id in ("
        f"select id from deliveries where {_OF_ENDPOINT} and state = 'waiting'"
        f" and parked and by_hand {kind} order by id limit %(limit)s)"
        f" returning {_REQUEST}",
        organization_id=organization_id,
        endpoint_id=endpoint_id,
        manual=manual,
        due_at=now + MESSAGE_LOST_AFTER,
        limit=limit,
    )
    return sorted(unparked, key=lambda request: request.delivery_id)


def park_due(organization_id: int, endpoint_id: UUID, now: datetime) -> int:
    """Park the deliveries of an endpoint that are due, and return their number."""
    return execute(
        "update deliveries set parked = true, next_attempt_at = null, lease_token = null"
        f" where {_OF_ENDPOINT} and state = 'waiting' and next_attempt_at <= %(now)s"
        " and by_hand is distinct from 'at once'",  # which needs no slot
        {"organization_id": organization_id, "endpoint_id": endpoint_id, "now": now},
    )


def list_due(organization_id: int, endpoint_id: UUID, now: datetime) -> list[Request]:
    """Return the deliveries of an endpoint that are due."""
    return _requests(
        f"select {_REQUEST} from deliveries where {_OF_ENDPOINT} and state = 'waiting'"
        " and next_attempt_at <= %(now)s order by id",
        organization_id=organization_id,
        endpoint_id=endpoint_id,
        now=now,
    )


def pause_waiting(organization_id: int, endpoint_id: UUID) -> int:
    """Pause the waiting deliveries of an endpoint without a lease, and return their number."""
    return execute(
        "update deliveries set state = 'paused', parked = false, next_attempt_at = null"
        f" where {_OF_ENDPOINT} and state = 'waiting' and lease_token is null"
        " and by_hand is distinct from 'at once'",  # which reaches even a disabled endpoint
        {"organization_id": organization_id, "endpoint_id": endpoint_id},
    )


def park_paused(organization_id: int, endpoint_id: UUID) -> int:
    """Park the paused deliveries of an endpoint until their turn, and return their number."""
    return execute(
        "update deliveries set state = 'waiting', parked = true, next_attempt_at = null"
        f" where {_OF_ENDPOINT} and state = 'paused'",
        {"organization_id": organization_id, "endpoint_id": endpoint_id},
    )


def cancel_waiting(organization_id: int, endpoint_id: UUID) -> None:
    """Cancel the waiting and paused deliveries of an endpoint."""
    execute(
        "update deliveries set state = 'cancelled', parked = false, finished_at = now(),"
        f" next_attempt_at = null where {_OF_ENDPOINT} and state in ('waiting', 'paused')",
        {"organization_id": organization_id, "endpoint_id": endpoint_id},
    )


def _requests(sql: str, **parameters: Any) -> list[Request]:
    return [Request(**row) for row in query(sql, parameters)]
