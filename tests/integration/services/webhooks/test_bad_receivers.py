"""A house of bad receivers: whatever they do, the delivery ends in the right state, and in time.

What the transport makes of each kind of answer, in all its variants, is in
`test_webhook_transport.py`; here each goes through an attempt and the retry middleware.
"""

import gzip
import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import UUID

import pytest
import redis
from dramatiq import MessageProxy
from dramatiq.brokers.stub import StubBroker

from actors.retries import WebhookRetries
from config.settings import Settings
from config.webhook_policy import WebhookPolicy
from models.database import query, transaction
from models.organizations import organizations
from models.webhooks import deliveries, webhook_endpoints
from models.webhooks.deliveries import NewDelivery
from queues import messages
from services.webhooks.addresses import Address, AddressPolicy
from services.webhooks.delivery import attempt_delivery
from services.webhooks.metrics import WebhookCounters
from services.webhooks.outcomes import AttemptFailed
from services.webhooks.transport import Transport
from tests.support.raw_receivers import (
    CHUNK,
    OK,
    Behaviour,
    Receiver,
    answering,
    endless,
    free_port,
    never_answering,
    receiver,
    self_signed_tls,
)

LOOPBACK = AddressPolicy([ipaddress.ip_network("127.0.0.0/8")])
TOTAL_SECONDS = 1.0
IN_TIME_SECONDS = 2.5
"""The bound, and what a busy machine may need on top of it."""


@dataclass
class Outcome:
    """What became of one attempt: its row, the endpoint, what was logged, and when it ended."""

    row: dict[str, Any]
    endpoint: dict[str, Any]
    attempt: dict[str, Any]
    ended_at: datetime

    @property
    def wait(self) -> timedelta:
        wait: timedelta = self.row["next_attempt_at"] - self.ended_at
        return wait

    def is_scheduled_anew(self) -> None:
        """As after any first attempt that failed: about five seconds later."""
        assert (self.row["state"], self.row["attempts"]) == ("waiting", 1)
        assert not self.row["parked"]
        assert timedelta(seconds=2) < self.wait <= timedelta(seconds=6)
        assert (self.endpoint["failures"], self.endpoint["disabled_at"]) == (1, None)


Send = Callable[..., Outcome]


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


def new_delivery(url: str, settings: Settings) -> UUID:
    with transaction():
        organization_id = organizations.create("o").id
        endpoint_id, _ = webhook_endpoints.add(
            organization_id, url, secret_keys=settings.secret_keys
        )
        new = NewDelivery(organization_id, endpoint_id, None, "msg_1", "{}")
        return deliveries.add(new, datetime.now(UTC))


def attempt(delivery_id: UUID, number: int, policy: AddressPolicy, settings: Settings) -> None:
    transport = Transport(policy, WebhookPolicy(timeout=timedelta(seconds=TOTAL_SECONDS)))
    failed = None
    try:
        attempt_delivery(delivery_id, number, transport=transport, secret_keys=settings.secret_keys)
    except AttemptFailed as error:
        failed = error
    message = MessageProxy(messages.deliver(delivery_id, number))
    with redis.Redis.from_url(settings.redis_url) as client:
        retries = WebhookRetries(WebhookCounters(client))
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


def answer(status: str, *headers: str) -> Behaviour:
    lines = [f"HTTP/1.1 {status}", *headers, "Content-Length: 0", "", ""]
    return answering("\r\n".join(lines).encode())


# Receivers that give no answer


def drip_headers(server: Receiver, connection: socket.socket) -> None:
    server.send(connection, b"HTTP/1.1 200 OK\r\n")
    server.drip(connection, b"X-More: yes\r\n")


