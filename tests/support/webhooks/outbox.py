"""A receiver of webhooks and an outbox with one delivery."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
from models.webhooks.deliveries import Request
from queues import messages
from services.webhooks.addresses import AddressPolicy
from services.webhooks.delivery import attempt_delivery
from services.webhooks.metrics import WebhookCounters
from services.webhooks.outcomes import AcceptedDelivery, AttemptFailed
from services.webhooks.transport import Transport


@dataclass
class Receiver:
    """A webhook receiver that gives its `answers` in turn and repeats the last."""

    url: str
    answers: list[tuple[int, dict[str, str], bytes]] = field(
        default_factory=lambda: [(200, {}, b"thanks")]
    )
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    raw_answer: bytes | None = None


@dataclass
class Outbox:
    """One waiting delivery and what its attempts need."""

    settings: Settings
    organization_id: int
    endpoint_id: UUID
    secret: str
    delivery_id: UUID

    def request(self, number: int) -> Request:
        return Request(self.organization_id, self.endpoint_id, self.delivery_id, number)

    def attempt(
        self, number: int, *, secret_keys: tuple[str, ...] | None = None
    ) -> AcceptedDelivery | None:
        """Make an attempt as the `deliver` actor does."""
        return attempt_delivery(
            self.request(number),
            transport=Transport(
                AddressPolicy(self.settings.webhook_allow_nets),
                WebhookPolicy(timeout=timedelta(seconds=5)),
            ),
            secret_keys=self.settings.secret_keys if secret_keys is None else secret_keys,
        )

    def attempt_and_retry(
        self, number: int, *, secret_keys: tuple[str, ...] | None = None
    ) -> AttemptFailed | None:
        """Make an attempt and record its outcome, as the actor and its middleware do."""
        failed = None
        try:
            self.attempt(number, secret_keys=secret_keys)
        except AttemptFailed as error:
            failed = error
        broker = StubBroker(middleware=[])
        message = MessageProxy(messages.deliver(*self.request(number)))
        with redis.Redis.from_url(self.settings.redis_url) as client:
            retries = WebhookRetries(WebhookCounters(client), Capacity(threads=1))
            retries.after_process_message(broker, message, exception=failed)
        return failed

    @property
    def row(self) -> dict[str, Any]:
        with transaction():
            [row] = query("select * from deliveries where id = %(id)s", {"id": self.delivery_id})
        return row

    @property
    def log(self) -> list[dict[str, Any]]:
        with transaction():
            return query("select * from delivery_attempts order by attempt")

    def due(self, at: datetime) -> list[tuple[UUID, int]]:
        with transaction():
            due = across_organizations.find_due_deliveries(until=at, limit=10)
        return [(request.delivery_id, request.attempt) for request in due]
