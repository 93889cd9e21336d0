"""Leases of deliveries, and endpoints that are removed."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Timer
from uuid import UUID

from config.webhook_policy import LEASE, WebhookPolicy
from models.database import execute, query, transaction
from models.organizations import organizations
from models.webhooks import deliveries, webhook_endpoints
from models.webhooks.deliveries import Attempt, NewDelivery
from services.webhooks import endpoints
from services.webhooks.claims import claim
from services.webhooks.deadlines import STOPPED, stop_attempts
from services.webhooks.outcomes import AttemptFailed, record_failure, record_success
from tests.support.webhooks.outbox import Outbox, Receiver
from tests.support.webhooks.raw_receivers import never_answering, receiver
from tests.support.webhooks.receivers_under_test import Send

POLICY = WebhookPolicy()


def test_a_claimed_row_cannot_be_claimed_again_for_a_minute(outbox: Outbox) -> None:
    claimed_at = datetime.now(UTC)
    first = claim(outbox.request(1), claimed_at, POLICY)
    assert first is not None
    assert claim(outbox.request(1), claimed_at, POLICY) is None
    end = claimed_at + LEASE
    assert claim(outbox.request(1), end - timedelta(microseconds=1), POLICY) is None
    second = claim(outbox.request(1), end, POLICY)
    assert second is not None
    assert timedelta(seconds=60) == LEASE
    assert second.delivery.tries == first.delivery.tries == 0
    assert second.token != first.token


def test_the_clock_enqueues_the_delivery_of_a_killed_worker_again(outbox: Outbox) -> None:
    claimed_at = datetime.now(UTC)
    claim(outbox.request(1), claimed_at, POLICY)
    assert outbox.due(claimed_at + LEASE - timedelta(microseconds=1)) == []
    assert outbox.due(claimed_at + LEASE) == [(outbox.delivery_id, 1)]


def test_a_worker_that_lost_its_lease_does_not_change_the_row(outbox: Outbox) -> None:
    now = datetime.now(UTC)
    refused = Attempt(now, 5, 500, "answered 500", "late")
    accepted = Attempt(now, 5, 200, None, "thanks")
    slow = claim(outbox.request(1), now, POLICY)
    quick = claim(outbox.request(1), now + LEASE, POLICY)
    assert slow is not None
    assert quick is not None
    record_failure(AttemptFailed(slow, refused), now)
    assert outbox.row["lease_token"] == quick.token
    assert outbox.log == []
    record_success(quick, accepted, now)
    assert (outbox.row["state"], outbox.row["attempts"]) == ("delivered", 1)
    assert any(a["status_code"] == 200 for a in outbox.log), (
        "the attempt that decided is in the log"
    )


def remove_endpoint(outbox: Outbox) -> None:
    with transaction():
        endpoint = webhook_endpoints.lock(outbox.organization_id, outbox.endpoint_id)
        assert endpoint is not None
        endpoints.remove(endpoint)


def test_removing_an_endpoint_cancels_its_waiting_deliveries(
    outbox: Outbox, receiver: Receiver
) -> None:
    remove_endpoint(outbox)
    row = outbox.row
    assert (row["state"], row["next_attempt_at"]) == ("cancelled", None)
    assert row["finished_at"] is not None
    assert outbox.attempt(1) is None
    assert receiver.requests == []


def test_an_attempt_in_flight_does_not_revive_a_cancelled_delivery(outbox: Outbox) -> None:
    now = datetime.now(UTC)
    claimed = claim(outbox.request(1), now, POLICY)
    assert claimed is not None
    remove_endpoint(outbox)
    refused = Attempt(now, 5, 500, "answered 500", "")
    _, following = record_failure(AttemptFailed(claimed, refused), now)
    assert outbox.row["state"] == "cancelled"
    assert len(outbox.log) == 1
    assert following == []


def test_another_organization_cannot_reach_an_endpoint(outbox: Outbox) -> None:
    with transaction():
        stranger = organizations.create("stranger").id
        assert webhook_endpoints.lock(stranger, outbox.endpoint_id) is None
        assert deliveries.lock(stranger, outbox.delivery_id) is None
    request = outbox.request(1)._replace(organization_id=stranger)
    assert claim(request, datetime.now(UTC), POLICY) is None
    assert outbox.row["state"] == "waiting"


def test_a_delivery_written_while_its_endpoint_is_removed_is_not_sent(
    outbox: Outbox, receiver: Receiver
) -> None:
    transition_id = outbox.row["transition_id"]
    with transaction():
        execute("delete from deliveries")
    written = threading.Event()
    removed = threading.Event()

    def write() -> UUID:
        with transaction():
            [endpoint] = webhook_endpoints.lock_subscribed(outbox.organization_id)
            new = NewDelivery(
                outbox.organization_id, endpoint.id, transition_id, "msg_1", "{}", datetime.now(UTC)
            )
            delivery_id = deliveries.add(new)
            written.set()
            removed.wait(1)  # not longer, since the removal may wait for this transaction
        return delivery_id

    with ThreadPoolExecutor(1) as worker:
        writing = worker.submit(write)
        assert written.wait(5)
        remove_endpoint(outbox)
        removed.set()
        outbox.delivery_id = writing.result(5)
    assert outbox.attempt(1) is None
    assert receiver.requests == []


def test_a_stopped_attempt_is_due_at_once_and_no_fault_of_the_endpoint(send: Send) -> None:
    with receiver(never_answering) as server:
        Timer(0.5, stop_attempts).start()
        outcome = send(server.url)
    assert outcome.attempt["error"] == STOPPED
    assert outcome.attempt["duration_ms"] < 3_000
    row = outcome.row
    assert (row["state"], row["tries"], row["attempts"], row["parked"]) == ("waiting", 1, 0, False)
    assert row["next_attempt_at"] <= datetime.now(UTC)
    with transaction():
        endpoints = query("select failures, probe_at from webhook_endpoints")
    assert endpoints == [{"failures": 0, "probe_at": None}]
