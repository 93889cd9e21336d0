"""Attempts that are accepted or refused."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from standardwebhooks import Webhook

from models.database import execute, transaction
from services.webhooks.outcomes import AcceptedDelivery
from tests.support.webhooks.outbox import Outbox, Receiver


def test_an_accepted_webhook_is_recorded_as_delivered_with_its_attempt(
    outbox: Outbox, receiver: Receiver
) -> None:
    started_at = datetime.now(UTC)
    accepted = outbox.attempt(1)
    assert accepted is not None
    assert accepted.claimed.delivery.company == "Acme"
    row = outbox.row
    assert (row["state"], row["attempts"]) == ("delivered", 1)
    assert row["lease_token"] is None
    assert row["next_attempt_at"] is None
    assert started_at <= row["finished_at"] <= datetime.now(UTC)
    [attempt] = outbox.log
    assert attempt["delivery_id"] == outbox.delivery_id
    assert attempt["organization_id"] == outbox.organization_id
    assert (attempt["attempt"], attempt["status_code"], attempt["error"]) == (1, 200, None)
    assert attempt["response"] == "thanks"
    assert started_at <= attempt["at"] <= datetime.now(UTC)
    assert 0 <= attempt["duration_ms"] < 5_000
    assert len(receiver.requests) == 1


def test_the_official_library_verifies_a_received_webhook(
    outbox: Outbox, receiver: Receiver
) -> None:
    outbox.attempt(1)
    [(headers, body)] = receiver.requests
    payload = Webhook(outbox.secret).verify(body, headers)
    assert body.decode() == outbox.row["payload"]
    assert payload["event"] == "health_score_changed"
    assert payload["company"]["id"] == "acme"
    assert headers["webhook-id"] == payload["id"] == outbox.row["message_id"]


def test_a_delivered_webhook_is_not_sent_again(outbox: Outbox, receiver: Receiver) -> None:
    outbox.attempt(1)
    for number in (1, 2):
        assert outbox.attempt(number) is None
    assert len(receiver.requests) == 1
    assert outbox.due(datetime.now(UTC) + timedelta(days=30)) == []


def test_concurrent_workers_with_the_same_message_make_one_attempt(
    outbox: Outbox, receiver: Receiver
) -> None:
    start = threading.Barrier(4)

    def work() -> AcceptedDelivery | None:
        start.wait(5)
        return outbox.attempt(1)

    with ThreadPoolExecutor(4) as workers:
        attempts = [future.result() for future in [workers.submit(work) for _ in range(4)]]
    assert sum(attempt is not None for attempt in attempts) == 1
    assert len(receiver.requests) == 1


def test_a_delivery_that_does_not_exist_is_ignored(outbox: Outbox) -> None:
    outbox.delivery_id = UUID(int=0)
    assert outbox.attempt(1) is None


def test_a_failed_attempt_is_logged_and_the_next_is_due_about_five_seconds_later(
    outbox: Outbox, receiver: Receiver
) -> None:
    receiver.answers = [(503, {}, b"busy")]
    failed = outbox.attempt_and_retry(1)
    failed_at = datetime.now(UTC)
    assert str(failed) == "answered 503"
    row = outbox.row
    assert (row["state"], row["attempts"]) == ("waiting", 1)
    assert row["lease_token"] is None
    assert row["finished_at"] is None
    wait = row["next_attempt_at"] - failed_at
    assert timedelta(seconds=3) < wait <= timedelta(seconds=6)
    [attempt] = outbox.log
    assert (attempt["attempt"], attempt["status_code"]) == (1, 503)
    assert (attempt["error"], attempt["response"]) == ("answered 503", "busy")
    assert outbox.due(row["next_attempt_at"] - timedelta(microseconds=1)) == []
    assert outbox.due(row["next_attempt_at"]) == [(outbox.delivery_id, 2)]


def test_an_unreachable_endpoint_is_a_failed_attempt_without_a_status(
    outbox: Outbox,
) -> None:
    with transaction():
        execute("update webhook_endpoints set url = 'http://127.0.0.1:1/hook'")
    outbox.attempt_and_retry(1)
    [attempt] = outbox.log
    assert attempt["status_code"] is None
    assert attempt["error"] == "connection refused"
    assert outbox.row["state"] == "waiting"


def test_the_next_attempt_waits_for_retry_after(outbox: Outbox, receiver: Receiver) -> None:
    receiver.answers = [(429, {"Retry-After": "3600"}, b"")]
    outbox.attempt_and_retry(1)
    wait = outbox.row["next_attempt_at"] - datetime.now(UTC)
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)


@pytest.mark.parametrize(
    "raw_answer",
    [
        b"\x00\x01\x02\x03",
        b"HTTP/1.1 \x00 OK\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 503 No\r\nRetry-After: Mon, 01 Jan 99999999999 00:00:00 GMT\r\n\r\n",
        b"HTTP/1.1 500 No\r\nContent-Length: 6\r\n\r\n\x00\xed\xa0\x80\xff\n",
    ],
)
def test_after_any_answer_the_attempt_is_counted_and_the_next_is_scheduled(
    outbox: Outbox, receiver: Receiver, raw_answer: bytes
) -> None:
    receiver.raw_answer = raw_answer
    outbox.attempt_and_retry(1)
    row = outbox.row
    assert (row["state"], row["attempts"], row["lease_token"]) == ("waiting", 1, None)
    assert row["next_attempt_at"] < datetime.now(UTC) + timedelta(seconds=7)
    assert len(outbox.log) == 1


def test_a_url_with_an_invalid_host_is_a_failed_attempt_like_any_other(outbox: Outbox) -> None:
    with transaction():
        execute("update webhook_endpoints set url = 'https://a..b/hook'")
    outbox.attempt_and_retry(1)
    assert (outbox.row["state"], outbox.row["attempts"]) == ("waiting", 1)


def test_a_repeated_message_does_not_make_the_next_attempt_before_its_time(
    outbox: Outbox, receiver: Receiver
) -> None:
    receiver.answers = [(500, {}, b"")]
    outbox.attempt_and_retry(1)
    before = outbox.row
    assert outbox.attempt_and_retry(1) is None
    assert outbox.row == before
    assert len(receiver.requests) == 1


def test_a_later_attempt_sends_the_same_message_with_a_new_signature(
    outbox: Outbox, receiver: Receiver
) -> None:
    receiver.answers = [(500, {}, b""), (200, {}, b"")]
    outbox.attempt_and_retry(1)
    outbox.attempt_and_retry(2)
    (first_headers, first_body), (second_headers, second_body) = receiver.requests
    assert first_body == second_body
    assert first_headers["webhook-id"] == second_headers["webhook-id"]
    Webhook(outbox.secret).verify(second_body, second_headers)
    assert outbox.row["state"] == "delivered"
    assert [a["status_code"] for a in outbox.log] == [500, 200]


def test_after_ten_attempts_a_delivery_has_failed(outbox: Outbox, receiver: Receiver) -> None:
    receiver.answers = [(500, {}, b"")]
    for number in range(1, 11):
        assert outbox.row["state"] == "waiting"
        outbox.attempt_and_retry(number)
        close_circuit(outbox)
    row = outbox.row
    assert (row["state"], row["attempts"], row["tries"]) == ("failed", 10, 10)
    assert row["next_attempt_at"] is None
    assert row["finished_at"] is not None
    assert [a["attempt"] for a in outbox.log] == list(range(1, 11))
    assert outbox.attempt_and_retry(11) is None
    assert len(receiver.requests) == 10
    assert outbox.due(datetime.now(UTC) + timedelta(days=30)) == []


def close_circuit(outbox: Outbox) -> None:
    """Reset the count of failures, because the fifth in a row opens the circuit."""
    with transaction():
        execute("update webhook_endpoints set failures = 0, probe_at = null, probe_pause = null")


def test_the_fifth_failure_in_a_row_opens_the_circuit_and_the_sixth_attempt_waits_for_it(
    outbox: Outbox, receiver: Receiver
) -> None:
    receiver.answers = [(500, {}, b"")]
    for number in range(1, 6):
        outbox.attempt_and_retry(number)
    assert (outbox.row["attempts"], outbox.row["parked"]) == (5, False)
    assert outbox.attempt_and_retry(6) is None
    row = outbox.row
    assert (row["state"], row["parked"], row["attempts"]) == ("waiting", True, 5)
    assert len(receiver.requests) == 5


@pytest.mark.parametrize("wrong", [(Fernet.generate_key().decode(),), ()])
def test_without_the_right_secret_key_nothing_is_sent_and_the_failure_is_recorded(
    outbox: Outbox, receiver: Receiver, wrong: tuple[str, ...]
) -> None:
    assert outbox.attempt_and_retry(1, secret_keys=wrong) is not None
    assert receiver.requests == []
    assert (outbox.row["state"], outbox.row["attempts"]) == ("waiting", 1)
    [attempt] = outbox.log
    assert attempt["status_code"] is None
    assert "BRAZEBEE_SECRET_KEY" in attempt["error"]
    rotated = (Fernet.generate_key().decode(), *outbox.settings.secret_keys)
    assert outbox.attempt(2, secret_keys=rotated) is not None
    assert len(receiver.requests) == 1
