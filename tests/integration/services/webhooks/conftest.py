"""Endpoints without a receiver, receivers, and deliveries to them."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from config.settings import Settings
from config.webhook_policy import WebhookPolicy
from models.database import transaction
from models.organizations import organizations
from models.webhooks import webhook_endpoints
from services.webhooks.addresses import AddressPolicy
from tests.support.evaluations import FEW_LOGINS
from tests.support.webhooks.endpoints import WebhookEndpoint, add_endpoint
from tests.support.webhooks.outbox import Outbox, Receiver
from tests.support.webhooks.receivers_under_test import (
    IN_TIME_SECONDS,
    LOOPBACK,
    Outcome,
    Send,
    attempt,
    new_delivery,
    outcome_of,
)
from tests.support.world import World


@pytest.fixture
def two_endpoints(settings: Settings) -> tuple[WebhookEndpoint, WebhookEndpoint]:
    with transaction():
        organization_id = organizations.create("o").id
        return (add_endpoint(organization_id, settings), add_endpoint(organization_id, settings))


@pytest.fixture
def endpoint(two_endpoints: tuple[WebhookEndpoint, WebhookEndpoint]) -> WebhookEndpoint:
    return two_endpoints[0]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            running.requests.append((dict(self.headers.items()), body))
            if running.raw_answer is not None:
                self.wfile.write(running.raw_answer)
                self.close_connection = True
                return
            answers = running.answers
            status, headers, answer = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: Any) -> None:
            del args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        running = Receiver(f"http://127.0.0.1:{server.server_port}/hook")
        serving = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        serving.start()
        yield running
        server.shutdown()
        serving.join(5)


@pytest.fixture
def outbox(settings: Settings, receiver: Receiver) -> Outbox:
    """A company that has just become At Risk, with the webhook for it."""
    world = World.create(FEW_LOGINS, start=datetime.now(UTC))
    with transaction():
        endpoint_id, secret = webhook_endpoints.add(
            world.id, receiver.url, secret_keys=settings.secret_keys
        )
    world.track("acme")
    [delivery_id] = world.judge("acme")
    return Outbox(settings, world.id, endpoint_id, secret, delivery_id)


@pytest.fixture
def send(settings: Settings) -> Send:
    """Make the first attempt of a new delivery to a URL, as the actor and its middleware do."""

    def make_attempt(url: str, policy: AddressPolicy = LOOPBACK) -> Outcome:
        delivery_id = new_delivery(url, settings)
        started = time.monotonic()
        attempt(delivery_id, 1, policy, settings)
        assert time.monotonic() - started < IN_TIME_SECONDS
        outcome = outcome_of(delivery_id)
        assert outcome.row["lease_token"] is None
        assert outcome.attempt["duration_ms"] < IN_TIME_SECONDS * 1000
        assert (
            len((outcome.attempt["response"] or "").encode()) <= 3 * WebhookPolicy().response_bytes
        )
        return outcome

    return make_attempt
