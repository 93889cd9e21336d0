"""The statements that find rows of all organizations, for the clock, the metrics, and old messages.

Each selects from one table and returns the organization of every row. What follows is done for one
organization at a time.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from models.database import query
from models.webhooks.deliveries import Request

DUE_DELIVERIES = "deliveries where state = 'waiting' and next_attempt_at <= %(until)s"


class DueProbe(NamedTuple):
    """An endpoint whose probe is due, and since when it is."""

    organization_id: int
    endpoint_id: UUID
    probe_at: datetime


class StateCount(NamedTuple):
    """The number of rows of an organization in a state."""

    organization_id: int
    state: str
    number: int


def find_due_deliveries(
    *, until: datetime, limit: int, leave_out: Collection[Request] = ()
) -> list[Request]:
    """Return the waiting deliveries that are due, the longest due first, without `leave_out`."""
    rows = query(
        "select organization_id, endpoint_id, id as delivery_id, tries + 1 as attempt"
        f" from {DUE_DELIVERIES} and not exists (select"
        " from unnest(%(ids)s::uuid[], %(attempts)s::int[]) as left_out (id, attempt)"
        " where left_out.id = deliveries.id and left_out.attempt = deliveries.tries + 1)"
        " order by next_attempt_at limit %(limit)s",
        {
            "until": until,
            "limit": limit,
            "ids": [request.delivery_id for request in leave_out],
            "attempts": [request.attempt for request in leave_out],
        },
    )
    return [Request(**row) for row in rows]


def find_request(delivery_id: UUID, attempt: int) -> Request | None:
    """Return the request of a message that names only the delivery and the attempt."""
    rows = query(
        "select organization_id, endpoint_id, id as delivery_id from deliveries where id = %(id)s",
        {"id": delivery_id},
    )
    return Request(**rows[0], attempt=attempt) if rows else None


def find_due_probes(
    *, until: datetime, limit: int, leave_out: Collection[DueProbe] = ()
) -> list[DueProbe]:
    """Return the endpoints whose probe is due, the longest due first, without `leave_out`."""
    rows = query(
        "select organization_id, id as endpoint_id, probe_at from webhook_endpoints"
        " where probe_at <= %(until)s and removed_at is null and disabled_at is null"
        " and not exists (select from unnest(%(ids)s::uuid[], %(times)s::timestamptz[])"
        " as left_out (id, probe_at) where left_out.id = webhook_endpoints.id"
        " and left_out.probe_at = webhook_endpoints.probe_at)"
        " order by probe_at limit %(limit)s",
        {
            "until": until,
            "limit": limit,
            "ids": [probe.endpoint_id for probe in leave_out],
            "times": [probe.probe_at for probe in leave_out],
        },
    )
    return [DueProbe(**row) for row in rows]


def count_unfinished_deliveries() -> list[StateCount]:
    """Count the deliveries that are `waiting`, `parked` or `paused`, by organization."""
    return _state_counts(
        "select organization_id, case when parked and next_attempt_at is null then 'parked'"
        " else state end as state, count(*) as number from deliveries"
        " where state in ('waiting', 'paused') group by 1, 2"
    )


def count_endpoints() -> list[StateCount]:
    """Count the endpoints that are `active`, `failing` or `disabled`, by organization."""
    return _state_counts(
        "select organization_id, case when disabled_at is not null then 'disabled'"
        " when probe_at is not null then 'failing' else 'active' end as state,"
        " count(*) as number from webhook_endpoints where removed_at is null group by 1, 2"
    )


def find_oldest_due(*, until: datetime) -> tuple[int, datetime] | None:
    """Return the organization of the delivery that is due longest, and since when it is."""
    rows = query(
        f"select organization_id, next_attempt_at from {DUE_DELIVERIES}"
        " and lease_token is null order by next_attempt_at limit 1",
        {"until": until},
    )
    return (rows[0]["organization_id"], rows[0]["next_attempt_at"]) if rows else None


def _state_counts(sql: str) -> list[StateCount]:
    return [StateCount(**row) for row in query(sql)]
