"""Unfinished deliveries: the due ones, the probes, and the turns of parked ones.

Changes of turns require the lock of the endpoint, so that no two transactions use the same slot.
"""

from datetime import datetime
from uuid import UUID

from models.database import execute, query
from models.webhooks.deliveries import MESSAGE_LOST_AFTER, ManualReason, Request

PROBE_CHOICE = 1_000
"""A probe is one of the oldest parked deliveries, up to this number of them."""

DUE = "deliveries where state = 'waiting' and not parked and next_attempt_at <= %(until)s"


def find_due(*, until: datetime, limit: int) -> list[Request]:
    """Return the waiting deliveries that are due, with the number of the try to make."""
    rows = query(
        f"select id, tries + 1 as number from {DUE} order by next_attempt_at limit %(limit)s",
        {"until": until, "limit": limit},
    )
    return [(row["id"], row["number"]) for row in rows]


PROBES = (
    "webhook_endpoints e cross join lateral ("
    " select id, tries + 1 as number from (select id, tries, by_hand from deliveries"
    " where endpoint_id = e.id and state = 'waiting' and parked"
    f" order by by_hand nulls first, id limit {PROBE_CHOICE}) oldest"
    " order by tries, by_hand nulls first, md5(id::text) limit 1) d"
    " where e.probe_at <= %(until)s and e.removed_at is null and e.disabled_at is null"
)


def find_probes(*, until: datetime, limit: int, endpoint_id: UUID | None = None) -> list[Request]:
    """Return a parked delivery of each endpoint, or of one, whose probe is due.

    It is one of those that were tried least, in no particular order: each probe is another one,
    and rarely of the same company as the one before.
    """
    rows = query(
        f"select d.id, d.number from {PROBES}"
        + (" and e.id = %(endpoint_id)s" if endpoint_id else "")
        + " order by e.probe_at limit %(limit)s",
        {"until": until, "limit": limit, "endpoint_id": endpoint_id},
    )
    return [(row["id"], row["number"]) for row in rows]


def unpark(
    endpoint_id: UUID, manual: ManualReason | None, now: datetime, *, limit: int
) -> list[Request]:
    """Give the oldest parked deliveries of a kind their turn, and return the tries to make."""
    kind = "is null" if manual is None else "= %(manual)s"
    rows = query(
        "update deliveries set parked = false, next_attempt_at = %(due_at)s where id in ("
        "select id from deliveries where endpoint_id = %(endpoint_id)s and state = 'waiting'"
        f" and parked and by_hand {kind} order by id limit %(limit)s)"
        " returning id, tries + 1 as number",
        {
            "endpoint_id": endpoint_id,
            "manual": manual,
            "due_at": now + MESSAGE_LOST_AFTER,
            "limit": limit,
        },
    )
    return sorted((row["id"], row["number"]) for row in rows)


def pause_waiting(endpoint_id: UUID) -> int:
    """Pause the waiting deliveries of an endpoint without a lease, and return their number."""
    return execute(
        "update deliveries set state = 'paused', parked = false, next_attempt_at = null"
        " where endpoint_id = %(endpoint_id)s and state = 'waiting' and lease_token is null"
        " and by_hand is distinct from 'at once'",  # which reaches even a disabled endpoint
        {"endpoint_id": endpoint_id},
    )


def park_paused(endpoint_id: UUID) -> int:
    """Park the paused deliveries of an endpoint until their turn, and return their number."""
    return execute(
        "update deliveries set state = 'waiting', parked = true, next_attempt_at = null"
        " where endpoint_id = %(endpoint_id)s and state = 'paused'",
        {"endpoint_id": endpoint_id},
    )


def cancel_waiting(endpoint_id: UUID) -> None:
    """Cancel the waiting and paused deliveries of an endpoint."""
    execute(
        "update deliveries set state = 'cancelled', parked = false, finished_at = now(),"
        " next_attempt_at = null where endpoint_id = %(endpoint_id)s"
        " and state in ('waiting', 'paused')",
        {"endpoint_id": endpoint_id},
    )
