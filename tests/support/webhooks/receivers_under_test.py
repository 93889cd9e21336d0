"""One attempt of a delivery to a receiver on the loopback address."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import redis
from dramatiq import MessageProxy
from dramatiq.brokers.stub import StubBroker

from actors.capacity import Capacity
from actors.retries import WebhookRetries
from config.settings import Settings
from config.webhook_policy import WebhookPolicy
from models import across_organizations
from models.database import query, transaction
from models.organizations import organizations
from models.webhooks import deliveries, webhook_endpoints
from models.webhooks.deliveries import NewDelivery
from queues import messages
from services.webhooks.addresses import AddressPolicy
from services.webhooks.delivery import attempt_delivery
from services.webhooks.metrics import WebhookCounters
from services.webhooks.outcomes import AttemptFailed
from services.webhooks.transport import Transport

LOOPBACK = AddressPolicy([ipaddress.ip_network("127.0.0.0/8")])

TOTAL_SECONDS = 1.0

IN_TIME_SECONDS = 2.5
"""The limit, with a margin for a busy machine."""


@dataclass
class Outcome:
    """The outcome of one attempt: its row, its endpoint, its log entry, and when it ended."""

    row: dict[str, Any]
    endpoint: dict[str, Any]
    attempt: dict[str, Any]
    ended_at: datetime

    @property
    def wait(self) -> timedelta:
        wait: timedelta = self.row["next_attempt_at"] - self.ended_at
        return wait

    def assert_scheduled_again(self) -> None:
        """Check that the next attempt is in about five seconds, as after any first failure."""
        assert (self.row["state"], self.row["attempts"]) == ("waiting", 1)
        assert not self.row["parked"]
        assert timedelta(seconds=2) < self.wait <= timedelta(seconds=6)
        assert (self.endpoint["failures"], self.endpoint["disabled_at"]) == (1, None)


Send = Callable[..., Outcome]


def new_delivery(url: str, settings: Settings) -> UUID:
    with transaction():
        organization_id = organizations.create("o").id
        endpoint_id, _ = webhook_endpoints.add(
            organization_id, url, secret_keys=settings.secret_keys
        )
        new = NewDelivery(organization_id, endpoint_id, None, "msg_1", "{}", datetime.now(UTC))
        return deliveries.add(new)


def attempt(delivery_id: UUID, number: int, policy: AddressPolicy, settings: Settings) -> None:
    with transaction():
        request = across_organizations.find_request(delivery_id, number)
    assert request is not None
    transport = Transport(policy, WebhookPolicy(timeout=timedelta(seconds=TOTAL_SECONDS)))
    failed = None
    try:
        attempt_delivery(request, transport=transport, secret_keys=settings.secret_keys)
    except AttemptFailed as error:
        failed = error
    message = MessageProxy(messages.deliver(*request))
    with redis.Redis.from_url(settings.redis_url) as client:
        retries = WebhookRetries(WebhookCounters(client), Capacity(threads=1))
        retries.after_process_message(StubBroker(middleware=[]), message, exception=failed)


def outcome_of(delivery_id: UUID) -> Outcome:
    with transaction():
        [row] = query("select * from deliveries where id = %(id)s", {"id": delivery_id})
        [endpoint] = query(
            "select * from webhook_endpoints where id = %(id)s", {"id": row["endpoint_id"]}
        )
        *_, last = query(
            "select * from delivery_attempts where delivery_id = %(id)s order by attempt",
            {"id": delivery_id},
        )
    return Outcome(row, endpoint, last, datetime.now(UTC))
