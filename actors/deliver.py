"""Sends webhooks: claims a delivery, makes the attempt, and goes on with the endpoint's next."""

import logging
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from actors.capacity import Capacity
from models import across_organizations
from models.database import transaction
from models.webhooks.deliveries import Request
from queues import messages
from queues.best_effort import enqueue_best_effort
from queues.broker import QueueBroker
from services.times import utc_now
from services.webhooks.claims import ClaimedDelivery, claim
from services.webhooks.delivery import make_attempt
from services.webhooks.metrics import WebhookCounters
from services.webhooks.outcomes import AcceptedDelivery, record_success
from services.webhooks.transport import Transport

logger = logging.getLogger("brazebee.actors")

STAY_SECONDS = 1.0
"""How long a thread continues with the deliveries of one endpoint before others get their turn."""


class Deliverer:
    """Makes the attempts that messages request."""

    def __init__(
        self,
        broker: QueueBroker,
        *,
        transport: Transport,
        secret_keys: tuple[str, ...],
        counters: WebhookCounters,
        capacity: Capacity,
    ) -> None:
        self._broker = broker
        self._transport = transport
        self._secret_keys = secret_keys
        self._counters = counters
        self._capacity = capacity
        self._slots = transport.policy.in_flight
        self._in_progress: set[Request] = set()
        self._stopping = False

    def stop(self) -> None:
        """Make no further attempts: those that are asked for are left to the clock."""
        self._stopping = True

    def deliver(self, request: Request, *, parked: bool = False) -> None:
        """Make an attempt, and those of the endpoint's next deliveries while they are accepted.

        If there is no room, nothing happens: the clock enqueues the delivery again. Nothing happens
        either if the message repeats one that is in progress, or if the delivery is parked and this
        process already attempts as many to its endpoint as it may: the end of each gives the parked
        ones their turn, and a message for each new delivery of an endpoint that hangs would occupy
        a thread, and could claim nothing.

        Raises:
            AttemptFailed: the endpoint did not accept one; `WebhookRetries` records it.
            OperationalError, InterfaceError: PostgreSQL cannot be reached. If a lease began, it
                expires, and the clock enqueues the delivery again.
        """
        if self._stopping or request in self._in_progress:
            return
        if not self._capacity.has_room(request.endpoint_id):
            return
        if parked and self._capacity.unfinished(request.endpoint_id) >= self._slots:
            return
        self._in_progress.add(request)
        try:
            self._attempt(request)
        finally:
            self._in_progress.discard(request)

    def _attempt(self, request: Request) -> None:
        leave_at = time.monotonic() + STAY_SECONDS
        claimed: ClaimedDelivery | None = None
        while True:
            with self._capacity.attempting(request.endpoint_id):
                claimed = claimed or self._claim(request)
                if claimed is None:
                    return
                with self._capacity.waiting(request.endpoint_id):
                    made = make_attempt(
                        claimed, transport=self._transport, secret_keys=self._secret_keys
                    )
            with self._capacity.working(request.organization_id, request.endpoint_id):
                accepted = record_success(
                    claimed,
                    made,
                    utc_now(),
                    claim_next=time.monotonic() < leave_at and not self._stopping,
                )
            self._counters.attempted(claimed.delivery, made)
            _log(accepted)
            enqueue_best_effort(
                self._broker, [messages.deliver(*following) for following in accepted.following]
            )
            claimed = accepted.next_claimed
            if claimed is None:
                return

    def _claim(self, request: Request) -> ClaimedDelivery | None:
        with self._capacity.working(request.organization_id, request.endpoint_id):
            if not self._capacity.has_room(request.endpoint_id):
                return None
            return claim(request, utc_now(), self._transport.policy)


def read_request(delivery_id: str, attempt: int, options: Mapping[str, Any]) -> Request | None:
    """Return the request in a message; None if one of the release before names no delivery.

    Raises:
        OperationalError, InterfaceError: PostgreSQL cannot be reached.
    """
    if "organization_id" in options:
        organization_id, endpoint_id = options["organization_id"], UUID(options["endpoint_id"])
        return Request(organization_id, endpoint_id, UUID(delivery_id), attempt)
    with transaction():  # a message of the release before
        found = across_organizations.find_request(UUID(delivery_id), attempt)
    return Request(*found) if found else None


def _log(accepted: AcceptedDelivery) -> None:
    logger.info(
        "webhook for %s delivered to %s: %s in %s ms",
        accepted.claimed.delivery.company or "a test",
        accepted.claimed.endpoint.host,
        accepted.attempt.status_code,
        accepted.attempt.duration_ms,
    )
