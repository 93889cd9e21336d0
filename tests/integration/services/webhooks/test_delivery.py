import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
import redis
from cryptography.fernet import Fernet
from dramatiq import MessageProxy
from dramatiq.brokers.stub import StubBroker
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from actors.retries import WebhookRetries
from config.settings import Settings
from config.webhook_policy import LEASE, WebhookPolicy
from models.database import execute, query, transaction
from models.organizations import organizations
from models.webhooks import deliveries, webhook_endpoints
from models.webhooks.deliveries import Attempt, NewDelivery
from queues import messages
from services.events.tracked_event import TrackedEvent
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks
from services.webhooks import endpoints
from services.webhooks.addresses import AddressPolicy
from services.webhooks.claims import claim
from services.webhooks.delivery import attempt_delivery
from services.webhooks.metrics import WebhookCounters
from services.webhooks.outcomes import (
    AcceptedDelivery,
    AttemptFailed,
    record_failure,
    record_success,
)
from services.webhooks.transport import Transport
from tests.support.in_transactions import evaluate, store

POLICY = WebhookPolicy()

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)

RULES = """
version: 1
events: {login: }
flags:
  - flag: Logs in
    event: login
    when: {At Risk: less than 2 times in 10 seconds}
"""


@dataclass
class Receiver:
    """A webhook receiver; `answers` are given in turn, the last one for ever."""

    url: str
    answers: list[tuple[int, dict[str, str], bytes]] = field(
        default_factory=lambda: [(200, {}, b"thanks")]
    )
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    raw_answer: bytes | None = None


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


@dataclass
class Outbox:
    """One waiting delivery, and what an attempt at it needs."""

    settings: Settings
    organization_id: int
    endpoint_id: UUID
    secret: str
    delivery_id: UUID

    def attempt(
        self, number: int, *, secret_keys: tuple[str, ...] | None = None
    ) -> AcceptedDelivery | None:
        """What the `deliver` actor does."""
        return attempt_delivery(
            self.delivery_id,
            number,
            transport=Transport(
                AddressPolicy(self.settings.webhook_allow_nets),
                WebhookPolicy(timeout=timedelta(seconds=5)),
            ),
            secret_keys=self.settings.secret_keys if secret_keys is None else secret_keys,
        )

    def attempt_and_retry(
        self, number: int, *, secret_keys: tuple[str, ...] | None = None
    ) -> AttemptFailed | None:
        """What the actor and its middleware do, up to a delivery or to the next attempt's time."""
        failed = None
        try:
            self.attempt(number, secret_keys=secret_keys)
        except AttemptFailed as error:
            failed = error
        broker = StubBroker(middleware=[])
        message = MessageProxy(messages.deliver(self.delivery_id, number))
        with redis.Redis.from_url(self.settings.redis_url) as client:
            retries = WebhookRetries(WebhookCounters(client))
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
            return deliveries.find_due(until=at, limit=10)


@pytest.fixture
def outbox(settings: Settings, receiver: Receiver) -> Outbox:
    """A company that has just become At Risk, and the webhook that says so."""
    with transaction():
        organization_id = organizations.create("o").id
        apply_rules(organization_id, RULES, file="rules.yaml", applied_by="test", now=T0)
        endpoint_id, secret = webhook_endpoints.add(
            organization_id, receiver.url, secret_keys=settings.secret_keys
        )
    now = datetime.now(UTC)
    [company_id] = store(
        [
            TrackedEvent(
                organization_id=organization_id,
                key_id=None,
                event_id="e1",
                event_key="login",
                company_id="acme",
                company={"name": "Acme"},
                user_id=None,
                user={},
                data=None,
                occurred_at=now,
                received_at=now,
            )
        ],
        RuleBooks(),
    )
    [delivery_id] = evaluate([company_id], RuleBooks(), now).written
    return Outbox(settings, organization_id, endpoint_id, secret, delivery_id)


# Accepted


def test_an_accepted_webhook_is_recorded_as_delivered_with_its_attempt(
    outbox: Outbox, receiver: Receiver
) -> None:
    started_at = datetime.now(UTC)
    done = outbox.attempt(1)
    assert done is not None
    assert done.claimed.delivery.company == "Acme"
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


