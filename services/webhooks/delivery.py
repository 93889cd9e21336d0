"""Makes one attempt of one webhook delivery, and gives the next of its endpoint their turn.

Endpoints are isolated from each other: only so many attempts at a time go to one, and what
else is for it waits in its row, parked, without holding a worker. Whoever finishes an attempt gives
the next parked row its turn.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from config.webhook_policy import LEASE, WebhookPolicy
from models.database import transaction
from models.webhooks import deliveries, webhook_endpoints
from models.webhooks.deliveries import Attempt, ByHand, Delivery, Request, Result, State
from models.webhooks.webhook_endpoints import Endpoint, SecretUnreadable, decrypt
from services.times import utc_now
from services.webhooks.circuit import EndpointHealth
from services.webhooks.retry_schedule import asked_delay, next_attempt_at
from services.webhooks.signing import sign
from services.webhooks.transport import Transport

logger = logging.getLogger("brazebee.webhooks")

GONE = 410


class AttemptFailed(Exception):
    """Raised when an endpoint did not accept a delivery; the retry middleware takes over."""

    def __init__(
        self,
        claimed: "Claimed",
        attempt: Attempt,
        *,
        retry_after: str | None = None,
        ours: bool = False,
    ) -> None:
        """`ours` where the endpoint has no part in it."""
        super().__init__(attempt.error)
        self.ours = ours
        self.claimed = claimed
        self.attempt = attempt
        self.retry_after = retry_after


@dataclass(frozen=True)
class Claimed:
    """A delivery held under a lease, with where it goes; `probe` if it tries a broken endpoint."""

    delivery: Delivery
    endpoint: Endpoint
    token: UUID
    probe: bool
    policy: WebhookPolicy


@dataclass(frozen=True)
class Delivered:
    """An accepted delivery; what has its turn now, and what whoever goes on has claimed of it."""

    claimed: Claimed
    attempt: Attempt
    following: Sequence[Request] = ()
    next_claimed: Claimed | None = None


def attempt_delivery(
    delivery_id: UUID, number: int, *, transport: Transport, secret_keys: Sequence[str]
) -> Delivered | None:
    """Make the try with this number; None if it is not ours to make, or not its turn.

    Raises:
        AttemptFailed: the endpoint did not accept it.
        OperationalError, InterfaceError: PostgreSQL cannot be reached. The lease runs out and
            the clock asks again.
    """
    claimed = claim(delivery_id, number, utc_now(), transport.policy)
    if claimed is None:
        return None
    return attempt(claimed, transport=transport, secret_keys=secret_keys)


def attempt(
    claimed: Claimed, *, transport: Transport, secret_keys: Sequence[str], goes_on: bool = False
) -> Delivered:
    """Attempt what was claimed. Who goes on gets the next of the endpoint, claimed as well.

    Raises:
        AttemptFailed, OperationalError, InterfaceError: as `attempt_delivery`.
    """
    delivery, endpoint = claimed.delivery, claimed.endpoint
    started_at = utc_now()
    try:
        secrets = [decrypt(secret, secret_keys) for secret in endpoint.encrypted_secrets]
    except SecretUnreadable as error:
        made = Attempt(started_at, 0, None, str(error), None)
        raise AttemptFailed(claimed, made, ours=True) from error
    response = transport.post(
        endpoint.url,
        delivery.payload.encode(),
        sign(secrets, delivery.message_id, delivery.payload, started_at),
    )
    made = Attempt(
        started_at, response.duration_ms, response.status_code, response.error, response.body
    )
    if made.error is not None:
        raise AttemptFailed(claimed, made, retry_after=response.retry_after)
    return record_success(claimed, made, utc_now(), goes_on=goes_on)


def claim(delivery_id: UUID, number: int, now: datetime, policy: WebhookPolicy) -> Claimed | None:
    """Take a delivery for its try with this number, if it is its turn.

    The number guards against messages that come twice: a repeat would otherwise make the next
    attempt before its time. Where it is not its turn, the row is parked, or paused.
    """
    with transaction():
        endpoint = webhook_endpoints.lock_of_delivery(delivery_id)
        return _claim(endpoint, delivery_id, number, now, policy) if endpoint else None


def _claim(
    endpoint: Endpoint, delivery_id: UUID, number: int, now: datetime, policy: WebhookPolicy
) -> Claimed | None:
    """The same, with the endpoint's lock held."""
    delivery = deliveries.lock(delivery_id)
    if delivery is None or delivery.state is not State.WAITING:
        return None
    if delivery.tries != number - 1 or delivery.is_held(now):
        return None
    if endpoint.disabled_at is not None and delivery.by_hand is not ByHand.AT_ONCE:
        deliveries.pause(delivery_id)
        return None
    probe = endpoint.probe_at is not None and delivery.by_hand is not ByHand.AT_ONCE
    if not _has_its_turn(endpoint, delivery, now, policy.in_flight):
        deliveries.park(delivery_id)
        return None
    if probe:  # one at a time, and again if this one is never heard of
        webhook_endpoints.save_health(replace(endpoint, probe_at=now + LEASE))
    return Claimed(delivery, endpoint, deliveries.lease(delivery_id, now), probe, policy)


