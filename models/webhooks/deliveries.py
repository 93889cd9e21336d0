"""Deliveries: an outbox row for each endpoint and transition, from commit to success or failure.

A waiting delivery is due at `next_attempt_at`, or parked until its endpoint has a free slot; while
it is leased, `next_attempt_at` is the end of the lease. A new delivery is parked. Some have a
`next_attempt_at` nevertheless, at which the clock looks at them, in case their message was lost and
no attempt is in progress whose end would give them their turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from uuid_utils.compat import uuid7

from config.webhook_policy import LEASE
from models.bulk import insert
from models.database import execute, query

MESSAGE_LOST_AFTER = timedelta(seconds=2)
"""A message requests each attempt; if none was made after this time, the clock sends another."""


class Request(NamedTuple):
    """The content of a `deliver` message: a delivery, and the number of the try to make."""

    organization_id: int
    endpoint_id: UUID
    delivery_id: UUID
    attempt: int


class State(StrEnum):
    """The states of a delivery."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    PAUSED = "paused"
    CANCELLED = "cancelled"


class ManualReason(StrEnum):
    """Why a delivery is sent outside its schedule."""

    AT_ONCE = "at once"
    RECOVERY = "recovery"


@dataclass(frozen=True)
class Delivery:
    """A delivery, locked by the transaction that read it."""

    id: UUID
    organization_id: int
    endpoint_id: UUID
    message_id: str
    payload: str
    state: State
    attempts: int
    tries: int
    manual: ManualReason | None
    lease_token: UUID | None
    next_attempt_at: datetime | None
    created_at: datetime
    company: str | None

    def is_leased(self, now: datetime) -> bool:
        """Whether an attempt may be in progress: its lease has not ended."""
        return (
            self.lease_token is not None
            and self.next_attempt_at is not None
            and self.next_attempt_at > now
        )


@dataclass(frozen=True)
class Attempt:
    """The outcome of an attempt; `status_code` is None without a response, `error` on success."""

    at: datetime
    duration_ms: int
    status_code: int | None
    error: str | None
    response: str | None


@dataclass(frozen=True)
class NewDelivery:
    """A delivery to add, paused if its endpoint is disabled, or parked until it has its turn."""

    organization_id: int
    endpoint_id: UUID
    transition_id: UUID | None
    message_id: str
    payload: str
    created_at: datetime
    paused: bool = False
    parked: bool = False
    manual: ManualReason | None = None
    id: UUID = field(default_factory=uuid7)

    @property
    def request(self) -> Request:
        """The request of its first attempt."""
        return Request(self.organization_id, self.endpoint_id, self.id, 1)

    @property
    def next_attempt_at(self) -> datetime | None:
        """When the clock finds it, unless it was attempted by then."""
        if self.paused or self.parked:
            return None
        return self.created_at + MESSAGE_LOST_AFTER


_COLUMNS = (
    "id",
    "organization_id",
    "endpoint_id",
    "transition_id",
    "message_id",
    "payload",
    "state",
    "parked",
    "next_attempt_at",
    "by_hand",
    "created_at",
)


def add_all(new: Sequence[NewDelivery]) -> None:
    """Insert deliveries; their ids sort by time."""
    insert(
        "deliveries",
        _COLUMNS,
        [
            {
                **vars(delivery),
                "state": State.PAUSED if delivery.paused else State.WAITING,
                "by_hand": delivery.manual,
                "next_attempt_at": delivery.next_attempt_at,
            }
            for delivery in new
        ],
    )


def add(new: NewDelivery) -> UUID:
    """Insert a delivery and return its id."""
    add_all([new])
    return new.id


def lock(organization_id: int, delivery_id: UUID) -> Delivery | None:
    """Lock and return a delivery; its endpoint must be locked first."""
    rows = query(
        "select d.id, d.organization_id, d.endpoint_id, d.message_id, d.payload, d.state,"
        " d.attempts, d.tries, d.by_hand as manual, d.lease_token, d.next_attempt_at, d.created_at,"
        " c.name as company from deliveries d"
        " left join transitions t on t.organization_id = d.organization_id"
        " and t.id = d.transition_id"
        " left join companies c on c.organization_id = t.organization_id and c.id = t.company_id"
        " where d.organization_id = %(organization_id)s and d.id = %(id)s for update of d",
        {"organization_id": organization_id, "id": delivery_id},
    )
    return Delivery(**_typed(rows[0])) if rows else None


