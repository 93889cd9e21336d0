"""Whatever a receiver does, the delivery reaches the right state in time.

`test_transport.py` and `test_transport_limits.py` test the transport with all variants of an
answer; here each kind goes through an attempt and the retry middleware.
"""

import gzip
import io
import socket
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from config.webhook_policy import WebhookPolicy
from services.webhooks.addresses import Address, AddressPolicy
from tests.support.ports import free_port
from tests.support.webhooks.raw_receivers import (
    CHUNK,
    OK,
    Behaviour,
    Receiver,
    answering,
    endless,
    never_answering,
    receiver,
    self_signed_tls,
)
from tests.support.webhooks.receivers_under_test import LOOPBACK, TOTAL_SECONDS, Send


def answer(status: str, *headers: str) -> Behaviour:
    lines = [f"HTTP/1.1 {status}", *headers, "Content-Length: 0", "", ""]
    return answering("\r\n".join(lines).encode())


def drip_headers(server: Receiver, connection: socket.socket) -> None:
    server.send(connection, b"HTTP/1.1 200 OK\r\n")
    server.drip(connection, b"X-More: yes\r\n")


def drip_body(server: Receiver, connection: socket.socket) -> None:
    server.send(connection, b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    server.drip(connection, b"a")


@pytest.mark.parametrize("behave", [never_answering, drip_headers, drip_body])
def test_a_receiver_that_never_ends_its_response_fails_the_attempt_within_the_time_limit(
    send: Send, behave: Behaviour
) -> None:
    with receiver(behave) as server:
        outcome = send(server.url)
    outcome.assert_scheduled_again()
    assert outcome.attempt["error"] == "no answer within 1 s"
    assert outcome.attempt["status_code"] is None
    assert outcome.attempt["duration_ms"] >= TOTAL_SECONDS * 1000 - 50


def test_a_receiver_that_refuses_connections_fails_the_attempt(send: Send) -> None:
    outcome = send(f"http://127.0.0.1:{free_port()}/hook")
    outcome.assert_scheduled_again()
    assert outcome.attempt["error"] == "connection refused"
    assert outcome.attempt["status_code"] is None


@pytest.mark.parametrize("cut_off", [b"", b"HTTP/1.1 20", b"HTTP/1.1"])
def test_a_response_cut_off_in_its_status_line_fails_the_attempt(
    send: Send, cut_off: bytes
) -> None:
    with receiver(answering(cut_off)) as server:
        outcome = send(server.url)
    outcome.assert_scheduled_again()
    assert outcome.attempt["error"]


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return self_signed_tls(tmp_path_factory.mktemp("tls"))


def test_an_untrusted_certificate_fails_the_attempt_and_nothing_is_sent(
    send: Send, self_signed: ssl.SSLContext
) -> None:
    with receiver(answering(OK), tls=self_signed) as server:
        outcome = send(f"https://localhost:{server.port}/hook")
    outcome.assert_scheduled_again()
    assert "certificate verify failed" in outcome.attempt["error"]
    assert server.requests == []


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
    """Return a few hundred kilobytes that inflate to 300 megabytes."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        for _ in range(300):
            file.write(b"0" * 1_000_000)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("status", "state"), [("200 OK", "delivered"), ("503 Busy", "waiting"), ("307 No", "waiting")]
)
def test_the_first_16_kib_of_a_gzip_bomb_are_kept_compressed(
    send: Send, gzip_bomb: bytes, status: str, state: str
) -> None:
    lines = f"Content-Encoding: gzip\r\nContent-Length: {len(gzip_bomb)}\r\n\r\n"
    head = f"HTTP/1.1 {status}\r\nLocation: /elsewhere\r\n{lines}"
    with receiver(answering(head.encode() + gzip_bomb)) as server:
        outcome = send(server.url)
    assert (outcome.row["state"], outcome.row["attempts"]) == (state, 1)
    stored = gzip_bomb[: WebhookPolicy().response_bytes].decode("utf-8", "replace")
    assert outcome.attempt["response"] == stored.replace("\x00", "\N{REPLACEMENT CHARACTER}")


@dataclass(frozen=True)
class RecordedNames(AddressPolicy):
    """Records every host that is resolved."""

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
def test_a_redirect_fails_the_attempt_and_its_target_is_not_resolved(
    send: Send, status: str, headers: list[str]
) -> None:
    policy = RecordedNames(LOOPBACK.allowed_nets)
    with receiver(answer(status, *headers)) as server:
        outcome = send(server.url, policy)
        assert len(server.requests) == 1
    outcome.assert_scheduled_again()
    assert outcome.attempt["error"] == f"answered {status[:3]}"
    assert policy.hosts == ["127.0.0.1"]


@pytest.mark.parametrize("status", ["500 No", "400 No", "404 No", "599 No"])
def test_an_error_status_fails_the_attempt(send: Send, status: str) -> None:
    with receiver(answer(status)) as server:
        outcome = send(server.url)
    outcome.assert_scheduled_again()
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
def test_retry_after_is_respected_up_to_a_day(
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
def test_a_retry_after_without_a_future_time_is_ignored(send: Send, asked: str) -> None:
    with receiver(answer("429 Slow", f"Retry-After: {asked}")) as server:
        send(server.url).assert_scheduled_again()


@pytest.mark.parametrize(
    "interim",
    [
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n" * 3 + b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
@pytest.mark.parametrize(
    ("final", "state"), [(b"200 OK", "delivered"), (b"500 No", "waiting")], ids=["200", "500"]
)
def test_the_final_response_decides_whatever_interim_ones_came_before(
    send: Send, interim: bytes, final: bytes, state: str
) -> None:
    answer = interim + b"HTTP/1.1 " + final + b"\r\nContent-Length: 2\r\n\r\nok"
    with receiver(answering(answer)) as server:
        outcome = send(server.url)
    assert outcome.row["state"] == state
    assert outcome.attempt["status_code"] == int(final[:3])
    assert outcome.attempt["response"] == "ok"


def test_interim_responses_without_end_fail_the_attempt(send: Send) -> None:
    with receiver(endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n")) as server:
        outcome = send(server.url)
    outcome.assert_scheduled_again()
    assert outcome.attempt["error"] == "the answer is not HTTP"
