"""Manual changes of webhook endpoints and their deliveries, under the lock of the endpoint.

Functions that return requests leave it to the caller to enqueue them after the commit.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import orjson
from uuid_utils.compat import uuid7

from config.webhook_policy import WebhookPolicy
from models.webhooks import deliveries, manual_deliveries, pending_deliveries, webhook_endpoints
from models.webhooks.deliveries import ManualReason, NewDelivery, Request
from models.webhooks.webhook_endpoints import Endpoint, Subscription
from queues import messages
from queues.best_effort import enqueue_best_effort
from queues.broker import QueueBroker
from services.errors import ServiceError
from services.times import iso_milliseconds
from services.webhooks.circuit import EndpointHealth
from services.webhooks.claims import next_requests

TEST_EVENT = "test"


class NoSuchEndpoint(ServiceError):
    """Raised when an organization has no endpoint with an id."""


class RecoveryRefused(ServiceError):
    """Raised when a recovery starts before the time for which deliveries are kept."""


def lock(organization_id: int, endpoint_id: UUID) -> Endpoint:
    """Lock and read an endpoint.

    Raises:
        NoSuchEndpoint: it does not exist or was removed.
    """
    endpoint = webhook_endpoints.lock(organization_id, endpoint_id)
    if endpoint is None:
        raise NoSuchEndpoint(str(endpoint_id))
    return endpoint


def describe_state(endpoint: Endpoint) -> str:
    """Return `active`, `failing` if its circuit is open, or `disabled`."""
    if endpoint.disabled_at is not None:
        return "disabled"
    if endpoint.probe_at is not None:
        return "failing"
    return "active"


def enqueue_deliveries(broker: QueueBroker, following: Sequence[Request]) -> None:
    """Enqueue the deliveries that a transaction wrote; if that fails, the clock does it."""
    enqueue_best_effort(broker, [messages.deliver(*request) for request in following])


def subscribe(endpoint: Endpoint, subscription: Subscription) -> None:
    """Change a subscription from now on; deliveries that were written before are still sent."""
    webhook_endpoints.subscribe(endpoint.organization_id, endpoint.id, subscription)


def disable(endpoint: Endpoint, reason: str, now: datetime) -> None:
    """Stop sending; waiting and new deliveries are kept until the endpoint is enabled."""
    disabled = replace(endpoint, disabled_at=now, disabled_because=reason)
    webhook_endpoints.save_health(disabled)
    pending_deliveries.pause_waiting(endpoint.organization_id, endpoint.id)


def enable(endpoint: Endpoint, now: datetime, policy: WebhookPolicy) -> list[Request]:
    """Resume sending, beginning with the deliveries that were kept."""
    # One that is being written may have read that the endpoint is disabled.
    webhook_endpoints.await_new_deliveries(endpoint.organization_id, endpoint.id)
    enabled = replace(endpoint, disabled_at=None, disabled_because=None, **vars(EndpointHealth()))
    webhook_endpoints.save_health(enabled)
    pending_deliveries.park_paused(endpoint.organization_id, endpoint.id)
    return next_requests(enabled, now, policy)


def remove(endpoint: Endpoint) -> None:
    """Remove an endpoint and cancel the deliveries that wait for it."""
    organization_id = endpoint.organization_id
    webhook_endpoints.await_new_deliveries(organization_id, endpoint.id)
    webhook_endpoints.remove(organization_id, endpoint.id)
    pending_deliveries.cancel_waiting(organization_id, endpoint.id)


def send_test(endpoint: Endpoint, now: datetime) -> tuple[UUID, list[Request]]:
    """Write a test event, which is sent once and affects nothing else; return its delivery's id."""
    message_id = f"msg_{uuid7().hex}"
    payload = orjson.dumps(
        {"event": TEST_EVENT, "id": message_id, "timestamp": iso_milliseconds(now)}
    ).decode()
    new = NewDelivery(
        endpoint.organization_id,
        endpoint.id,
        None,
        message_id,
        payload,
        created_at=now,
        manual=ManualReason.AT_ONCE,
    )
    return deliveries.add(new), [new.request]


def resend(endpoint: Endpoint, delivery_id: UUID, now: datetime) -> list[Request]:
    """Send a finished delivery again at once."""
    return manual_deliveries.send_again(
        endpoint.organization_id, endpoint.id, [delivery_id], ManualReason.AT_ONCE, now
    )


def earliest_recovery(now: datetime, policy: WebhookPolicy) -> datetime:
    """Return the earliest time from which deliveries can be recovered."""
    return now - policy.recoverable_for


def recover(
    endpoint: Endpoint, *, since: datetime, latest: bool, now: datetime, policy: WebhookPolicy
) -> tuple[int, list[Request]]:
    """Send the failed deliveries since an instant again; return their number.

    Those of one company are sent in order, alongside new ones. With `latest`, only the newest
    delivery of each company is sent again, and only if it failed.

    Raises:
        RecoveryRefused: `since` is too long ago.
    """
    earliest = earliest_recovery(now, policy)
    if since < earliest:
        raise RecoveryRefused(f"Deliveries can be recovered from {iso_milliseconds(earliest)} on.")
    organization_id = endpoint.organization_id
    failed = manual_deliveries.list_failed(organization_id, endpoint.id, since, latest=latest)
    manual_deliveries.send_again(organization_id, endpoint.id, failed, ManualReason.RECOVERY, now)
    return len(failed), next_requests(endpoint, now, policy)
