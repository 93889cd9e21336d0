"""Generates the delivery log of the demo: the attempts of a year, and the responses to them.

Past deliveries are attempted one after another on a simulated clock, with the same code as live
ones. Only the responses are invented; nothing is sent.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from random import Random
from uuid import UUID

from config.webhook_policy import WebhookPolicy
from models.database import transaction
from models.webhooks import manual_deliveries, webhook_endpoints
from models.webhooks.deliveries import Attempt, Request
from models.webhooks.webhook_endpoints import Endpoint, Subscription
from services.webhooks import endpoints
from services.webhooks.claims import ClaimedDelivery, claim, next_requests
from services.webhooks.outcomes import AttemptFailed, record_failure, record_success
from services.webhooks.payload import EventType

BATCH = 25
"""Attempts in one transaction: each leaves dead row versions, which all later ones skip over."""

HICCUPS = 0.025
"""The share of attempts that a receiver answers with 502 for no reason."""

REASON = "nothing is sent from demo data"

Outage = tuple[timedelta, timedelta, int | None]
"""Time before the present, duration, and the status code of responses; None without responses."""


@dataclass(frozen=True)
class Receiver:
    """An invented receiver; its host is in a domain reserved for examples, and never resolves.

    `tests` are test events: the time before the present, and the status code of the response.
    """

    url: str
    subscription: Subscription
    response_ms: int
    outages: Sequence[Outage] = ()
    tests: Sequence[tuple[timedelta, int]] = ()


RECEIVERS = (
    Receiver(
        "https://crm.brightdesk.example/hooks/brazebee",
        Subscription(
            event_types=(EventType.HEALTH_SCORE_CHANGED,),
            company_fields={"plan": ["Business", "Enterprise"]},
        ), 120,
        outages=[
            (timedelta(days=121, hours=3), timedelta(minutes=50), 503),
            (timedelta(days=16, hours=7), timedelta(hours=7), 503),
            (timedelta(days=3, hours=5), timedelta(minutes=40), None),
        ],
        tests=[(timedelta(days=364, minutes=9), 404), (timedelta(days=364), 200)],
    ),
    Receiver(
        "https://alerts.brightdesk.example/critical", Subscription(statuses=("Critical",)), 60,
        outages=[(timedelta(days=9), timedelta(hours=1), 502)],
        tests=[(timedelta(days=6, minutes=4), 401), (timedelta(days=6), 200)],
    ),
)  # fmt: skip


def subscribe(
    organization_id: int, since: datetime, secret_keys: Sequence[str]
) -> list[tuple[UUID, Receiver]]:
    """Subscribe the receivers as endpoints that are disabled from the start."""
    subscribed = []
    for receiver in RECEIVERS:
        endpoint_id, _ = webhook_endpoints.add(
            organization_id, receiver.url, secret_keys=secret_keys,
            subscription=receiver.subscription, created_at=since,
        )  # fmt: skip
        endpoints.disable(endpoints.lock(organization_id, endpoint_id), REASON, since)
        subscribed.append((endpoint_id, receiver))
    return subscribed


def deliver_history(
    organization_id: int, endpoint_id: UUID, receiver: Receiver, now: datetime,
    *, policy: WebhookPolicy, chance: Random,
) -> int:  # fmt: skip
    """Attempt all deliveries of an endpoint up to `now`; return the number of attempts.

    Running `deliver` processes see a disabled endpoint: it is enabled only within transactions,
    which end when no delivery is waiting for a retry. Opens these transactions itself.
    """
    with transaction():
        endpoint = endpoints.lock(organization_id, endpoint_id)
        simulation = _Simulation(endpoint, receiver, now, policy, chance)
    while simulation.has_due_attempts:
        with transaction():
            endpoint = endpoints.lock(organization_id, endpoint_id)
            enabled = replace(endpoint, disabled_at=None, disabled_because=None)
            webhook_endpoints.save_health(enabled)
            simulation.run_batch()
            endpoints.disable(endpoints.lock(organization_id, endpoint_id), REASON, now)
    return simulation.attempts


class _Simulation:
    """The attempts to one endpoint, in the order of their times."""

    def __init__(
        self, endpoint: Endpoint, receiver: Receiver, now: datetime, policy: WebhookPolicy,
        chance: Random,
    ) -> None:  # fmt: skip
        self.attempts = 0
        self._endpoint = endpoint
        self._key = (endpoint.organization_id, endpoint.id)
        self._receiver = receiver
        self._now = now
        self._policy = policy
        self._chance = chance
        self._order = count()
        self._due: list[tuple[datetime, int, UUID | None, int]] = []
        self._new = dict(manual_deliveries.list_paused(*self._key, until=now))
        self._tests: dict[datetime, int] = {now - ago: status for ago, status in receiver.tests}
        self._test_statuses: dict[UUID, int] = {}
        for delivery_id, at in self._new.items():
            self._schedule(at + timedelta(milliseconds=chance.uniform(8, 40)), delivery_id, 1)
        for at in self._tests:
            self._schedule(at, None, 0)
        self._untried = len(self._due)

    @property
    def has_due_attempts(self) -> bool:
        """Whether attempts are left up to the present."""
        return bool(self._due) and self._due[0][0] <= self._now

    def run_batch(self) -> None:
        """Make at least `BATCH` attempts, and more until no delivery is waiting for a retry."""
        until = self.attempts + BATCH
        while self.has_due_attempts and (self.attempts < until or len(self._due) > self._untried):
            at, _, due_id, number = heapq.heappop(self._due)
            if at in self._tests:
                requests = self._send_test(at)
            elif due_id:
                requests = [Request(*self._key, due_id, number)]
            else:
                requests = self._probes(at)
            for request in requests:
                delivery_id = request.delivery_id
                if delivery_id in self._new:
                    self._untried -= 1
                    resumed_at = self._new.pop(delivery_id)
                    manual_deliveries.resume(
                        self._endpoint.organization_id, delivery_id, resumed_at
                    )
                claimed = claim(request, at, self._policy)
                if claimed is not None:
                    self.attempts += 1
                    self._attempt(claimed, at)

    def _send_test(self, at: datetime) -> list[Request]:
        self._untried -= 1
        endpoint = endpoints.lock(*self._key)
        delivery_id, requests = endpoints.send_test(endpoint, at)
        self._test_statuses[delivery_id] = self._tests.pop(at)
        return requests

    def _schedule(self, at: datetime, delivery_id: UUID | None, number: int) -> None:
        heapq.heappush(self._due, (at, next(self._order), delivery_id, number))

    def _probes(self, at: datetime) -> list[Request]:
        return next_requests(endpoints.lock(*self._key), at, self._policy)

    def _attempt(self, claimed: ClaimedDelivery, at: datetime) -> None:
        attempt = self._respond(claimed.delivery.id, at)
        ended = at + timedelta(milliseconds=attempt.duration_ms)
        if attempt.error is None:
            following = record_success(claimed, attempt, ended).following
        else:
            result, following = record_failure(AttemptFailed(claimed, attempt), ended)
            if result and result.next_attempt_at:
                self._schedule(
                    result.next_attempt_at, claimed.delivery.id, claimed.delivery.tries + 2
                )
            endpoint = endpoints.lock(*self._key)
            if endpoint.probe_at is not None:
                self._schedule(endpoint.probe_at, None, 0)
        for request in following:
            self._schedule(ended, request.delivery_id, request.attempt)

    def _respond(self, delivery_id: UUID, at: datetime) -> Attempt:
        duration_ms = round(self._receiver.response_ms * self._chance.lognormvariate(0, 0.35))
        usual = 502 if self._chance.random() < HICCUPS else 200
        status: int | None = self._test_statuses.get(delivery_id, usual)
        for ago, duration, outage_status in self._receiver.outages:
            if timedelta(0) <= at - (self._now - ago) < duration:
                status = outage_status
        if status is None:
            seconds = self._policy.timeout.total_seconds()
            return Attempt(at, round(seconds * 1000), None, f"no answer within {seconds:g} s", None)
        if status == 200:
            return Attempt(at, duration_ms, status, None, '{"ok":true}')
        return Attempt(at, duration_ms, status, f"answered {status}", "")