def _has_its_turn(endpoint: Endpoint, delivery: Delivery, now: datetime, in_flight: int) -> bool:
    if delivery.by_hand is ByHand.AT_ONCE:
        return True
    if endpoint.probe_at is not None:
        return endpoint.probe_at <= now
    under_way = _in_slots(endpoint, now)
    if delivery.by_hand is ByHand.RECOVERY and ByHand.RECOVERY in under_way:
        return False
    return len(under_way) < in_flight


def _in_slots(endpoint: Endpoint, now: datetime) -> list[ByHand | None]:
    """The attempts that fill the endpoint's slots; what is sent at once takes none."""
    under_way = deliveries.in_flight(endpoint.id, now)
    return [by_hand for by_hand in under_way if by_hand is not ByHand.AT_ONCE]


def record_success(
    claimed: Claimed, attempt: Attempt, now: datetime, *, goes_on: bool = False
) -> Delivered:
    """Write down that a delivery was accepted, and see what has its turn now."""
    with transaction():
        endpoint = webhook_endpoints.lock_of_delivery(claimed.delivery.id)
        result = Result(State.DELIVERED, counts=not claimed.delivery.by_hand)
        held = deliveries.finish(claimed.delivery, claimed.token, attempt, result, now)
        if endpoint is None or not held:
            return Delivered(claimed, attempt)
        if claimed.delivery.by_hand is not ByHand.AT_ONCE:
            endpoint = _with(endpoint, EndpointHealth())
            webhook_endpoints.save_health(replace(endpoint, last_success_at=now))
        following = next_in_turn(endpoint, now, claimed.policy)
        if not goes_on or not following:
            return Delivered(claimed, attempt, following)
        following_claimed = _claim(endpoint, *following[0], now, claimed.policy)
        return Delivered(claimed, attempt, following[1:], following_claimed)


def record_failure(failed: AttemptFailed, now: datetime) -> tuple[Result | None, list[Request]]:
    """Write down that an attempt failed; what becomes of the row, and what has its turn now.

    There is no result where the lease had gone to another meanwhile.
    """
    claimed, attempt = failed.claimed, failed.attempt
    delivery, policy = claimed.delivery, claimed.policy
    with transaction():
        endpoint = webhook_endpoints.lock_of_delivery(delivery.id)
        blamed = endpoint if endpoint and not failed.ours and _is_blamed(claimed) else None
        if blamed is not None:
            wait = asked_delay(failed.retry_after, now, policy)
            health = _health(blamed).after_failure(now, policy, probe=claimed.probe, wait=wait)
            blamed = _warned_or_disabled(_with(blamed, health), attempt, now, policy)
        result = _result(failed, blamed or endpoint, now)
        if not deliveries.finish(delivery, claimed.token, attempt, result, now):
            return None, []
        if blamed is not None:
            webhook_endpoints.save_health(blamed)
            if blamed.disabled_at is not None:
                deliveries.pause_waiting(blamed.id)
        after = blamed or endpoint
        return result, next_in_turn(after, now, policy) if after else []


