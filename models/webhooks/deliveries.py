"""The outbox: one row for each endpoint and transition, from commit to accepted or given up.

A waiting row is due at `next_attempt_at`, or parked until its endpoint has room for it; under a
lease, `next_attempt_at` is the lease's end. Whoever changes a row's turn holds the lock of its
endpoint, so that no two see the same room.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from uuid_utils.compat import uuid7

from config.webhook_policy import LEASE
from models.database import execute, query

MESSAGE_LOST_AFTER = timedelta(seconds=2)
"""A row's attempt is asked for by message; the clock asks again after this long."""

Request = tuple[UUID, int]
"""What a `deliver` message asks for: a delivery, and the number of the try to make."""


class State(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    PAUSED = "paused"
    CANCELLED = "cancelled"


class ManualReason(StrEnum):
    """Why a delivery is sent outside of its schedule."""

    AT_ONCE = "at once"
    RECOVERY = "recovery"


@dataclass(frozen=True)
class Delivery:
    """One row, locked for the transaction that read it."""

    id: UUID
    organization_id: int
    endpoint_id: UUID
    message_id: str
    payload: str
    state: State
    attempts: int
    tries: int
    by_hand: ManualReason | None
    lease_token: UUID | None
    next_attempt_at: datetime | None
    created_at: datetime
    company: str | None

    def is_held(self, now: datetime) -> bool:
        """Whether an attempt is under way, as far as its lease tells."""
        return (
            self.lease_token is not None
            and self.next_attempt_at is not None
            and self.next_attempt_at > now
        )


@dataclass(frozen=True)
class Attempt:
    """How one attempt went; `status_code` is None where no response came, `error` on success."""

    at: datetime
    duration_ms: int
    status_code: int | None
    error: str | None
    response: str | None


@dataclass(frozen=True)
class NewDelivery:
    """A delivery to be written: paused where its endpoint is disabled."""

    organization_id: int
    endpoint_id: UUID
    transition_id: UUID | None
    message_id: str
    payload: str
    paused: bool = False
    by_hand: ManualReason | None = None


def add(new: NewDelivery, now: datetime, new_id: Callable[[], UUID] = uuid7) -> UUID:
    """Write a row; its id, of those that sort by time."""
    delivery_id = new_id()
    execute(
        "insert into deliveries (id, organization_id, endpoint_id, transition_id, message_id,"
        " payload, state, next_attempt_at, by_hand, created_at) values (%(id)s,"
        " %(organization_id)s, %(endpoint_id)s, %(transition_id)s, %(message_id)s, %(payload)s,"
        " %(state)s, %(next_attempt_at)s, %(by_hand)s, %(now)s)",
        {
            **vars(new),
            "id": delivery_id,
            "state": State.PAUSED if new.paused else State.WAITING,
            "next_attempt_at": None if new.paused else now + MESSAGE_LOST_AFTER,
            "now": now,
        },
    )
    return delivery_id


def lock(delivery_id: UUID) -> Delivery | None:
    """Lock and read one row. Its endpoint's lock comes first."""
    rows = query(
        "select d.id, d.organization_id, d.endpoint_id, d.message_id, d.payload, d.state,"
        " d.attempts, d.tries, d.by_hand, d.lease_token, d.next_attempt_at, d.created_at,"
        " c.name as company from deliveries d"
        " left join transitions t on t.id = d.transition_id"
        " left join companies c on c.id = t.company_id"
        " where d.id = %(id)s for update of d",
        {"id": delivery_id},
    )
    return Delivery(**_typed(rows[0])) if rows else None


def list_in_flight(endpoint_id: UUID, now: datetime) -> list[ManualReason | None]:
    """The attempts under way to an endpoint, each with why it is made by hand, if it is."""
    rows = query(
        "select by_hand from deliveries where endpoint_id = %(endpoint_id)s"
        " and lease_token is not null and next_attempt_at > %(now)s",
        {"endpoint_id": endpoint_id, "now": now},
    )
    return [row["by_hand"] and ManualReason(row["by_hand"]) for row in rows]


def lease(delivery_id: UUID, now: datetime) -> UUID:
    """Hold a row for one attempt; the token that gives it back."""
    token = uuid4()
    execute(
        "update deliveries set lease_token = %(token)s, next_attempt_at = %(until)s,"
        " parked = false where id = %(id)s",
        {"id": delivery_id, "token": token, "until": now + LEASE},
    )
    return token


def park(delivery_id: UUID) -> None:
    """Let a row wait until its endpoint has room."""
    execute(
        "update deliveries set parked = true, next_attempt_at = null, lease_token = null"
        " where id = %(id)s",
        {"id": delivery_id},
    )


def pause(delivery_id: UUID) -> None:
    """Let a row wait until its endpoint is enabled."""
    execute(
        "update deliveries set state = 'paused', parked = false, next_attempt_at = null,"
        " lease_token = null where id = %(id)s",
        {"id": delivery_id},
    )


def pause_waiting(endpoint_id: UUID) -> int:
    """Pause all that waits for an endpoint and is not under way; how many."""
    return execute(
        "update deliveries set state = 'paused', parked = false, next_attempt_at = null"
        " where endpoint_id = %(endpoint_id)s and state = 'waiting' and lease_token is null"
        " and by_hand is distinct from 'at once'",  # which reaches even a disabled one
        {"endpoint_id": endpoint_id},
    )


def park_paused(endpoint_id: UUID) -> int:
    """Have all that was paused wait for its turn again; how many."""
    return execute(
        "update deliveries set state = 'waiting', parked = true, next_attempt_at = null"
        " where endpoint_id = %(endpoint_id)s and state = 'paused'",
        {"endpoint_id": endpoint_id},
    )


def cancel_waiting(endpoint_id: UUID) -> None:
    """Give up all that waits for an endpoint."""
    execute(
        "update deliveries set state = 'cancelled', parked = false, finished_at = now(),"
        " next_attempt_at = null where endpoint_id = %(endpoint_id)s"
        " and state in ('waiting', 'paused')",
        {"endpoint_id": endpoint_id},
    )


@dataclass(frozen=True)
class Result:
    """What an attempt leaves behind: the row's state, and when it is due again if it waits.

    `counts` tells whether it was one of the schedule, `by_hand` whether it is still outside of it.
    """

    state: State
    counts: bool
    next_attempt_at: datetime | None = None
    by_hand: ManualReason | None = None


def finish(
    delivery: Delivery, token: UUID, attempt: Attempt, result: Result, now: datetime
) -> bool:
    """Record an attempt and give back its row; False if its lease had gone to another."""
    waits = result.state is State.WAITING
    held = execute(
        "update deliveries set tries = tries + 1, lease_token = null, by_hand = %(by_hand)s,"
        " attempts = attempts + %(counts)s::int,"
        # One that was cancelled meanwhile stays so.
        " state = case when state = 'waiting' then %(state)s else state end,"
        " parked = state = 'waiting' and %(parked)s,"
        " next_attempt_at = case when state = 'waiting' then %(next_attempt_at)s::timestamptz end,"
        " finished_at = case when state <> 'waiting' then finished_at"
        " when %(finished)s then %(now)s end"
        " where id = %(id)s and lease_token = %(token)s",
        {
            "id": delivery.id,
            "token": token,
            "counts": result.counts,
            "by_hand": result.by_hand,
            "state": result.state,
            "parked": waits and result.next_attempt_at is None,
            "next_attempt_at": result.next_attempt_at,
            "finished": result.state in (State.DELIVERED, State.FAILED),
            "now": now,
        },
    )
    if held:
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
    return bool(held)


def was_accepted(delivery_id: UUID) -> bool:
    """Whether any attempt of a delivery, as far as they are kept, was accepted."""
    rows = query(
        "select from delivery_attempts where delivery_id = %(id)s and error is null limit 1",
        {"id": delivery_id},
    )
    return bool(rows)


def unpark(
    endpoint_id: UUID, by_hand: ManualReason | None, now: datetime, *, limit: int
) -> list[Request]:
    """Give their turn to the oldest parked rows of a kind; what to ask for."""
    kind = "is null" if by_hand is None else "= %(by_hand)s"
    rows = query(
        "update deliveries set parked = false, next_attempt_at = %(due_at)s where id in ("
        "select id from deliveries where endpoint_id = %(endpoint_id)s and state = 'waiting'"
        f" and parked and by_hand {kind} order by id limit %(limit)s)"
        " returning id, tries + 1 as number",
        {
            "endpoint_id": endpoint_id,
            "by_hand": by_hand,
            "due_at": now + MESSAGE_LOST_AFTER,
            "limit": limit,
        },
    )
    return sorted((row["id"], row["number"]) for row in rows)


DUE = "deliveries where state = 'waiting' and not parked and next_attempt_at <= %(until)s"


def find_due(*, until: datetime, limit: int) -> list[Request]:
    """Waiting rows whose time has come, with the number of the try to make."""
    rows = query(
        f"select id, tries + 1 as number from {DUE} order by next_attempt_at limit %(limit)s",
        {"until": until, "limit": limit},
    )
    return [(row["id"], row["number"]) for row in rows]


PROBES = (
    "webhook_endpoints e cross join lateral ("
    " select id, tries + 1 as number from deliveries where endpoint_id = e.id"
    " and state = 'waiting' and parked order by by_hand nulls first, id limit 1) d"
    " where e.probe_at <= %(until)s and e.removed_at is null and e.disabled_at is null"
)


def find_probes(*, until: datetime, limit: int, endpoint_id: UUID | None = None) -> list[Request]:
    """For each endpoint whose circuit may be probed, or only for one, its oldest parked row."""
    rows = query(
        f"select d.id, d.number from {PROBES}"
        + (" and e.id = %(endpoint_id)s" if endpoint_id else "")
        + " order by e.probe_at limit %(limit)s",
        {"until": until, "limit": limit, "endpoint_id": endpoint_id},
    )
    return [(row["id"], row["number"]) for row in rows]


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    by_hand = row["by_hand"]
    return {**row, "state": State(row["state"]), "by_hand": by_hand and ManualReason(by_hand)}


def delete_attempts(*, before: datetime, limit: int) -> int:
    """Delete attempts that are older than this, so many at a time; how many."""
    return execute(
        "delete from delivery_attempts where ctid = any(array(select ctid from delivery_attempts"
        " where at < %(before)s limit %(limit)s))",
        {"before": before, "limit": limit},
    )
