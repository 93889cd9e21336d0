"""Receivers that are slow, send too much, or disconnect early."""

import gzip
import socket
import time
import tracemalloc
from dataclasses import dataclass
from functools import partial

import pytest

from config.webhook_policy import WebhookPolicy
from services.webhooks.addresses import Address, AddressPolicy
from services.webhooks.transport import Response
from tests.support.ports import free_port
from tests.support.webhooks import posts
from tests.support.webhooks.posts import LOOPBACK
from tests.support.webhooks.raw_receivers import (
    CHUNK,
    Receiver,
    answering,
    endless,
    never_answering,
    receiver,
)

TOTAL_SECONDS = 0.5

IN_TIME_MS = 1_500
"""The limit, with a margin for a busy machine."""

post = partial(posts.post, total_seconds=TOTAL_SECONDS)


def assert_timed_out(response: Response) -> None:
    assert response.error == "no answer within 0.5 s"
    assert response.status_code is None
    assert TOTAL_SECONDS * 1000 - 50 <= response.duration_ms < IN_TIME_MS


def test_a_receiver_that_never_answers_times_out() -> None:
    with receiver(never_answering) as server:
        assert_timed_out(post(server.url))


def test_a_dripping_status_line_times_out() -> None:
    def drip(server: Receiver, connection: socket.socket) -> None:
        server.drip(connection, b"HTTP/1.1 200 " + b"O" * 1000)

    with receiver(drip) as server:
        assert_timed_out(post(server.url))


def test_dripping_headers_time_out() -> None:
    def drip(server: Receiver, connection: socket.socket) -> None:
        server.send(connection, b"HTTP/1.1 200 OK\r\n")
        server.drip(connection, b"X-More: yes\r\n")

    with receiver(drip) as server:
        assert_timed_out(post(server.url))


@pytest.mark.parametrize(
    ("headers", "data"),
    [
        (b"", b"a"),
        (b"Content-Length: 10000\r\n", b"a"),
        (b"Transfer-Encoding: chunked\r\n", b"1\r\na\r\n"),
    ],
)
def test_a_dripping_body_times_out(headers: bytes, data: bytes) -> None:
    def drip(server: Receiver, connection: socket.socket) -> None:
        server.send(connection, b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n")
        server.drip(connection, data)

    with receiver(drip) as server:
        assert_timed_out(post(server.url))


def test_a_tls_handshake_that_never_ends_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert_timed_out(post(f"https://127.0.0.1:{port}/hook"))


@dataclass(frozen=True)
class SlowNames(AddressPolicy):
    """A slow resolver."""

    seconds: float = 0.0

    def resolve(self, host: str, port: int, *, secure: bool) -> list[Address]:
        time.sleep(self.seconds)
        return super().resolve(host, port, secure=secure)


def test_resolving_counts_towards_the_limit_and_leaves_no_time_for_a_slow_response() -> None:
    def drip(server: Receiver, connection: socket.socket) -> None:
        server.send(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(60):  # three seconds, so that the test itself ends
            server.send(connection, b"a")
            if server.stopping.wait(0.05):
                return

    policy = SlowNames(LOOPBACK.allowed_nets, seconds=TOTAL_SECONDS + 0.2)
    with receiver(drip) as server:
        response = post(server.url, policy=policy)
    assert response.error == "no answer within 0.5 s"
    assert response.duration_ms < IN_TIME_MS


def test_a_host_that_accepts_no_connection_times_out() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]  # the backlog is full after the first few
        try:
            for connection in waiting:
                connection.setblocking(False)
                connection.connect_ex(address)
            assert_timed_out(post(f"http://127.0.0.1:{address[1]}/hook"))
        finally:
            for connection in waiting:
                connection.close()


@pytest.mark.parametrize(
    ("headers", "piece"),
    [
        (b"", CHUNK),
        (b"Content-Length: 1000000000\r\n", CHUNK),
        (b"Transfer-Encoding: chunked\r\n", b"1000\r\n" + CHUNK + b"\r\n"),
    ],
)
def test_16_kib_of_an_endless_body_are_kept_and_a_2xx_is_a_success(
    headers: bytes, piece: bytes
) -> None:
    with receiver(endless(b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n", piece)) as server:
        response = post(server.url, total_seconds=5)
    assert response.status_code == 200
    assert response.error is None
    assert response.body == "a" * WebhookPolicy().response_bytes
    assert response.duration_ms < IN_TIME_MS


def test_no_more_is_read_of_the_endless_body_of_a_redirect() -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n"
    with receiver(endless(head, CHUNK)) as server:
        response = post(server.url)
    assert response.error == "answered 302"
    assert server.sent < 8 * 1024 * 1024, "more than buffers hold"


def test_endless_headers_fail_the_attempt() -> None:
    with receiver(endless(b"HTTP/1.1 200 OK\r\n", b"X-More: yes\r\n")) as server:
        response = post(server.url, total_seconds=5)
    assert response.error
    assert response.status_code is None
    assert response.duration_ms < IN_TIME_MS


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 Found\r\nLocation: /\r\n"])
def test_a_gzip_bomb_is_not_inflated(head: bytes) -> None:
    bomb = gzip.compress(b"0" * 30_000_000)
    length = f"Content-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    with receiver(answering(head + length + bomb)) as server:
        tracemalloc.start()
        try:
            response = post(server.url, total_seconds=10)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert response.status_code in (200, 302)
    assert response.body is not None
    assert "000" not in response.body
    assert peak < 3_000_000


def test_a_binary_response_is_kept_in_a_form_that_the_database_accepts() -> None:
    with receiver(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na\x00\xffb")) as server:
        response = post(server.url)
    assert response.error is None
    assert response.body == "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}b"


def test_a_refused_connection_is_reported() -> None:
    response = post(f"http://127.0.0.1:{free_port()}/hook")
    assert response.error == "connection refused"
    assert response.status_code is None


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTT",
        b"HTTP/1.",
        b"HTTP/1.1 20",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x00\x01\x02\x03",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_a_truncated_or_invalid_response_is_a_failure_with_an_explanation(answer: bytes) -> None:
    with receiver(answering(answer)) as server:
        response = post(server.url)
    assert response.duration_ms < IN_TIME_MS
    assert response.status_code != 200 or response.error is not None
    assert response.error
    assert " " in response.error, "an explanation, not an echo of the response"


def test_a_connection_that_is_reset_is_a_failure_in_words() -> None:
    def reset(_server: Receiver, connection: socket.socket) -> None:
        linger_and_reset = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_and_reset)

    with receiver(reset) as server:
        response = post(server.url)
    assert response.error
    assert response.status_code is None