def test_the_receiver_can_verify_what_it_gets_with_the_official_library(
    outbox: Outbox, receiver: Receiver
) -> None:
    outbox.attempt(1)
    [(headers, body)] = receiver.requests
    payload = Webhook(outbox.secret).verify(body, headers)
    assert body.decode() == outbox.row["payload"]
    assert payload["event"] == "health_score_changed"
    assert payload["company"]["id"] == "acme"
    assert headers["webhook-id"] == payload["id"] == outbox.row["message_id"]


def test_what_was_delivered_is_not_sent_again(outbox: Outbox, receiver: Receiver) -> None:
    outbox.attempt(1)
    for number in (1, 2):
        assert outbox.attempt(number) is None
    assert len(receiver.requests) == 1
    assert outbox.due(datetime.now(UTC) + timedelta(days=30)) == []


def test_two_workers_with_the_same_message_make_one_attempt(
    outbox: Outbox, receiver: Receiver
) -> None:
    start = threading.Barrier(4)

    def work() -> AcceptedDelivery | None:
        start.wait(5)
        return outbox.attempt(1)

    with ThreadPoolExecutor(4) as workers:
        made = [done.result() for done in [workers.submit(work) for _ in range(4)]]
    assert sum(done is not None for done in made) == 1
    assert len(receiver.requests) == 1


def test_a_delivery_that_does_not_exist_is_nothing_to_do(outbox: Outbox) -> None:
    outbox.delivery_id = UUID(int=0)
    assert outbox.attempt(1) is None


# Refused


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


def test_an_endpoint_that_is_not_there_is_a_failed_attempt_without_a_status(
    outbox: Outbox,
) -> None:
    with transaction():
        execute("update webhook_endpoints set url = 'http://127.0.0.1:1/hook'")
    outbox.attempt_and_retry(1)
    [attempt] = outbox.log
    assert attempt["status_code"] is None
    assert attempt["error"] == "connection refused"
    assert outbox.row["state"] == "waiting"


def test_retry_after_is_waited_out(outbox: Outbox, receiver: Receiver) -> None:
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
def test_whatever_an_endpoint_answers_the_attempt_is_counted_and_the_next_has_its_time(
    outbox: Outbox, receiver: Receiver, raw_answer: bytes
) -> None:
    receiver.raw_answer = raw_answer
    outbox.attempt_and_retry(1)
    row = outbox.row
    assert (row["state"], row["attempts"], row["lease_token"]) == ("waiting", 1, None)
    assert row["next_attempt_at"] < datetime.now(UTC) + timedelta(seconds=7)
    assert len(outbox.log) == 1


def test_a_url_whose_host_is_no_name_is_a_failed_attempt_like_any_other(outbox: Outbox) -> None:
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


