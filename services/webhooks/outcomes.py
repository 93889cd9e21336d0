"""Records the outcome of an attempt, in a transaction of its own, and what follows from it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from config.webhook_policy import WebhookPolicy
from models.database import transaction
from models.webhooks import deliveries, pending_deliveries, webhook_endpoints
from models.webhooks.deliveries import Attempt, ManualReason, Request, Result, State
from models.webhooks.webhook_endpoints import Endpoint
from services.errors import ServiceError
from services.webhooks.circuit import EndpointHealth
from services.webhooks.claims import ClaimedDelivery, claim_locked, next_requests
from services.webhooks.retry_schedule import asked_delay, next_attempt_at

logger = logging.getLogger("brazebee.webhooks")

GONE = 410

NO_REFUSAL = (408, 410, 425, 429)
"""Answers of class 4xx that concern the endpoint or the moment rather than the delivery."""


class AttemptFailed(ServiceError):
    """Raised when an endpoint did not accept a delivery; the retry middleware handles it."""

    def __init__(
        self,
        claimed: ClaimedDelivery,
        attempt: Attempt,
        *,
        retry_after: str | None = None,
        our_fault: bool = False,
        stopped: bool = False,
    ) -> None:
        """`our_fault` means that the endpoint was not even called, `stopped` that we hung up."""
        super().__init__(attempt.error)
        self.our_fault = our_fault
        self.stopped = stopped
        self.claimed = claimed
        self.attempt = attempt
        self.retry_after = retry_after

    @property
    def refused(self) -> bool:
        """Whether the endpoint can be reached and does not accept this delivery."""
        status = self.attempt.status_code
        return status is not None and 400 <= status < 500 and status not in NO_REFUSAL


@dataclass(frozen=True)
class AcceptedDelivery:
    """An accepted delivery, the deliveries to enqueue now, and the next one if it was claimed."""

    claimed: ClaimedDelivery
    attempt: Attempt
    following: Sequence[Request] = ()
    next_claimed: ClaimedDelivery | None = None


def record_success(
    claimed: ClaimedDelivery, attempt: Attempt, now: datetime, *, claim_next: bool = False
) -> AcceptedDelivery:
    """Record in a transaction of its own that a delivery was accepted, and free its slot."""
    with transaction():
        endpoint = _lock_endpoint(claimed)
        result = Result(State.DELIVERED, counts=not claimed.delivery.manual)
        had_lease = deliveries.finish(claimed.delivery, claimed.token, attempt, result, now)
        if endpoint is None or not had_lease:
            return AcceptedDelivery(claimed, attempt)
        if claimed.delivery.manual is not ManualReason.AT_ONCE:
            endpoint = _with_health(endpoint, EndpointHealth())
            webhook_endpoints.save_health(replace(endpoint, last_success_at=now))
        following = next_requests(endpoint, now, claimed.policy)
        if not claim_next or not following:
            return AcceptedDelivery(claimed, attempt, following)
        next_claimed = claim_locked(endpoint, following[0], now, claimed.policy)
        return AcceptedDelivery(claimed, attempt, following[1:], next_claimed)


def record_failure(failed: AttemptFailed, now: datetime) -> tuple[Result | None, list[Request]]:
    """Record a failed attempt in a transaction of its own; return its result and what to enqueue.

    The result is None if the lease had expired and gone to another worker.
    """
    claimed, attempt = failed.claimed, failed.attempt
    delivery, policy = claimed.delivery, claimed.policy
    with transaction():
        endpoint = _lock_endpoint(claimed)
        blamed = endpoint if endpoint and _is_blamed(failed) else None
        if blamed is not None:
            health = _health(blamed).after_failure(
                now,
                policy,
                probe=claimed.probe,
                refused=failed.refused,
                wait=asked_delay(failed.retry_after, now, policy),
            )
            blamed = _warned_or_disabled(_with_health(blamed, health), attempt, now, policy)
        result = _result(failed, blamed or endpoint, now)
        if not deliveries.finish(delivery, claimed.token, attempt, result, now):
            return None, []
        if blamed is not None:
            webhook_endpoints.save_health(blamed)
            if blamed.disabled_at is not None:
                pending_deliveries.pause_waiting(blamed.organization_id, blamed.id)
        after = blamed or endpoint
        return result, next_requests(after, now, policy) if after else []


def _lock_endpoint(claimed: ClaimedDelivery) -> Endpoint | None:
    """Lock and read the endpoint again: it may have changed, or been removed, meanwhile."""
    return webhook_endpoints.lock(claimed.endpoint.organization_id, claimed.endpoint.id)


def _is_blamed(failed: AttemptFailed) -> bool:
    """Whether a failure counts against the endpoint: that of a manual delivery does not.

    Neither does a repeated refusal: otherwise a single delivery would open the circuit of an
    endpoint that gets few others.
    """
    claimed = failed.claimed
    if failed.our_fault or failed.stopped:
        return False
    if claimed.probe:
        return True
    repeated = failed.refused and claimed.delivery.tries > 0
    return claimed.delivery.manual is None and not repeated


def _result(failed: AttemptFailed, endpoint: Endpoint | None, now: datetime) -> Result:
    """Return the new state of a row whose attempt failed."""
    claimed, delivery = failed.claimed, failed.claimed.delivery
    if failed.stopped:  # another process makes the attempt again, at once
        state = State.PAUSED if endpoint and endpoint.disabled_at else State.WAITING
        return Result(state, counts=False, manual=delivery.manual, next_attempt_at=now)
    if claimed.probe and not failed.refused:
        state = State.PAUSED if endpoint and endpoint.disabled_at else State.WAITING
        return Result(state, counts=False, manual=delivery.manual)
    if delivery.manual is not None or endpoint is None:
        # A delivery that was accepted stays accepted, even if sending it again failed.
        accepted = deliveries.was_accepted(delivery.organization_id, delivery.id)
        return Result(State.DELIVERED if accepted else State.FAILED, counts=False)
    due_at = next_attempt_at(delivery.attempts + 1, now, failed.retry_after, claimed.policy)
    if endpoint.disabled_at is not None:
        return Result(State.PAUSED, counts=True)
    if due_at is None:
        return Result(State.FAILED, counts=True)
    return Result(State.WAITING, counts=True, next_attempt_at=due_at)


def _warned_or_disabled(
    endpoint: Endpoint, attempt: Attempt, now: datetime, policy: WebhookPolicy
) -> Endpoint:
    """Return an endpoint that has just failed, with a warning logged or disabled if it is time."""
    if endpoint.disabled_at is not None:
        return endpoint  # the attempt was in flight when the endpoint was disabled
    health = _health(endpoint)
    limit = _hours(policy.disable_after)
    if attempt.status_code == GONE or health.is_lost(now, policy):
        reason = "it answered 410 Gone" if attempt.status_code == GONE else f"{limit} of failures"
        logger.error(
            "webhook endpoint %s (%s) is disabled: %s; its deliveries are kept and sent"
            " after `brazebee webhooks enable %s`",
            endpoint.host, endpoint.id, reason, endpoint.id,
        )  # fmt: skip
        return replace(endpoint, disabled_at=now, disabled_because=reason)
    failing_for = health.warning(now, policy)
    if failing_for is None:
        return endpoint
    logger.warning(
        "webhook endpoint %s (%s) has failed for %s; after %s it is disabled",
        endpoint.host, endpoint.id, _hours(failing_for), limit,
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
        endpoint.refusals,
    )


def _with_health(endpoint: Endpoint, health: EndpointHealth) -> Endpoint:
    return replace(endpoint, **vars(health))
