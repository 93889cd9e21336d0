"""Makes the delivery log of the demo: what was sent in the year, and what was answered.

The deliveries of the past are attempted one after the other by a clock of the past, with the code
that attempts them live; only the answers are made up. Nothing is sent.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from random import Random
from uuid import UUID

from actors import endpoints
from actors.delivery import AttemptFailed, Claimed, claim, record_failure, record_success
from config.webhook_policy import WebhookPolicy
from models import deliveries, delivery_log, webhook_endpoints
from models.database import transaction
from models.deliveries import Attempt
from models.webhook_endpoints import Wanted

REASON = "demo data: nothing is sent from here"

Outage = tuple[timedelta, timedelta, int | None]
"""How long before the present it began, how long it lasted, and what was answered, if anything."""


@dataclass(frozen=True)
class Receiver:
    """A made-up receiver; its host is under a name that is kept for examples and never resolves.

    `tests` are how long before the present somebody sent a test event, and what was answered.
    """

    url: str
    wanted: Wanted
    answer_ms: int
    outages: Sequence[Outage] = ()
    tests: Sequence[tuple[timedelta, int]] = ()


RECEIVERS = (
    Receiver(
        "https://crm.brightdesk.example/hooks/brazebee", Wanted(), 120,
        outages=[
            (timedelta(days=121, hours=3), timedelta(minutes=50), 503),
            (timedelta(days=16, hours=7), timedelta(hours=7), 503),
            (timedelta(days=3, hours=5), timedelta(minutes=40), None),
        ],
        tests=[(timedelta(days=364, minutes=9), 404), (timedelta(days=364), 200)],
    ),
    Receiver(
        "https://alerts.brightdesk.example/critical", Wanted(statuses=("Critical",)), 60,
        outages=[(timedelta(days=9), timedelta(hours=1), 502)],
        tests=[(timedelta(days=6, minutes=4), 401), (timedelta(days=6), 200)],
    ),
)  # fmt: skip


def subscribe(
    organization_id: int, since: datetime, secret_keys: Sequence[str]
) -> list[tuple[UUID, Receiver]]:
    """Subscribe the receivers, disabled from the first moment on."""
    subscribed = []
    for receiver in RECEIVERS:
        endpoint_id, _ = webhook_endpoints.add(
            organization_id, receiver.url, secret_keys=secret_keys, wanted=receiver.wanted,
            created_at=since,
        )  # fmt: skip
        endpoints.disable(endpoints.find(organization_id, endpoint_id), REASON, since)
        subscribed.append((endpoint_id, receiver))
    return subscribed


def deliver_past(
    organization_id: int, endpoint_id: UUID, receiver: Receiver, now: datetime,
    *, policy: WebhookPolicy, chance: Random,
) -> int:  # fmt: skip
    """Attempt all that was written for an endpoint up to `now`; how many attempts that took.

    One transaction: whoever delivers beside sees the endpoint disabled, before and after.
    """
    with transaction():
        endpoint = endpoints.find(organization_id, endpoint_id)
        webhook_endpoints.save_health(replace(endpoint, disabled_at=None, disabled_because=None))
        attempts = _Post(endpoint_id, receiver, now, policy, chance).work(organization_id)
        endpoints.disable(endpoints.find(organization_id, endpoint_id), REASON, now)
    return attempts


class _Post:
    """The attempts to one endpoint, in the order of their times."""

    def __init__(
        self, endpoint_id: UUID, receiver: Receiver, now: datetime, policy: WebhookPolicy,
        chance: Random,
    ) -> None:  # fmt: skip
        self._endpoint_id = endpoint_id
        self._receiver = receiver
        self._now = now
        self._policy = policy
        self._chance = chance
        self._order = count()
        self._due: list[tuple[datetime, int, UUID | None, int]] = []
        self._answers: dict[UUID, int] = {}

    def work(self, organization_id: int) -> int:
        """Make every attempt up to now; how many there were."""
        written = delivery_log.paused(self._endpoint_id, until=self._now)
        new = dict(written)
        for delivery_id, at in written:
            self._ask(at + timedelta(milliseconds=self._chance.uniform(8, 40)), delivery_id, 1)
        for ago, status in self._receiver.tests:
            endpoint = endpoints.find(organization_id, self._endpoint_id)
            delivery_id, _ = endpoints.send_test(endpoint, self._now - ago)
            self._answers[delivery_id] = status
            self._ask(self._now - ago, delivery_id, 1)
        attempts = 0
        while self._due and self._due[0][0] <= self._now:
            at, _, wanted, number = heapq.heappop(self._due)
            requests = [(wanted, number)] if wanted else self._probes(at)
            for delivery_id, number in requests:
                if delivery_id in new:
                    delivery_log.resume(delivery_id, new.pop(delivery_id))
                claimed = claim(delivery_id, number, at, self._policy)
                if claimed is not None:
                    attempts += 1
                    self._attempt(claimed, at)
        return attempts

    def _ask(self, at: datetime, delivery_id: UUID | None, number: int) -> None:
        heapq.heappush(self._due, (at, next(self._order), delivery_id, number))

    def _probes(self, at: datetime) -> list[deliveries.Request]:
        return deliveries.probes(until=at, limit=1, endpoint_id=self._endpoint_id)

    def _attempt(self, claimed: Claimed, at: datetime) -> None:
        made = self._answer(claimed.delivery.id, at)
        ended = at + timedelta(milliseconds=made.duration_ms)
        if made.error is None:
            following = record_success(claimed, made, ended).following
        else:
            result, following = record_failure(AttemptFailed(claimed, made), ended)
            if result and result.next_attempt_at:
                self._ask(result.next_attempt_at, claimed.delivery.id, claimed.delivery.tries + 2)
            endpoint = endpoints.find(claimed.endpoint.organization_id, self._endpoint_id)
            if endpoint.probe_at is not None:
                self._ask(endpoint.probe_at, None, 0)
        for delivery_id, number in following:
            self._ask(ended, delivery_id, number)

    def _answer(self, delivery_id: UUID, at: datetime) -> Attempt:
        took = round(self._receiver.answer_ms * self._chance.lognormvariate(0, 0.35))
        status: int | None = self._answers.get(delivery_id, 200)
        for ago, lasting, answer in self._receiver.outages:
            if timedelta(0) <= at - (self._now - ago) < lasting:
                status = answer
        if status is None:
            seconds = self._policy.timeout.total_seconds()
            return Attempt(at, round(seconds * 1000), None, f"no answer within {seconds:g} s", None)
        if status == 200:
            return Attempt(at, took, status, None, '{"ok":true}')
        return Attempt(at, took, status, f"answered {status}", "")
