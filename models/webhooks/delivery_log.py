"""The delivery log: deliveries and their attempts as people see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from models.cursors import Cursor
from models.database import query
from models.table import fetch
from models.webhooks.tables import DeliveryAttemptRow

PARKED = "parked"
STATES = ("waiting", PARKED, "delivered", "failed", "paused", "cancelled")
"""The states that the log shows. A parked delivery waits for its turn."""


@dataclass(frozen=True)
class LoggedDelivery:
    """A delivery as lists show it; `company` is the client's own id, None for a test."""

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
    """An attempt; `response` is the beginning of the response body."""

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
        # Starts from the few transitions of the company.
        "d.transition_id in (select t.id from transitions t join companies c"
        " on c.id = t.company_id where c.organization_id = %(organization_id)s"
        " and c.external_id = %(company)s)"
    ),
    "state": "not d.parked and d.state = %(state)s",
    PARKED: "d.parked and d.state = 'waiting'",
    "since": "d.created_at >= %(since)s",
}
"""SQL for each filter; only the requested ones are used, so that each query has its own plan."""

_NEWEST_FIRST = Cursor("deliveries", ("timestamptz", "uuid"))


def read_page(
    organization_id: int, filters: Mapping[str, Any], *, after: str | None = None, limit: int
) -> tuple[list[LoggedDelivery], str | None]:
    """Return the newest deliveries, and the cursor of the next page.

    The filters are `endpoint`, `company` (the client's own id), `state` and `since`; None is no
    filter.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
    """
    active = {name: filters[name] for name in _FILTERS if filters.get(name) is not None}
    if active.get("state") == PARKED:
        active[PARKED] = active.pop("state")
    rows = query(
        f"{_LISTED} where d.organization_id = %(organization_id)s"
        + "".join(f" and {_FILTERS[name]}" for name in active)
        + _NEWEST_FIRST.condition(["d.created_at", "d.id"], after, descending=True)
        + " order by d.created_at desc, d.id desc limit %(limit)s",
        {
            "organization_id": organization_id,
            **active,
            **_NEWEST_FIRST.read(after),
            "limit": limit + 1,
        },
    )
    return _page(rows, limit)


def read_page_for_company(
    company_id: int, *, after: str | None = None, limit: int = 50
) -> tuple[list[LoggedDelivery], str | None]:
    """Return the deliveries of a company's transitions, newest first, and the next cursor.

    Starts from the transitions: a company has few, however many deliveries others have.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
    """
    rows = query(
        f"{_LISTED} where t.company_id = %(company_id)s"
        f"{_NEWEST_FIRST.condition(['d.created_at', 'd.id'], after, descending=True)}"
        " order by d.created_at desc, d.id desc limit %(limit)s",
        {"company_id": company_id, "limit": limit + 1, **_NEWEST_FIRST.read(after)},
    )
    return _page(rows, limit)


def find(organization_id: int, delivery_id: UUID) -> tuple[LoggedDelivery, str] | None:
    """Return one delivery and its payload."""
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
    """Return the stored attempts of a delivery, oldest first."""
    columns = [getattr(DeliveryAttemptRow, name) for name in LoggedAttempt.__dataclass_fields__]
    rows = DeliveryAttemptRow.select(*columns).where(DeliveryAttemptRow.delivery_id == delivery_id)
    return [LoggedAttempt(**row) for row in fetch(rows.order_by(DeliveryAttemptRow.attempt))]


@dataclass(frozen=True)
class Summary:
    """Unfinished deliveries and endpoints by state, and the delay of the oldest due delivery."""

    deliveries: Mapping[str, int]
    endpoints: Mapping[str, int]
    oldest_due: timedelta


def summarize(now: datetime) -> Summary:
    """Count all unfinished deliveries and endpoints by state."""
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
    no_deliveries = dict.fromkeys(("waiting", "parked", "paused"), 0)
    no_endpoints = dict.fromkeys(("active", "failing", "disabled"), 0)
    return Summary(
        no_deliveries | {row["state"]: row["number"] for row in states},
        no_endpoints | {row["state"]: row["number"] for row in endpoints},
        max(timedelta(0), now - oldest) if oldest else timedelta(0),
    )


def _page(rows: Sequence[Mapping[str, Any]], limit: int) -> tuple[list[LoggedDelivery], str | None]:
    deliveries = [LoggedDelivery(**row) for row in rows[:limit]]
    return deliveries, _NEWEST_FIRST.next_page(rows, limit, "created_at", "id")
