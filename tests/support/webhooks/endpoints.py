"""Endpoints with deliveries, and attempts of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from config.settings import Settings
from config.webhook_policy import WebhookPolicy
from models import across_organizations
from models.database import execute, query, transaction
from models.webhooks import deliveries, pending_deliveries, webhook_endpoints
from models.webhooks.deliveries import (
    MESSAGE_LOST_AFTER,
    Attempt,
    ManualReason,
    NewDelivery,
    Request,
    Result,
)
from models.webhooks.webhook_endpoints import Endpoint
from queues import messages
from services.webhooks import endpoints
from services.webhooks.claims import ClaimedDelivery, claim, next_turns
from services.webhooks.outcomes import AttemptFailed, record_failure, record_success
from tests.support.world import START, after

POLICY = WebhookPolicy()

HOUR = 3600.0

Try = tuple[UUID, int]
"""A delivery and the number of the attempt to make."""


@dataclass
class WebhookEndpoint:
    """An endpoint and its deliveries; times are seconds after `START`."""

    organization_id: int
    id: UUID

    def add(self, number: int = 1, by_hand: ManualReason | None = None) -> list[UUID]:
        """Add new rows and return their ids, oldest first."""
        with transaction():
            return [
                deliveries.add(
                    NewDelivery(
                        self.organization_id, self.id, None, "msg_1", "{}", START, manual=by_hand
                    )
                )
                for _ in range(number)
            ]

    def park(self, number: int, *, at: float) -> list[UUID]:
        """Add new rows as a transition does, and return their ids, oldest first."""
        new = [
            NewDelivery(self.organization_id, self.id, None, "msg_1", "{}", after(at), parked=True)
            for _ in range(number)
        ]
        with transaction():
            deliveries.add_all(new)
        return [delivery.id for delivery in new]

    @property
    def stored(self) -> Endpoint:
        with transaction():
            rows = webhook_endpoints.list_for_organization(self.organization_id)
        [endpoint] = [row for row in rows if row.id == self.id]
        return endpoint

    @property
    def health(self) -> tuple[Any, ...]:
        """The columns of the endpoint that an attempt may change."""
        row = self.stored
        circuit = (row.failures, row.failing_since, row.probe_at, row.probe_pause)
        return (*circuit, row.warned_at, row.last_success_at, row.disabled_at)

    def states(self) -> list[str]:
        """Return the states of its rows, oldest first; waiting rows may be `parked`."""
        with transaction():
            rows = query(
                "select case when parked then 'parked' else state end as state from deliveries"
                " where endpoint_id = %(id)s order by id",
                {"id": self.id},
            )
        return [row["state"] for row in rows]

    def disable(self, at: float) -> None:
        with transaction():
            endpoints.disable(endpoints.lock(self.organization_id, self.id), "by hand", after(at))

    def enable(self, at: float) -> list[Try]:
        with transaction():
            return tries(
                endpoints.enable(endpoints.lock(self.organization_id, self.id), after(at), POLICY)
            )


def add_endpoint(organization_id: int, settings: Settings) -> WebhookEndpoint:
    endpoint_id, _ = webhook_endpoints.add(
        organization_id, "https://example.com/hook", secret_keys=settings.secret_keys
    )
    return WebhookEndpoint(organization_id, endpoint_id)


def row(delivery_id: UUID) -> dict[str, Any]:
    with transaction():
        [delivery] = query("select * from deliveries where id = %(id)s", {"id": delivery_id})
    return delivery


def tries(requests: Iterable[Request]) -> list[Try]:
    return [(request.delivery_id, request.attempt) for request in requests]


def request_of(delivery_id: UUID, attempt: int) -> Request:
    delivery = row(delivery_id)
    return Request(delivery["organization_id"], delivery["endpoint_id"], delivery_id, attempt)


def message_of(delivery_id: UUID, attempt: int) -> str:
    """Return the message for an attempt as a broker records it."""
    return str(messages.deliver(*request_of(delivery_id, attempt)))


def claim_try(delivery_id: UUID, attempt: int, at: float) -> ClaimedDelivery | None:
    """Claim a row for the attempt with this number."""
    return claim(request_of(delivery_id, attempt), after(at), POLICY)


def try_claim(delivery_id: UUID, at: float) -> ClaimedDelivery | None:
    """Claim a row for its next attempt, as a worker does with its message."""
    return claim_try(delivery_id, row(delivery_id)["tries"] + 1, at)


def begin(delivery_id: UUID, at: float) -> ClaimedDelivery:
    """Claim a row that can be claimed now."""
    claimed = try_claim(delivery_id, at)
    assert claimed is not None
    return claimed


def succeed(claimed: ClaimedDelivery, at: float) -> list[Try]:
    accepted = Attempt(after(at), 5, 200, None, "")
    return tries(record_success(claimed, accepted, after(at)).following)


def fail(
    claimed: ClaimedDelivery, at: float, *, status: int = 500, retry_after: str | None = None
) -> tuple[Result, list[Try]]:
    failed = Attempt(after(at), 5, status, f"answered {status}", "")
    result, following = record_failure(
        AttemptFailed(claimed, failed, retry_after=retry_after), after(at)
    )
    return result, tries(following)


def due(at: float) -> list[Try]:
    with transaction():
        return tries(across_organizations.find_due_deliveries(until=after(at), limit=500))


def missed_turns(at: float) -> list[Try]:
    """Return what the clock would enqueue because nothing else gives it a turn."""
    with transaction():
        found = across_organizations.find_missed_turns(
            now=after(at),
            before=after(at) - MESSAGE_LOST_AFTER,
            slots=POLICY.in_flight,
            limit=500,
        )
        return tries(
            request
            for organization_id, endpoint_id in found
            for request in next_turns(organization_id, endpoint_id, after(at), POLICY)
        )


def probes(at: float) -> list[Try]:
    """Return what the clock would enqueue as probes."""
    with transaction():
        return tries(
            request
            for probe in across_organizations.find_due_probes(until=after(at), limit=500)
            for request in pending_deliveries.find_probes(
                probe.organization_id, [probe.endpoint_id]
            )
        )


def break_circuit(endpoint: WebhookEndpoint, at: float = 0) -> None:
    """Fail five new rows, and delete them and their attempts."""
    for delivery_id in endpoint.add(5):
        fail(begin(delivery_id, at), at)
    with transaction():
        execute("delete from delivery_attempts")
        execute("delete from deliveries where endpoint_id = %(id)s", {"id": endpoint.id})
