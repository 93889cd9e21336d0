"""Endpoints with deliveries, and attempts of them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from config.settings import Settings
from config.webhook_policy import WebhookPolicy
from models.database import execute, query, transaction
from models.webhooks import deliveries, pending_deliveries, webhook_endpoints
from models.webhooks.deliveries import Attempt, ManualReason, NewDelivery, Request, Result
from models.webhooks.webhook_endpoints import Endpoint
from services.webhooks import endpoints
from services.webhooks.claims import ClaimedDelivery, claim
from services.webhooks.outcomes import AttemptFailed, record_failure, record_success
from tests.support.world import START, after

POLICY = WebhookPolicy()

HOUR = 3600.0


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

    def enable(self, at: float) -> list[Request]:
        with transaction():
            return endpoints.enable(
                endpoints.lock(self.organization_id, self.id), after(at), POLICY
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


def try_claim(delivery_id: UUID, at: float) -> ClaimedDelivery | None:
    """Claim a row for its next attempt, as a worker does with its message."""
    return claim(delivery_id, row(delivery_id)["tries"] + 1, after(at), POLICY)


def begin(delivery_id: UUID, at: float) -> ClaimedDelivery:
    """Claim a row that can be claimed now."""
    claimed = try_claim(delivery_id, at)
    assert claimed is not None
    return claimed


def succeed(claimed: ClaimedDelivery, at: float) -> list[Request]:
    return list(record_success(claimed, Attempt(after(at), 5, 200, None, ""), after(at)).following)


def fail(
    claimed: ClaimedDelivery, at: float, *, status: int = 500, retry_after: str | None = None
) -> tuple[Result, list[Request]]:
    failed = Attempt(after(at), 5, status, f"answered {status}", "")
    return record_failure(AttemptFailed(claimed, failed, retry_after=retry_after), after(at))


def due(at: float) -> list[Request]:
    with transaction():
        return pending_deliveries.find_due(until=after(at), limit=500)


def probes(at: float) -> list[Request]:
    with transaction():
        return pending_deliveries.find_probes(until=after(at), limit=500)


def break_circuit(endpoint: WebhookEndpoint, at: float = 0) -> None:
    """Fail five new rows, and delete them and their attempts."""
    for delivery_id in endpoint.add(5):
        fail(begin(delivery_id, at), at)
    with transaction():
        execute("delete from delivery_attempts")
        execute("delete from deliveries where endpoint_id = %(id)s", {"id": endpoint.id})