def _is_blamed(claimed: Claimed) -> bool:
    """Whether a failure counts against the endpoint: what is sent by hand does not."""
    return claimed.delivery.by_hand is None or claimed.probe


def _result(failed: AttemptFailed, endpoint: Endpoint | None, now: datetime) -> Result:
    """What becomes of a row whose attempt failed."""
    claimed, delivery = failed.claimed, failed.claimed.delivery
    if claimed.probe:
        state = State.PAUSED if endpoint and endpoint.disabled_at else State.WAITING
        return Result(state, counts=False, by_hand=delivery.by_hand)
    if delivery.by_hand is not None or endpoint is None:
        # What was accepted once stays so, though sending it again failed.
        accepted = deliveries.was_accepted(delivery.id)
        return Result(State.DELIVERED if accepted else State.FAILED, counts=False)
    due_at = next_attempt_at(delivery.attempts + 1, now, failed.retry_after, claimed.policy)
    if endpoint.disabled_at is not None:
        return Result(State.PAUSED, counts=True)
    if due_at is None:
        return Result(State.FAILED, counts=True)
    return Result(State.WAITING, counts=True, next_attempt_at=due_at)


def next_in_turn(endpoint: Endpoint, now: datetime, policy: WebhookPolicy) -> list[Request]:
    """Give parked rows of an endpoint, whose lock is held, the room that there is.

    At most one attempt under way is of a recovery, so that fresh deliveries have room beside it.
    """
    if endpoint.disabled_at is not None or endpoint.probe_at is not None:
        return []
    under_way = _in_slots(endpoint, now)
    room = max(0, policy.in_flight - len(under_way))
    fresh = deliveries.unpark(endpoint.id, None, now, limit=room)
    if len(fresh) == room or ByHand.RECOVERY in under_way:
        return fresh
    return fresh + deliveries.unpark(endpoint.id, ByHand.RECOVERY, now, limit=1)


def _warned_or_disabled(
    endpoint: Endpoint, attempt: Attempt, now: datetime, policy: WebhookPolicy
) -> Endpoint:
    """An endpoint that has just failed once more, warned of or disabled where it is time."""
    if endpoint.disabled_at is not None:
        return endpoint  # what was under way then has nothing to add
    health = _health(endpoint)
    last = _hours(policy.disable_after)
    if attempt.status_code == GONE or health.is_lost(now, policy):
        reason = "it answered 410 Gone" if attempt.status_code == GONE else f"{last} of failures"
        logger.error(
            "webhook endpoint %s (%s) is disabled: %s; what waits for it is kept, and goes out"
            " after `brazebee webhooks enable %s`",
            endpoint.host, endpoint.id, reason, endpoint.id,
        )  # fmt: skip
        return replace(endpoint, disabled_at=now, disabled_because=reason)
    for_long = health.warning(now, policy)
    if for_long is None:
        return endpoint
    logger.warning(
        "webhook endpoint %s (%s) has failed for %s; after %s it is disabled",
        endpoint.host, endpoint.id, _hours(for_long), last,
    )  # fmt: skip
    return replace(endpoint, warned_at=now)


def _hours(duration: timedelta) -> str:
    return f"{duration // timedelta(hours=1)} hours"


def _health(endpoint: Endpoint) -> EndpointHealth:
    return EndpointHealth(
        endpoint.failures,
        endpoint.failing_since,
        endpoint.warned_at,
        endpoint.probe_at,
        endpoint.probe_pause,
    )


def _with(endpoint: Endpoint, health: EndpointHealth) -> Endpoint:
    return replace(endpoint, **vars(health))
