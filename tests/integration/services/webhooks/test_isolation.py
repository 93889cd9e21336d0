"""Under random failures no delivery is lost and no endpoint exceeds its slots."""

import random

import pytest

from models.database import transaction
from models.webhooks import deliveries
from models.webhooks.deliveries import ManualReason
from services.webhooks.claims import ClaimedDelivery
from tests.support.properties import profile_is_thorough, seeds
from tests.support.webhooks.endpoints import (
    Try,
    WebhookEndpoint,
    claim_try,
    due,
    fail,
    probes,
    succeed,
)
from tests.support.world import after

STEPS = 200 if profile_is_thorough() else 100


class RandomFailures:
    """Messages that are lost, late or repeated, killed workers, failures, and manual changes."""

    def __init__(self, two_endpoints: tuple[WebhookEndpoint, WebhookEndpoint], seed: int) -> None:
        self.two_endpoints = two_endpoints
        self.chance = random.Random(seed)
        self.at = 0.0
        self.requests: list[Try] = []
        self.in_flight: list[ClaimedDelivery] = []

    def step(self) -> None:
        self.at += self.chance.choice([0, 0.1, 1, 6, 40, 400])
        for endpoint in self.two_endpoints:
            if self.chance.random() < 0.2:
                endpoint.add(1, self.chance.choice([None, None, None, *ManualReason]))
        if self.chance.random() < 0.03:
            self.two_endpoints[0].disable(self.at)
            self.requests += self.two_endpoints[0].enable(self.at + self.chance.choice([0, 30]))
        self.requests += due(self.at) + probes(self.at)
        self.requests = [request for request in self.requests if self.chance.random() < 0.8]
        for delivery_id, number in self.chance.sample(self.requests, min(len(self.requests), 3)):
            claimed = claim_try(delivery_id, number, self.at)
            self.in_flight += [claimed] if claimed else []
        for claimed in [claimed for claimed in self.in_flight if self.chance.random() < 0.5]:
            self.in_flight.remove(claimed)
            self._end(claimed)

    def _end(self, claimed: ClaimedDelivery) -> None:
        end = self.chance.random()
        if end < 0.3:
            self.requests += succeed(claimed, self.at)
        elif end < 0.8:
            retry_after = self.chance.choice([None, "100"])
            self.requests += fail(claimed, self.at, retry_after=retry_after)[1]

    def drain(self) -> bool:
        """Accept everything and let only the clock enqueue; return whether nothing is left."""
        for _ in range(3_000):
            requests = due(self.at) + probes(self.at)
            self.at += 1 if requests else 60
            for delivery_id, number in requests:
                if claimed := claim_try(delivery_id, number, self.at):
                    succeed(claimed, self.at)
            if not any(
                {"waiting", "parked"} & set(endpoint.states()) for endpoint in self.two_endpoints
            ):
                return True
        return False


@pytest.mark.parametrize("seed", seeds())
def test_whatever_fails_or_is_lost_every_row_is_finished_and_no_slot_is_exceeded(
    two_endpoints: tuple[WebhookEndpoint, WebhookEndpoint], seed: int
) -> None:
    failures = RandomFailures(two_endpoints, seed)
    for _ in range(STEPS):
        failures.step()
        for endpoint in two_endpoints:
            assert in_flight(endpoint, failures.at) <= 2
    assert failures.drain()
    for endpoint in two_endpoints:
        assert set(endpoint.states()) <= {"delivered", "failed"}


def in_flight(endpoint: WebhookEndpoint, at: float) -> int:
    """Return the number of attempts in flight that take a slot."""
    with transaction():
        reasons = deliveries.list_in_flight(endpoint.organization_id, endpoint.id, after(at))
    assert reasons.count(ManualReason.RECOVERY) <= 1
    return len(reasons) - reasons.count(ManualReason.AT_ONCE)
