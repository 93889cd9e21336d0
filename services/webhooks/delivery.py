"""Makes one attempt of a webhook delivery, in transactions of its own before and after the call."""

from collections.abc import Sequence

from models.encrypted_secrets import SecretUnreadable, decrypt
from models.webhooks.deliveries import Attempt, Request
from services.times import utc_now
from services.webhooks.claims import ClaimedDelivery, claim
from services.webhooks.outcomes import AcceptedDelivery, AttemptFailed, record_success
from services.webhooks.signing import sign
from services.webhooks.transport import Transport


def attempt_delivery(
    request: Request, *, transport: Transport, secret_keys: Sequence[str]
) -> AcceptedDelivery | None:
    """Claim a delivery and make the requested attempt; None if it is not its turn.

    Raises:
        AttemptFailed: the endpoint did not accept it.
        OperationalError, InterfaceError: PostgreSQL cannot be reached. The lease expires and the
            clock enqueues the delivery again.
    """
    claimed = claim(request, utc_now(), transport.policy)
    if claimed is None:
        return None
    made = make_attempt(claimed, transport=transport, secret_keys=secret_keys)
    return record_success(claimed, made, utc_now())


def make_attempt(
    claimed: ClaimedDelivery, *, transport: Transport, secret_keys: Sequence[str]
) -> Attempt:
    """Send a claimed delivery and return the attempt, which was accepted.

    Raises:
        AttemptFailed: the endpoint did not accept it.
    """
    delivery, endpoint = claimed.delivery, claimed.endpoint
    started_at = utc_now()
    try:
        secrets = [decrypt(secret, secret_keys) for secret in endpoint.encrypted_secrets]
    except SecretUnreadable as error:
        made = Attempt(started_at, 0, None, str(error), None)
        raise AttemptFailed(claimed, made, our_fault=True) from error
    response = transport.post(
        endpoint.url,
        delivery.payload.encode(),
        sign(secrets, delivery.message_id, delivery.payload, started_at),
    )
    made = Attempt(
        started_at, response.duration_ms, response.status_code, response.error, response.body
    )
    if made.error is not None:
        raise AttemptFailed(
            claimed, made, retry_after=response.retry_after, stopped=response.stopped
        )
    return made