def list_in_flight(
    organization_id: int, endpoint_id: UUID, now: datetime
) -> list[ManualReason | None]:
    """Return, for each attempt in progress to an endpoint, why it is manual, or None."""
    rows = query(
        "select by_hand from deliveries where organization_id = %(organization_id)s"
        " and endpoint_id = %(endpoint_id)s"
        " and lease_token is not null and next_attempt_at > %(now)s",
        {"organization_id": organization_id, "endpoint_id": endpoint_id, "now": now},
    )
    return [row["by_hand"] and ManualReason(row["by_hand"]) for row in rows]


def lease(organization_id: int, delivery_id: UUID, now: datetime) -> UUID:
    """Lock a delivery for one attempt, and return the token that ends the lease."""
    token = uuid4()
    execute(
        "update deliveries set lease_token = %(token)s, next_attempt_at = %(until)s,"
        " parked = false where organization_id = %(organization_id)s and id = %(id)s",
        {
            "organization_id": organization_id,
            "id": delivery_id,
            "token": token,
            "until": now + LEASE,
        },
    )
    return token


def park(organization_id: int, delivery_id: UUID) -> None:
    """Make a delivery wait until its endpoint has a free slot."""
    execute(
        "update deliveries set parked = true, next_attempt_at = null, lease_token = null"
        " where organization_id = %(organization_id)s and id = %(id)s",
        {"organization_id": organization_id, "id": delivery_id},
    )


def pause(organization_id: int, delivery_id: UUID) -> None:
    """Make a delivery wait until its endpoint is enabled."""
    execute(
        "update deliveries set state = 'paused', parked = false, next_attempt_at = null,"
        " lease_token = null where organization_id = %(organization_id)s and id = %(id)s",
        {"organization_id": organization_id, "id": delivery_id},
    )


@dataclass(frozen=True)
class Result:
    """What an attempt changes: the delivery's state, and when it is due again if it waits.

    `counts` means that the attempt was one of the schedule; `manual` is why the delivery is still
    outside it, None if it is not.
    """

    state: State
    counts: bool
    next_attempt_at: datetime | None = None
    manual: ManualReason | None = None


def finish(
    delivery: Delivery, token: UUID, attempt: Attempt, result: Result, now: datetime
) -> bool:
    """Record an attempt and end the lease; False if another attempt has leased the delivery."""
    waits = result.state is State.WAITING
    leased = execute(
        "update deliveries set tries = tries + 1, lease_token = null, by_hand = %(manual)s,"
        " attempts = attempts + %(counts)s::int,"
        # A delivery that was cancelled meanwhile stays cancelled.
        " state = case when state = 'waiting' then %(state)s else state end,"
        " parked = state = 'waiting' and %(parked)s,"
        " next_attempt_at = case when state = 'waiting' then %(next_attempt_at)s::timestamptz end,"
        " finished_at = case when state <> 'waiting' then finished_at"
        " when %(finished)s then %(now)s end"
        " where organization_id = %(organization_id)s and id = %(id)s"
        " and lease_token = %(token)s",
        {
            "organization_id": delivery.organization_id,
            "id": delivery.id,
            "token": token,
            "counts": result.counts,
            "manual": result.manual,
            "state": result.state,
            "parked": waits and result.next_attempt_at is None,
            "next_attempt_at": result.next_attempt_at,
            "finished": result.state in (State.DELIVERED, State.FAILED),
            "now": now,
        },
    )
    if leased:
        execute(
            "insert into delivery_attempts (delivery_id, attempt, organization_id, at,"
            " duration_ms, status_code, error, response) values (%(id)s, %(number)s,"
            " %(organization_id)s, %(at)s, %(duration_ms)s, %(status_code)s, %(error)s,"
            " %(response)s)",
            {
                "id": delivery.id,
                "number": delivery.tries + 1,
                "organization_id": delivery.organization_id,
                **vars(attempt),
            },
        )
    return bool(leased)


def was_accepted(organization_id: int, delivery_id: UUID) -> bool:
    """Whether any stored attempt of a delivery was accepted."""
    rows = query(
        "select from delivery_attempts where organization_id = %(organization_id)s"
        " and delivery_id = %(id)s and error is null limit 1",
        {"organization_id": organization_id, "id": delivery_id},
    )
    return bool(rows)


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    manual = row["manual"]
    return {**row, "state": State(row["state"]), "manual": manual and ManualReason(manual)}


def delete_attempts(organization_id: int, *, before: datetime, limit: int) -> int:
    """Delete up to `limit` attempts before an instant, and return their number."""
    return execute(
        "delete from delivery_attempts where organization_id = %(organization_id)s"
        " and (delivery_id, attempt) in (select delivery_id, attempt from delivery_attempts"
        " where organization_id = %(organization_id)s and at < %(before)s limit %(limit)s)",
        {"organization_id": organization_id, "before": before, "limit": limit},
    )
