"""The delivery log: deliveries and their attempts as people see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.cursors import Cursor
from models.database import query
from models.table import fetch
from models.webhooks.tables import DeliveryAttemptRow

PARKED = "parked"
STATES = ("waiting", PARKED, "delivered", "failed", "paused", "cancelled")
"""The states that the log shows. A parked delivery waits for its turn, unless it is new."""


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
    # A transition is gone once an import has replaced it; its delivery still names the company.
    "select d.id, d.endpoint_id, e.url, coalesce(c.external_id, case when d.payload::jsonb ->>"
    " 'event' <> 'test' then d.payload::jsonb -> 'company' ->> 'id' end) as company,"
    " d.payload::jsonb ->> 'event' as event,"
    " case when d.parked and d.next_attempt_at is null then 'parked' else d.state end as state,"
    " d.tries as attempts,"
    " case when d.state = 'waiting' then d.next_attempt_at end as next_attempt_at, d.created_at,"
    " d.finished_at from deliveries d"
    " join webhook_endpoints e on e.organization_id = d.organization_id and e.id = d.endpoint_id"
    " left join transitions t on t.organization_id = d.organization_id and t.id = d.transition_id"
    " left join companies c on c.organization_id = t.organization_id and c.id = t.company_id"
)


_FILTERS = {
    "endpoint": "d.endpoint_id = %(endpoint)s",
    "company": (
        # Starts from the few transitions of the company.
        "d.transition_id in (select t.id from transitions t join companies c"
        " on c.organization_id = t.organization_id and c.id = t.company_id"
        " where t.organization_id = %(organization_id)s and c.external_id = %(company)s)"
    ),
    "state": "not (d.parked and d.next_attempt_at is null) and d.state = %(state)s",
    PARKED: "d.parked and d.next_attempt_at is null and d.state = 'waiting'",
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
    organization_id: int, company_id: int, *, after: str | None = None, limit: int = 50
) -> tuple[list[LoggedDelivery], str | None]:
    """Return the deliveries of a company's transitions, newest first, and the next cursor.

    Starts from the transitions: a company has few, however many deliveries others have.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
    """
    rows = query(
        f"{_LISTED} where d.organization_id = %(organization_id)s"
        " and t.organization_id = %(organization_id)s and t.company_id = %(company_id)s"
        f"{_NEWEST_FIRST.condition(['d.created_at', 'd.id'], after, descending=True)}"
        " order by d.created_at desc, d.id desc limit %(limit)s",
        {
            "organization_id": organization_id,
            "company_id": company_id,
            "limit": limit + 1,
            **_NEWEST_FIRST.read(after),
        },
    )
    return _page(rows, limit)


def list_for_transition(organization_id: int, transition_id: UUID) -> list[LoggedDelivery]:
    """Return the deliveries of a transition, oldest first."""
    rows = query(
        f"{_LISTED} where d.organization_id = %(organization_id)s"
        " and d.transition_id = %(transition_id)s order by d.created_at, d.id",
        {"organization_id": organization_id, "transition_id": transition_id},
    )
    return [LoggedDelivery(**row) for row in rows]


def find(organization_id: int, delivery_id: UUID) -> tuple[LoggedDelivery, str] | None:
    """Return one delivery and its payload."""
    rows = query(
        f"select listed.*, p.payload from ({_LISTED} where d.organization_id = %(organization_id)s"
        " and d.id = %(id)s) listed join deliveries p"
        " on p.organization_id = %(organization_id)s and p.id = listed.id",
        {"organization_id": organization_id, "id": delivery_id},
    )
    if not rows:
        return None
    payload = rows[0].pop("payload")
    return LoggedDelivery(**rows[0]), payload


def list_attempts(organization_id: int, delivery_id: UUID) -> list[LoggedAttempt]:
    """Return the stored attempts of a delivery, oldest first."""
    columns = [getattr(DeliveryAttemptRow, name) for name in LoggedAttempt.__dataclass_fields__]
    rows = DeliveryAttemptRow.select(*columns).where(
        DeliveryAttemptRow.organization_id == organization_id,
        DeliveryAttemptRow.delivery_id == delivery_id,
    )
    return [LoggedAttempt(**row) for row in fetch(rows.order_by(DeliveryAttemptRow.attempt))]


def _page(rows: Sequence[Mapping[str, Any]], limit: int) -> tuple[list[LoggedDelivery], str | None]:
    deliveries = [LoggedDelivery(**row) for row in rows[:limit]]
    return deliveries, _NEWEST_FIRST.next_page(rows, limit, "created_at", "id")
