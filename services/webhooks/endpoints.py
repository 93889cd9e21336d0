"""What people do to webhook endpoints and their deliveries by hand, under the endpoint's lock.

Each runs within the transaction at hand, and returns what is to be asked of `deliver` after it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import orjson
from uuid_utils.compat import uuid7

from config.webhook_policy import WebhookPolicy
from models.webhooks import deliveries, delivery_log, webhook_endpoints
from models.webhooks.deliveries import ByHand, NewDelivery, Request
from models.webhooks.webhook_endpoints import Endpoint, Wanted
from queues import messages
from queues.best_effort import enqueue_best_effort
from queues.broker import QueueBroker
from services.times import iso_milliseconds
from services.webhooks.circuit import EndpointHealth
from services.webhooks.claims import next_in_turn

TEST_EVENT = "test"


class NoSuchEndpoint(Exception):
    """Raised when an organization has no endpoint with an id."""


class RecoveryRefused(Exception):
    """Raised when deliveries are to be sent again from before what is kept, with a sentence."""


def find(organization_id: int, endpoint_id: UUID) -> Endpoint:
    """Lock and read an endpoint.

    Raises:
        NoSuchEndpoint: there is none, or it was removed.
    """
    endpoint = webhook_endpoints.lock(organization_id, endpoint_id)
    if endpoint is None:
        raise NoSuchEndpoint(str(endpoint_id))
    return endpoint


def state(endpoint: Endpoint) -> str:
    """How an endpoint fares in a word: `active`, `failing` with its circuit open, or `disabled`."""
    if endpoint.disabled_at is not None:
        return "disabled"
    if endpoint.probe_at is not None:
        return "failing"
    return "active"


def enqueue_deliveries(broker: QueueBroker, following: Sequence[Request]) -> None:
    """Ask `deliver` for what a transaction wrote; should that fail, the clock does it."""
    enqueue_best_effort(broker, [messages.deliver(*request) for request in following])


def subscribe(endpoint: Endpoint, wanted: Wanted) -> None:
    """Let an endpoint have other changes from now on; what was written before is sent."""
    webhook_endpoints.subscribe(endpoint.id, wanted)


def disable(endpoint: Endpoint, reason: str, now: datetime) -> None:
    """Send nothing more; what waits, and what comes, is kept until the endpoint is enabled."""
    disabled = replace(endpoint, disabled_at=now, disabled_because=reason)
    webhook_endpoints.save_health(disabled)
    deliveries.pause_waiting(endpoint.id)


def enable(endpoint: Endpoint, now: datetime, policy: WebhookPolicy) -> list[Request]:
    """Begin anew, with all that was kept meanwhile."""
    enabled = replace(endpoint, disabled_at=None, disabled_because=None, **vars(EndpointHealth()))
    webhook_endpoints.save_health(enabled)
    deliveries.park_paused(endpoint.id)
    return next_in_turn(enabled, now, policy)


def remove(endpoint: Endpoint) -> None:
    """End a subscription; what waits for it is cancelled."""
    webhook_endpoints.remove(endpoint.id)
    deliveries.cancel_waiting(endpoint.id)


def send_test(endpoint: Endpoint, now: datetime) -> tuple[UUID, list[Request]]:
    """Write a test event, which is sent once and touches nothing else; its delivery's id."""
    message_id = f"msg_{uuid7().hex}"
    payload = orjson.dumps(
        {"event": TEST_EVENT, "id": message_id, "timestamp": iso_milliseconds(now)}
    ).decode()
    delivery_id = deliveries.add(
        NewDelivery(
            endpoint.organization_id, endpoint.id, None, message_id, payload, by_hand=ByHand.AT_ONCE
        ),
        now,
    )
    return delivery_id, [(delivery_id, 1)]


def resend(endpoint: Endpoint, delivery_id: UUID, now: datetime) -> list[Request]:
    """Send a delivery that was accepted or given up once more, at once."""
    return delivery_log.send_again(endpoint.id, [delivery_id], ByHand.AT_ONCE, now)


def earliest_recovery(now: datetime, policy: WebhookPolicy) -> datetime:
    """From when on deliveries can be recovered."""
    return now - policy.recoverable_for


def recover(
    endpoint: Endpoint, *, since: datetime, latest: bool, now: datetime, policy: WebhookPolicy
) -> tuple[int, list[Request]]:
    """Send again what failed since an instant; how many that are.

    In order per company, beside fresh ones. With `latest` only each company's newest, and that
    only if it failed.

    Raises:
        RecoveryRefused: that was too long ago.
    """
    earliest = earliest_recovery(now, policy)
    if since < earliest:
        raise RecoveryRefused(f"Deliveries can be recovered from {iso_milliseconds(earliest)} on.")
    failed = delivery_log.failed_since(endpoint.id, since, latest=latest)
    delivery_log.send_again(endpoint.id, failed, ByHand.RECOVERY, now)
    return len(failed), next_in_turn(endpoint, now, policy)
