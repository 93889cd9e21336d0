"""Finds the deliveries that have to be attempted now and enqueues them, endpoints in turns."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from config.webhook_policy import WebhookPolicy
from models import across_organizations
from models.across_organizations import DueProbe
from models.database import database
from models.webhooks import pending_deliveries
from models.webhooks.deliveries import Request
from queues import messages
from queues.broker import QueueBroker
from rules.durations import BEGINNING
from services.webhooks.claims import next_turns

CHUNK = 500
"""The most deliveries found by a query; a queue with this many messages gets no more."""

ROUNDS = 5
"""How often a query is repeated while its result is full."""

AGAIN_AFTER = timedelta(seconds=5)
"""A delivery or probe that is still due after this time is enqueued again; its message may be
lost."""

PROBES_EVERY = timedelta(seconds=1)

Found = TypeVar("Found", Request, DueProbe)


class DueDeliveries:
    """What the clock knows about deliveries that it has enqueued."""

    def __init__(self, broker: QueueBroker, policy: WebhookPolicy) -> None:
        self._broker = broker
        self._policy = policy
        self._enqueued: dict[Request, datetime] = {}
        self._probed: dict[DueProbe, datetime] = {}
        self._probes_found_at = BEGINNING

    def enqueue_due(self, now: datetime) -> int:
        """Enqueue the deliveries that are due, unless they were just enqueued; return the number.

        Of an endpoint with more of them than slots, those that have their turn; the others are
        parked, so that however many there are, they delay nothing else.
        """
        self._enqueued = _recent(self._enqueued, now)
        number = 0
        for _ in range(ROUNDS):
            if self._broker.waiting(messages.WEBHOOKS) >= CHUNK:
                break
            found = across_organizations.find_due_deliveries(
                until=now,
                limit=CHUNK,
                leave_out=[(request.delivery_id, request.attempt) for request in self._enqueued],
            )
            due = [Request(*delivery) for delivery in found]
            by_endpoint: dict[UUID, list[Request]] = defaultdict(list)
            for request in due:
                by_endpoint[request.endpoint_id].append(request)
            for requests in by_endpoint.values():
                number += self._enqueue(self._turns(requests, now), now)
            if len(due) < CHUNK:
                break
        return number

    def enqueue_probes(self, now: datetime) -> int:
        """Enqueue a probe of each endpoint for which one is due; return the number."""
        if now - self._probes_found_at < PROBES_EVERY:
            return 0
        self._probes_found_at = now
        self._probed = _recent(self._probed, now)
        due = across_organizations.find_due_probes(until=now, limit=CHUNK, leave_out=self._probed)
        self._probed |= dict.fromkeys(due, now)
        by_organization: dict[int, list[UUID]] = defaultdict(list)
        for probe in due:
            by_organization[probe.organization_id].append(probe.endpoint_id)
        return sum(
            self._enqueue(pending_deliveries.find_probes(organization_id, endpoint_ids), now)
            for organization_id, endpoint_ids in by_organization.items()
        )

    def _turns(self, due: Sequence[Request], now: datetime) -> Sequence[Request]:
        """Return which of the due deliveries of an endpoint have their turn."""
        if len(due) <= self._policy.in_flight:
            return due
        with database.atomic():
            return next_turns(due[0].organization_id, due[0].endpoint_id, now, self._policy)

    def _enqueue(self, requests: Sequence[Request], now: datetime) -> int:
        for request in requests:
            self._broker.enqueue(messages.deliver(*request))
            self._enqueued[request] = now
        return len(requests)


def _recent(enqueued: dict[Found, datetime], now: datetime) -> dict[Found, datetime]:
    return {found: at for found, at in enqueued.items() if at > now - AGAIN_AFTER}
