"""Decides which deliveries of an endpoint are attempted now.

Endpoints are isolated from each other: only a few attempts at a time go to one endpoint. Its other
deliveries wait in their rows, parked, without occupying a worker. When an attempt finishes, its
slot goes to the next parked row.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from config.webhook_policy import LEASE, WebhookPolicy
from models.database import transaction
from models.webhooks import deliveries, webhook_endpoints
from models.webhooks.deliveries import Delivery, ManualReason, Request, State
from models.webhooks.pending_deliveries import (
    find_probes,
    list_due,
    park_due,
    pause_waiting,
    unpark,
)
from models.webhooks.webhook_endpoints import Endpoint


@dataclass(frozen=True)
class ClaimedDelivery:
    """A delivery under a lease, with its endpoint; `probe` if it tries an endpoint that fails."""

    delivery: Delivery
    endpoint: Endpoint
    token: UUID
    probe: bool
    policy: WebhookPolicy


def claim(request: Request, now: datetime, policy: WebhookPolicy) -> ClaimedDelivery | None:
    """Claim a delivery for an attempt, in a transaction of its own; None if it is not its turn.

    A request has the number of the attempt: without it, a repeated message would make the next
    attempt before its time. If it is not its turn, the row is parked or paused.
    """
    with transaction():
        endpoint = webhook_endpoints.lock(request.organization_id, request.endpoint_id)
        return claim_locked(endpoint, request, now, policy) if endpoint else None


def claim_locked(
    endpoint: Endpoint, request: Request, now: datetime, policy: WebhookPolicy
) -> ClaimedDelivery | None:
    """Claim a delivery of an endpoint that is locked; see `claim`."""
    organization_id, delivery_id = endpoint.organization_id, request.delivery_id
    delivery = deliveries.lock(organization_id, delivery_id)
    if delivery is None or delivery.state is not State.WAITING:
        return None
    if delivery.tries != request.attempt - 1 or delivery.is_leased(now):
        return None
    if endpoint.disabled_at is not None and delivery.manual is not ManualReason.AT_ONCE:
        deliveries.pause(organization_id, delivery_id)
        return None
    probe = endpoint.probe_at is not None and delivery.manual is not ManualReason.AT_ONCE
    if not _has_its_turn(endpoint, delivery, now, policy.in_flight):
        deliveries.park(organization_id, delivery_id)
        return None
    if probe:  # one at a time, and another one if this one is lost
        webhook_endpoints.save_health(replace(endpoint, probe_at=now + LEASE))
    token = deliveries.lease(organization_id, delivery_id, now)
    return ClaimedDelivery(delivery, endpoint, token, probe, policy)


def next_requests(endpoint: Endpoint, now: datetime, policy: WebhookPolicy) -> list[Request]:
    """Unpark as many deliveries of a locked endpoint as it has free slots.

    At most one attempt in flight belongs to a recovery, which leaves slots for new deliveries.
    While the circuit is open, nothing is unparked; the result is the probe, if it is due.
    """
    if endpoint.disabled_at is not None:
        return []
    if endpoint.probe_at is not None:
        due = endpoint.probe_at <= now
        return find_probes(endpoint.organization_id, [endpoint.id]) if due else []
    in_flight = _in_slots(endpoint, now)
    free = max(0, policy.in_flight - len(in_flight))
    new = _unpark(endpoint, None, now, limit=free)
    if len(new) == free or ManualReason.RECOVERY in in_flight:
        return new
    return new + _unpark(endpoint, ManualReason.RECOVERY, now, limit=1)


def next_turns(
    organization_id: int, endpoint_id: UUID, now: datetime, policy: WebhookPolicy
) -> list[Request]:
    """Park the due deliveries of an endpoint and return those that have their turn.

    If another transaction has the lock of the endpoint, nothing changes and nothing is returned.
    """
    endpoint = webhook_endpoints.lock(organization_id, endpoint_id, wait=False)
    if endpoint is None:
        return []
    park_due(organization_id, endpoint_id, now)
    if endpoint.disabled_at is not None:
        pause_waiting(organization_id, endpoint_id)
    at_once = list_due(organization_id, endpoint_id, now)
    return [*at_once, *next_requests(endpoint, now, policy)]


def _unpark(
    endpoint: Endpoint, manual: ManualReason | None, now: datetime, *, limit: int
) -> list[Request]:
    return unpark(endpoint.organization_id, endpoint.id, manual, now, limit=limit)


def _has_its_turn(endpoint: Endpoint, delivery: Delivery, now: datetime, slots: int) -> bool:
    if delivery.manual is ManualReason.AT_ONCE:
        return True
    if endpoint.probe_at is not None:
        return endpoint.probe_at <= now
    in_flight = _in_slots(endpoint, now)
    if delivery.manual is ManualReason.RECOVERY and ManualReason.RECOVERY in in_flight:
        return False
    return len(in_flight) < slots


def _in_slots(endpoint: Endpoint, now: datetime) -> list[ManualReason | None]:
    """Return the attempts that occupy the endpoint's slots; those sent at once occupy none."""
    in_flight = deliveries.list_in_flight(endpoint.organization_id, endpoint.id, now)
    return [reason for reason in in_flight if reason is not ManualReason.AT_ONCE]
