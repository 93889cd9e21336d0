"""Makes one attempt of one webhook delivery."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from actors.times import utc_now
from actors.webhooks.signing import sign
from actors.webhooks.transport import Transport
from models import deliveries
from models.database import transaction
from models.deliveries import Attempt, ClaimedDelivery
from models.webhook_endpoints import SecretUnreadable, decrypt


class AttemptFailed(Exception):
    """Raised when an endpoint did not accept a delivery; the retry middleware takes over."""

    def __init__(
        self, delivery: ClaimedDelivery, attempt: Attempt, retry_after: str | None = None
    ) -> None:
        super().__init__(attempt.error)
        self.delivery = delivery
        self.attempt = attempt
        self.retry_after = retry_after


@dataclass(frozen=True)
class Delivered:
    """An accepted delivery."""

    delivery: ClaimedDelivery
    attempt: Attempt


def attempt_delivery(
    delivery_id: UUID, attempt: int, *, transport: Transport, secret_keys: Sequence[str]
) -> Delivered | None:
    """Make the attempt with this number; None if it is not ours to make.

    Raises:
        AttemptFailed: the endpoint did not accept it.
        OperationalError, InterfaceError: PostgreSQL cannot be reached. The lease runs out and
            the clock asks again.
    """
    with transaction():
        delivery = deliveries.claim(delivery_id, attempt, utc_now())
    if delivery is None:
        return None
    started_at = utc_now()
    try:
        secret = decrypt(delivery.encrypted_secret, secret_keys)
    except SecretUnreadable as error:
        raise AttemptFailed(delivery, Attempt(started_at, 0, None, str(error), None)) from error
    response = transport.post(
        delivery.url,
        delivery.payload.encode(),
        sign(secret, delivery.message_id, delivery.payload, started_at),
    )
    made = Attempt(
        started_at, response.duration_ms, response.status_code, response.error, response.body
    )
    if made.error is not None:
        raise AttemptFailed(delivery, made, response.retry_after)
    record(delivery, made, next_attempt_at=None)
    return Delivered(delivery, made)


def record(
    delivery: ClaimedDelivery, attempt: Attempt, *, next_attempt_at: datetime | None
) -> None:
    """Write down how an attempt went, and when the next one is due."""
    with transaction():
        deliveries.record(delivery, attempt, next_attempt_at=next_attempt_at, now=utc_now())
