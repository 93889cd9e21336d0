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
from models.webhooks.deliveries import MESSAGE_LOST_AFTER, Request
from queues import messages
from queues.broker import QueueBroker
from rules.durations import BEGINNING
from services.webhooks.claims import next_turns

CHUNK = 500
"""The most deliveries found by a query; a queue with this many messages gets no more."""

MOST_IN_A_TICK = 5 * CHUNK
"""With this many deliveries enqueued, other work of the clock gets its turn."""

AGAIN_AFTER = timedelta(seconds=5)
"""What is still due after this time is enqueued again; its message may be lost."""

LOOK_EVERY = timedelta(seconds=1)
"""How often the clock looks for probes and missed turns."""

Found = TypeVar("Found", Request, DueProbe, UUID)


class DueDeliveries:
    """What the clock knows about deliveries that it has enqueued."""

    def __init__(self, broker: QueueBroker, policy: WebhookPolicy) -> None:
        self._broker = broker
        self._policy = policy
        self._enqueued: dict[Request, datetime] = {}
        self._probed: dict[DueProbe, datetime] = {}
        self._given_turns: dict[UUID, datetime] = {}
        self._looked_at = BEGINNING

    def enqueue_due(self, now: datetime) -> int:
        """Enqueue the deliveries that are due, unless they were just enqueued; return the number.

        Of an endpoint with more of them than slots, those that have their turn; the others are
        parked, so that however many there are, they delay nothing else.
        """
        self._enqueued = _recent(self._enqueued, now)
        crowded: set[UUID] = set()
        number = 0
        while number < MOST_IN_A_TICK and self._broker.waiting(messages.WEBHOOKS) < CHUNK:
            found = across_organizations.find_due_deliveries(
                until=now,
                limit=CHUNK,
                leave_out=[(request.delivery_id, request.attempt) for request in self._enqueued],
                leave_out_endpoints=crowded,
            )
            by_endpoint: dict[UUID, list[Request]] = defaultdict(list)
            for delivery in found:
                by_endpoint[delivery.endpoint_id].append(Request(*delivery))
            for endpoint_id, due in by_endpoint.items():
                if len(due) > self._policy.in_flight:
                    crowded.add(endpoint_id)
                    number += self._give_turns(due[0].organization_id, endpoint_id, now)
                else:
                    number += self._enqueue(due, now)
            if len(found) < CHUNK:
                break
        return number

    def enqueue_other_turns(self, now: datetime) -> int:
        """Enqueue due probes and what missed its turn, once a second; return the number."""
        if now - self._looked_at < LOOK_EVERY:
            return 0
        self._looked_at = now
        return self._enqueue_probes(now) + self._enqueue_missed_turns(now)

    def _enqueue_probes(self, now: datetime) -> int:
        """Enqueue a probe of each endpoint for which one is due; return the number."""
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

    def _enqueue_missed_turns(self, now: datetime) -> int:
        """Enqueue parked deliveries that nothing else gives a turn; return the number.

        Their message was lost, or the attempt whose end gives them their turn ended before they
        were committed.
        """
        self._given_turns = _recent(self._given_turns, now)
        found = across_organizations.find_missed_turns(
            now=now,
            before=now - MESSAGE_LOST_AFTER,
            slots=self._policy.in_flight,
            limit=CHUNK,
            leave_out=self._given_turns,
        )
        self._given_turns |= {endpoint_id: now for _, endpoint_id in found}
        return sum(self._give_turns(*endpoint, now) for endpoint in found)

    def _give_turns(self, organization_id: int, endpoint_id: UUID, now: datetime) -> int:
        with database.atomic():
            requests = next_turns(organization_id, endpoint_id, now, self._policy)
        return self._enqueue(requests, now)

    def _enqueue(self, requests: Sequence[Request], now: datetime) -> int:
        for request in requests:
            self._broker.enqueue(messages.deliver(*request))
            self._enqueued[request] = now
        return len(requests)


def _recent(enqueued: dict[Found, datetime], now: datetime) -> dict[Found, datetime]:
    return {found: at for found, at in enqueued.items() if at > now - AGAIN_AFTER}
