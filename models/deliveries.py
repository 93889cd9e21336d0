"""The outbox: one row for each endpoint and transition, from commit to accepted or given up."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from uuid_utils.compat import uuid7

from models.database import execute, query

LEASE = timedelta(seconds=60)
"""How long an attempt may hold its row; a killed worker's row is taken again after it."""

HINT_LOST_AFTER = timedelta(seconds=2)
"""A new row's first attempt is asked for by message; the clock asks again after this long."""


@dataclass(frozen=True)
class ClaimedDelivery:
    """A delivery held under a lease, with all that an attempt needs."""

    id: UUID
    organization_id: int
    url: str
    encrypted_secret: str
    message_id: str
    payload: str
    attempt: int
    lease_token: UUID
    company: str

    @property
    def host(self) -> str:
        """Where it goes, as far as a log may tell: the rest of a URL is often a secret."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True)
class Attempt:
    """How one attempt went; `status_code` is None where no response came, `error` on success."""

    at: datetime
    duration_ms: int
    status_code: int | None
    error: str | None
    response: str | None


def add(
    *, organization_id: int, transition_id: UUID, message_id: str, payload: str, now: datetime
) -> list[UUID]:
    """Write one row for each subscribed endpoint of an organization; their ids."""
    endpoints = query(
        # The lock makes a removal wait, so that it cancels what is written here.
        "select id from webhook_endpoints where organization_id = %(organization_id)s"
        " and removed_at is null for share",
        {"organization_id": organization_id},
    )
    ids = []
    for endpoint in endpoints:
        delivery_id = uuid7()
        execute(
            "insert into deliveries (id, organization_id, endpoint_id, transition_id, message_id,"
            " payload, state, next_attempt_at, created_at) values (%(id)s, %(organization_id)s,"
            " %(endpoint_id)s, %(transition_id)s, %(message_id)s, %(payload)s, 'waiting',"
            " %(next_attempt_at)s, %(now)s)",
            {
                "id": delivery_id,
                "organization_id": organization_id,
                "endpoint_id": endpoint["id"],
                "transition_id": transition_id,
                "message_id": message_id,
                "payload": payload,
                "next_attempt_at": now + HINT_LOST_AFTER,
                "now": now,
            },
        )
        ids.append(delivery_id)
    return ids


def claim(delivery_id: UUID, attempt: int, now: datetime) -> ClaimedDelivery | None:
    """Take a waiting row for its attempt with this number; None if somebody else has or had it.

    The number guards against messages that come twice: a repeat would otherwise make the next
    attempt before its time.
    """
    rows = query(
        "update deliveries d set lease_token = %(token)s, next_attempt_at = %(lease_end)s"
        " from webhook_endpoints e, transitions t, companies c"
        " where d.id = %(id)s and d.state = 'waiting' and d.attempts = %(attempt)s - 1"
        " and (d.lease_token is null or d.next_attempt_at <= %(now)s)"
        " and e.id = d.endpoint_id and e.removed_at is null"
        " and t.id = d.transition_id and c.id = t.company_id"
        " returning d.id, d.organization_id, e.url, e.encrypted_secret, d.message_id, d.payload,"
        " d.attempts + 1 as attempt, d.lease_token, c.name as company",
        {
            "id": delivery_id,
            "attempt": attempt,
            "token": uuid4(),
            "lease_end": now + LEASE,
            "now": now,
        },
    )
    return ClaimedDelivery(**rows[0]) if rows else None


def record(
    delivery: ClaimedDelivery, attempt: Attempt, *, next_attempt_at: datetime | None, now: datetime
) -> bool:
    """Record how an attempt went and give back the row; False if its lease had gone to another.

    Without an error the row is delivered; with one it waits for `next_attempt_at`, or has
    failed for good where that is None.
    """
    state = "delivered" if attempt.error is None else "waiting" if next_attempt_at else "failed"
    held = execute(
        "update deliveries set attempts = %(attempt)s, lease_token = null,"
        # One that was cancelled meanwhile stays so.
        " state = case when state = 'waiting' then %(state)s else state end,"
        " next_attempt_at = case when state = 'waiting' then %(next_attempt_at)s::timestamptz end,"
        " finished_at = case when state <> 'waiting' then finished_at"
        " when %(state)s <> 'waiting' then %(now)s end"
        " where id = %(id)s and lease_token = %(token)s",
        {
            "id": delivery.id,
            "token": delivery.lease_token,
            "state": state,
            "attempt": delivery.attempt,
            "next_attempt_at": next_attempt_at,
            "now": now,
        },
    )
    if not held:
        return False
    execute(
        "insert into delivery_attempts (delivery_id, attempt, organization_id, at, duration_ms,"
        " status_code, error, response) values (%(id)s, %(attempt)s, %(organization_id)s, %(at)s,"
        " %(duration_ms)s, %(status_code)s, %(error)s, %(response)s)",
        {
            "id": delivery.id,
            "organization_id": delivery.organization_id,
            **vars(attempt),
            "attempt": delivery.attempt,
        },
    )
    return True


def due(*, until: datetime, limit: int) -> list[tuple[UUID, int]]:
    """Waiting rows whose time has come, with the number of the attempt to make."""
    rows = query(
        "select id, attempts + 1 as attempt from deliveries"
        " where state = 'waiting' and next_attempt_at <= %(until)s"
        " order by next_attempt_at limit %(limit)s",
        {"until": until, "limit": limit},
    )
    return [(row["id"], row["attempt"]) for row in rows]