def test_a_later_attempt_sends_the_same_message_signed_anew(
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


def test_after_ten_attempts_a_delivery_is_given_up(outbox: Outbox, receiver: Receiver) -> None:
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
    """As a success in between would: else the fifth failure in a row opens it."""
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
def test_a_wrong_secret_key_is_a_recorded_failure_and_nothing_is_sent_until_the_right_one_is_there(
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


# Leases


def test_a_claimed_row_is_nobody_elses_for_a_minute_and_anybodys_after(outbox: Outbox) -> None:
    claimed_at = datetime.now(UTC)
    first = claim(outbox.delivery_id, 1, claimed_at, POLICY)
    assert first is not None
    assert claim(outbox.delivery_id, 1, claimed_at, POLICY) is None
    end = claimed_at + LEASE
    assert claim(outbox.delivery_id, 1, end - timedelta(microseconds=1), POLICY) is None
    second = claim(outbox.delivery_id, 1, end, POLICY)
    assert second is not None
    assert timedelta(seconds=60) == LEASE
    assert second.delivery.tries == first.delivery.tries == 0
    assert second.token != first.token


def test_the_clock_asks_again_for_what_a_killed_worker_had_claimed(outbox: Outbox) -> None:
    claimed_at = datetime.now(UTC)
    claim(outbox.delivery_id, 1, claimed_at, POLICY)
    assert outbox.due(claimed_at + LEASE - timedelta(microseconds=1)) == []
    assert outbox.due(claimed_at + LEASE) == [(outbox.delivery_id, 1)]


def test_who_lost_the_lease_changes_the_row_no_more(outbox: Outbox) -> None:
    now = datetime.now(UTC)
    refused = Attempt(now, 5, 500, "answered 500", "late")
    accepted = Attempt(now, 5, 200, None, "thanks")
    slow = claim(outbox.delivery_id, 1, now, POLICY)
    quick = claim(outbox.delivery_id, 1, now + LEASE, POLICY)
    assert slow is not None
    assert quick is not None
    record_failure(AttemptFailed(slow, refused), now)
    assert outbox.row["lease_token"] == quick.token
    assert outbox.log == []
    record_success(quick, accepted, now)
    assert (outbox.row["state"], outbox.row["attempts"]) == ("delivered", 1)
    assert any(a["status_code"] == 200 for a in outbox.log), "what decided is in the log"


# Removed endpoints


def remove_endpoint(outbox: Outbox) -> None:
    with transaction():
        endpoint = webhook_endpoints.lock(outbox.organization_id, outbox.endpoint_id)
        assert endpoint is not None
        endpoints.remove(endpoint)


def test_removing_an_endpoint_cancels_what_waits_for_it(outbox: Outbox, receiver: Receiver) -> None:
    remove_endpoint(outbox)
    row = outbox.row
    assert (row["state"], row["next_attempt_at"]) == ("cancelled", None)
    assert row["finished_at"] is not None
    assert outbox.attempt(1) is None
    assert receiver.requests == []


def test_an_attempt_under_way_does_not_revive_what_was_cancelled(outbox: Outbox) -> None:
    now = datetime.now(UTC)
    claimed = claim(outbox.delivery_id, 1, now, POLICY)
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
    assert outbox.row["state"] == "waiting"


def test_what_is_written_while_its_endpoint_is_removed_is_not_sent(
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
                outbox.organization_id, endpoint.id, transition_id, "msg_1", json.dumps({})
            )
            delivery_id = deliveries.add(new, datetime.now(UTC))
            written.set()
            removed.wait(1)  # not for ever: removing may well wait for us
        return delivery_id

    with ThreadPoolExecutor(1) as worker:
        writing = worker.submit(write)
        assert written.wait(5)
        remove_endpoint(outbox)
        removed.set()
        outbox.delivery_id = writing.result(5)
    assert outbox.attempt(1) is None
    assert receiver.requests == []


# Secrets


def test_a_secret_is_stored_encrypted_only(outbox: Outbox) -> None:
    with transaction():
        [row] = query("select * from webhook_endpoints")
    assert outbox.secret.startswith("whsec_")
    assert outbox.secret.removeprefix("whsec_") not in json.dumps(row, default=str)
    assert webhook_endpoints.decrypt(row["encrypted_secret"], outbox.settings.secret_keys) == (
        outbox.secret
    )


def test_while_a_secret_is_rotated_both_sign_and_the_official_library_takes_either(
    outbox: Outbox, receiver: Receiver
) -> None:
    former, keys = outbox.secret, outbox.settings.secret_keys
    receiver.answers = [(500, {}, b"")]
    outbox.attempt_and_retry(1)
    with transaction():
        secret = webhook_endpoints.rotate_secret(
            outbox.endpoint_id,
            secret_keys=keys,
            former_until=datetime.now(UTC) + timedelta(hours=24),
        )
    outbox.attempt_and_retry(2)
    with transaction():
        execute("update webhook_endpoints set former_secret_until = now()")
    outbox.attempt_and_retry(3)
    verified = [
        [verifies(former, *request), verifies(secret, *request)] for request in receiver.requests
    ]
    assert verified == [[True, False], [True, True], [False, True]]


def verifies(secret: str, headers: dict[str, str], body: bytes) -> bool:
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True
