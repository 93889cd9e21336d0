"""A worker that stops hangs up on receivers that have not answered, and hands deliveries back."""

from datetime import UTC, datetime
from threading import Timer

from models.database import query, transaction
from services.webhooks.deadlines import STOPPED, stop_attempts
from tests.support.webhooks.raw_receivers import never_answering, receiver
from tests.support.webhooks.receivers_under_test import Send


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