def headers_and_then_a_byte_at_a_time(server: Receiver, connection: socket.socket) -> None:
    server.send(connection, b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    server.drip(connection, b"a")


@pytest.mark.parametrize(
    "behave", [never_answering, drip_headers, headers_and_then_a_byte_at_a_time]
)
def test_a_receiver_that_never_comes_to_an_end_costs_an_attempt_and_its_bound_of_time(
    send: Send, behave: Behaviour
) -> None:
    with receiver(behave) as server:
        outcome = send(server.url)
    outcome.is_scheduled_anew()
    assert outcome.attempt["error"] == "no answer within 1 s"
    assert outcome.attempt["status_code"] is None
    assert outcome.attempt["duration_ms"] >= TOTAL_SECONDS * 1000 - 50


def test_a_receiver_that_refuses_connections_costs_an_attempt(send: Send) -> None:
    outcome = send(f"http://127.0.0.1:{free_port()}/hook")
    outcome.is_scheduled_anew()
    assert outcome.attempt["error"] == "connection refused"
    assert outcome.attempt["status_code"] is None


@pytest.mark.parametrize("cut_off", [b"", b"HTTP/1.1 20", b"HTTP/1.1"])
def test_an_answer_cut_off_in_the_middle_of_its_status_line_costs_an_attempt(
    send: Send, cut_off: bytes
) -> None:
    with receiver(answering(cut_off)) as server:
        outcome = send(server.url)
    outcome.is_scheduled_anew()
    assert outcome.attempt["error"]


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return self_signed_tls(tmp_path_factory.mktemp("tls"))


def test_a_certificate_that_nobody_vouches_for_costs_an_attempt_and_nothing_is_sent(
    send: Send, self_signed: ssl.SSLContext
) -> None:
    with receiver(answering(OK), tls=self_signed) as server:
        outcome = send(f"https://localhost:{server.port}/hook")
    outcome.is_scheduled_anew()
    assert "certificate verify failed" in outcome.attempt["error"]
    assert server.seen == []


# Receivers that send too much


@pytest.mark.parametrize(
    ("status", "state"), [(b"200 OK", "delivered"), (b"500 No", "waiting"), (b"302 No", "waiting")]
)
def test_an_endless_body_is_cut_after_16_kib_and_its_status_counts(
    send: Send, status: bytes, state: str
) -> None:
    with receiver(endless(b"HTTP/1.1 " + status + b"\r\n\r\n", CHUNK)) as server:
        outcome = send(server.url)
    assert (outcome.row["state"], outcome.row["attempts"]) == (state, 1)
    assert outcome.attempt["response"] == "a" * WebhookPolicy().response_bytes


@pytest.fixture(scope="module")
def gzip_bomb() -> bytes:
    """A few hundred kilobytes that unpack to 300 megabytes."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        for _ in range(300):
            file.write(b"0" * 1_000_000)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("status", "state"), [("200 OK", "delivered"), ("503 Busy", "waiting"), ("307 No", "waiting")]
)
def test_a_gzip_bomb_is_kept_as_it_came_16_kib_of_it(
    send: Send, gzip_bomb: bytes, status: str, state: str
) -> None:
    lines = f"Content-Encoding: gzip\r\nContent-Length: {len(gzip_bomb)}\r\n\r\n"
    head = f"HTTP/1.1 {status}\r\nLocation: /elsewhere\r\n{lines}"
    with receiver(answering(head.encode() + gzip_bomb)) as server:
        outcome = send(server.url)
    assert (outcome.row["state"], outcome.row["attempts"]) == (state, 1)
    kept = gzip_bomb[: WebhookPolicy().response_bytes].decode("utf-8", "replace")
    assert outcome.attempt["response"] == kept.replace("\x00", "\N{REPLACEMENT CHARACTER}")


# Receivers that refuse


@dataclass(frozen=True)
class NotedNames(AddressPolicy):
    """Remembers every host that is looked up."""

    hosts: list[str] = field(default_factory=list)

    def resolve(self, host: str, port: int, *, secure: bool) -> list[Address]:
        self.hosts.append(host)
        return super().resolve(host, port, secure=secure)


@pytest.mark.parametrize("status", ["300 Many", "301 Moved", "302 Found", "307 No", "308 No"])
@pytest.mark.parametrize(
    "headers",
    [
        [],
        ["Location: http://169.254.169.254/latest/meta-data/"],
        ["Location: http://10.0.0.1/"],
        ["Location: https://[::1]/"],
        ["Location: http://127.0.0.2/"],
        ["Location: /elsewhere"],
        ["Location: //elsewhere.example/"],
        ["Refresh: 0; url=http://127.0.0.2/"],
    ],
)
def test_a_redirect_costs_an_attempt_and_nobody_looks_where_it_leads(
    send: Send, status: str, headers: list[str]
) -> None:
    policy = NotedNames(LOOPBACK.allowed_nets)
    with receiver(answer(status, *headers)) as server:
        outcome = send(server.url, policy)
        assert len(server.seen) == 1
    outcome.is_scheduled_anew()
    assert outcome.attempt["error"] == f"answered {status[:3]}"
    assert policy.hosts == ["127.0.0.1"]


@pytest.mark.parametrize("status", ["500 No", "400 No", "404 No", "599 No"])
def test_a_refusal_costs_an_attempt(send: Send, status: str) -> None:
    with receiver(answer(status)) as server:
        outcome = send(server.url)
    outcome.is_scheduled_anew()
    assert outcome.attempt["status_code"] == int(status[:3])


def test_410_disables_the_endpoint_and_keeps_the_row(send: Send) -> None:
    with receiver(answer("410 Gone")) as server:
        outcome = send(server.url)
    row = outcome.row
    assert (row["state"], row["attempts"], row["next_attempt_at"]) == ("paused", 1, None)
    assert outcome.endpoint["disabled_at"] is not None
    assert outcome.endpoint["disabled_because"] == "it answered 410 Gone"


@pytest.mark.parametrize("status", ["429 Slow", "503 Busy"])
@pytest.mark.parametrize(
    ("asked", "wait"),
    [
        ("3600", timedelta(hours=1)),
        (timedelta(hours=2), timedelta(hours=2)),
        ("999999999", timedelta(hours=24)),
        (timedelta(days=30), timedelta(hours=24)),
    ],
)
def test_a_receiver_that_asks_for_time_gets_it_up_to_a_day(
    send: Send, status: str, asked: str | timedelta, wait: timedelta
) -> None:
    if isinstance(asked, timedelta):
        asked = format_datetime(datetime.now(UTC) + asked, usegmt=True)
    with receiver(answer(status, f"Retry-After: {asked}")) as server:
        outcome = send(server.url)
    assert (outcome.row["state"], outcome.row["attempts"]) == ("waiting", 1)
    assert wait - timedelta(seconds=10) < outcome.wait <= wait


@pytest.mark.parametrize(
    "asked", ["-1", "soon", "", "Thu, 01 Jan 1970 00:00:00 GMT", "Mon, 99 Jan 2026 00:00:00 GMT"]
)
def test_a_retry_after_that_asks_for_nothing_changes_nothing(send: Send, asked: str) -> None:
    with receiver(answer("429 Slow", f"Retry-After: {asked}")) as server:
        send(server.url).is_scheduled_anew()


# Names that change


@dataclass
class Names:
    """A resolver that answers in turn, the last answer for ever; `asked` counts look-ups."""

    answers: list[Sequence[str]] = field(default_factory=list)
    asked: int = 0

    def look_up(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        assert host == "rebinding.example"
        self.asked += 1
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        kinds = {True: socket.AF_INET6, False: socket.AF_INET}
        return [
            (kinds[":" in address], socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    known = Names()
    real = socket.getaddrinfo

    def look_up(host: Any, *args: Any, **how: Any) -> Any:
        if host != "rebinding.example":
            return real(host, *args, **how)
        return known.look_up(host, *args, **how)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


PUBLIC = "93.184.216.34"
PUBLIC_6 = "2606:4700:4700::1111"


@pytest.mark.parametrize(
    "addresses",
    [
        [PUBLIC, "127.0.0.1"],
        ["127.0.0.1", PUBLIC],
        [PUBLIC_6, PUBLIC, "127.0.0.1"],
        [PUBLIC, "::1"],
        [PUBLIC, "::ffff:127.0.0.1"],
        [PUBLIC, "169.254.169.254"],
    ],
)
def test_a_name_with_a_public_and_a_private_address_is_connected_to_at_neither(
    send: Send, names: Names, addresses: list[str]
) -> None:
    names.answers = [addresses]
    with receiver(answering(OK), reads=False) as server:
        outcome = send(f"https://rebinding.example:{server.port}/hook", AddressPolicy())
    assert server.sent == 0, "nobody connected"
    outcome.is_scheduled_anew()
    assert "is not public" in outcome.attempt["error"]
    assert names.asked == 1


def test_a_name_that_answers_otherwise_the_next_time_is_asked_once_for_each_attempt(
    send: Send, names: Names
) -> None:
    allowed_only = AddressPolicy([ipaddress.ip_network("127.0.0.2/32")])
    names.answers = [["127.0.0.2"], ["127.0.0.1"]]
    with receiver(answering(OK)) as server:
        outcome = send(f"http://rebinding.example:{server.port}/hook", allowed_only)
        assert server.seen == []
    outcome.is_scheduled_anew()
    assert outcome.attempt["error"] == "connection refused", "by the address that was checked"
    assert names.asked == 1


def test_a_name_that_has_turned_to_loopback_by_the_next_attempt_is_refused_then(
    names: Names, settings: Settings
) -> None:
    policy = AddressPolicy([ipaddress.ip_network("127.0.0.2/32")])
    names.answers = [["127.0.0.2"], ["127.0.0.1"]]
    with receiver(answering(OK)) as server:
        delivery_id = new_delivery(f"http://rebinding.example:{server.port}/hook", settings)
        for number in (1, 2):
            attempt(delivery_id, number, policy, settings)
        assert server.seen == []
    outcome = outcome_of(delivery_id)
    assert outcome.attempt["error"].startswith("rebinding.example resolves to 127.0.0.1")
    assert (outcome.row["state"], outcome.row["attempts"]) == ("waiting", 2)
    assert names.asked == 2
