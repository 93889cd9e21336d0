import gzip
import ipaddress
import socket
import ssl
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from config.webhook_policy import WebhookPolicy
from services.webhooks.addresses import Address, AddressPolicy
from services.webhooks.transport import Response, Transport
from tests.support.raw_receivers import (
    CHUNK,
    OK,
    Receiver,
    answering,
    endless,
    free_port,
    never_answering,
    receiver,
    self_signed_tls,
)

LOOPBACK = AddressPolicy([ipaddress.ip_network("127.0.0.0/8")])
TOTAL_SECONDS = 0.5
IN_TIME_MS = 1_500
"""The bound, and what a busy machine may need on top of it."""


def post(
    url: str,
    *,
    policy: AddressPolicy = LOOPBACK,
    body: bytes = b"{}",
    total_seconds: float = TOTAL_SECONDS,
) -> Response:
    headers = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,abc"}
    return Transport(policy, WebhookPolicy(timeout=timedelta(seconds=total_seconds))).post(
        url, body, headers
    )


def assert_timed_out(response: Response) -> None:
    assert response.error == "no answer within 0.5 s"
    assert response.status_code is None
    assert TOTAL_SECONDS * 1000 - 50 <= response.duration_ms < IN_TIME_MS


# What is sent


def test_a_webhook_is_one_post_of_the_exact_bytes_with_its_signature() -> None:
    with receiver(answering(OK)) as server:
        response = post(server.url, body='{"name":"Bücher"}'.encode())
    assert response.status_code == 200
    assert response.error is None
    assert response.body == "ok"
    [request] = server.seen
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /hook HTTP/1.1"
    headers = dict(line.split(": ", 1) for line in lines[1:])
    assert body == '{"name":"Bücher"}'.encode()
    assert headers["Host"] == f"127.0.0.1:{server.port}"
    assert headers["Content-Type"] == "application/json"
    assert headers["Accept-Encoding"] == "identity"
    assert headers["webhook-id"] == "msg_1"
    assert headers["webhook-signature"] == "v1,abc"


def test_the_host_is_named_although_the_connection_goes_to_the_address_that_was_checked() -> None:
    with receiver(answering(OK)) as server:
        response = post(f"http://localhost:{server.port}/hook")
    assert response.error is None
    assert f"Host: localhost:{server.port}".encode() in server.seen[0]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_a_success(status: int) -> None:
    with receiver(answering(f"HTTP/1.1 {status} Fine\r\nContent-Length: 0\r\n\r\n".encode())) as s:
        response = post(s.url)
    assert response.status_code == status
    assert response.error is None


@pytest.mark.parametrize("status", [300, 304, 400, 401, 404, 410, 429, 500, 503, 599])
def test_every_other_status_is_a_failure_that_names_it(status: int) -> None:
    answer = f"HTTP/1.1 {status} No\r\nRetry-After: 77\r\nContent-Length: 4\r\n\r\nbusy".encode()
    with receiver(answering(answer)) as server:
        response = post(server.url)
    assert response.status_code == status
    assert response.error == f"answered {status}"
    assert response.retry_after == "77"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(status: int) -> None:
    with receiver(answering(OK)) as elsewhere:
        location = f"Location: {elsewhere.url}\r\n"
        answer = f"HTTP/1.1 {status} Moved\r\n{location}Content-Length: 0\r\n\r\n"
        with receiver(answering(answer.encode())) as server:
            response = post(server.url)
    assert response.status_code == status
    assert response.error == f"answered {status}"
    assert elsewhere.seen == []


def test_a_redirect_without_a_location_is_a_failure() -> None:
    with receiver(answering(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")) as server:
        assert post(server.url).error == "answered 302"


@pytest.mark.parametrize(
    "location",
    [b"http://[", b"http://[::1", b"\xff\xfe", b"https://a..b/", b"http:///", b"//", b"%zz", b"x:"],
)
def test_a_redirect_to_nonsense_is_a_failure_like_any_other(location: bytes) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    with receiver(answering(answer)) as server:
        response = post(server.url)
    assert response.error == "answered 302"


# Receivers that never come to an end


def test_a_receiver_that_accepts_and_never_answers_is_left_in_time() -> None:
    with receiver(never_answering) as server:
        assert_timed_out(post(server.url))


def test_a_status_line_that_drips_is_left_in_time() -> None:
    def drip(server: Receiver, connection: socket.socket) -> None:
        server.drip(connection, b"HTTP/1.1 200 " + b"O" * 1000)

    with receiver(drip) as server:
        assert_timed_out(post(server.url))


def test_headers_that_drip_are_left_in_time() -> None:
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
def test_a_body_that_drips_is_left_in_time(headers: bytes, data: bytes) -> None:
    def drip(server: Receiver, connection: socket.socket) -> None:
        server.send(connection, b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n")
        server.drip(connection, data)

    with receiver(drip) as server:
        assert_timed_out(post(server.url))


def test_a_tls_handshake_that_never_ends_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert_timed_out(post(f"https://127.0.0.1:{port}/hook"))


@dataclass(frozen=True)
class SlowNames(AddressPolicy):
    """A resolver that takes its time."""

    seconds: float = 0.0

    def resolve(self, host: str, port: int, *, secure: bool) -> list[Address]:
        time.sleep(self.seconds)
        return super().resolve(host, port, secure=secure)


def test_time_spent_on_the_look_up_counts_and_what_drips_afterwards_is_left_at_once() -> None:
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


def test_a_host_that_takes_no_connection_is_left_in_time() -> None:
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


# Receivers that send too much


@pytest.mark.parametrize(
    ("headers", "piece"),
    [
        (b"", CHUNK),
        (b"Content-Length: 1000000000\r\n", CHUNK),
        (b"Transfer-Encoding: chunked\r\n", b"1000\r\n" + CHUNK + b"\r\n"),
    ],
)
def test_of_an_endless_body_16_kib_are_read_and_kept_and_a_2xx_counts(
    headers: bytes, piece: bytes
) -> None:
    with receiver(endless(b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n", piece)) as server:
        response = post(server.url, total_seconds=5)
    assert response.status_code == 200
    assert response.error is None
    assert response.body == "a" * WebhookPolicy().response_bytes
    assert response.duration_ms < IN_TIME_MS


def test_of_the_endless_body_of_a_redirect_no_more_is_read() -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n"
    with receiver(endless(head, CHUNK)) as server:
        response = post(server.url)
    assert response.error == "answered 302"
    assert server.sent < 8 * 1024 * 1024, "more than buffers hold"


def test_endless_headers_are_given_up() -> None:
    with receiver(endless(b"HTTP/1.1 200 OK\r\n", b"X-More: yes\r\n")) as server:
        response = post(server.url, total_seconds=5)
    assert response.error
    assert response.status_code is None
    assert response.duration_ms < IN_TIME_MS


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 Found\r\nLocation: /\r\n"])
def test_a_gzip_bomb_is_not_unpacked(head: bytes) -> None:
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


def test_a_response_that_is_no_text_is_kept_in_a_form_that_the_database_takes() -> None:
    with receiver(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na\x00\xffb")) as server:
        response = post(server.url)
    assert response.error is None
    assert response.body == "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}b"


# Receivers that break off


def test_a_refused_connection_is_told_as_such() -> None:
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
def test_an_answer_that_breaks_off_or_is_no_http_is_a_failure_in_words(answer: bytes) -> None:
    with receiver(answering(answer)) as server:
        response = post(server.url)
    assert response.duration_ms < IN_TIME_MS
    assert response.status_code != 200 or response.error is not None
    assert response.error
    assert " " in response.error, "words, not an echo of what came"


def test_a_connection_that_is_reset_is_a_failure_in_words() -> None:
    def reset(_server: Receiver, connection: socket.socket) -> None:
        linger_and_reset = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_and_reset)

    with receiver(reset) as server:
        response = post(server.url)
    assert response.error
    assert response.status_code is None


# TLS


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return self_signed_tls(tmp_path_factory.mktemp("tls"))


def test_a_certificate_that_nobody_vouches_for_is_refused(self_signed: ssl.SSLContext) -> None:
    asked_for: list[str | None] = []
    self_signed.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    with receiver(answering(OK), tls=self_signed) as server:
        response = post(f"https://localhost:{server.port}/hook")
    assert response.status_code is None
    assert response.error is not None
    assert "certificate verify failed" in response.error
    assert server.seen == [], "nothing was sent before the certificate was checked"
    assert asked_for == ["localhost"], "the host's name is kept in SNI"


def test_https_to_a_receiver_that_speaks_plain_http_is_a_failure_in_words() -> None:
    with receiver(answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"), reads=False) as server:
        response = post(f"https://127.0.0.1:{server.port}/hook")
    assert response.status_code is None
    assert response.error is not None
    assert "SSL" in response.error


# Where it goes


def test_proxies_and_credentials_of_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    netrc.chmod(0o600)
    with receiver(answering(OK)) as proxy, receiver(answering(OK)) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.setenv("NETRC", str(netrc))
        response = post(server.url)
    assert response.error is None
    assert proxy.seen == []
    assert len(server.seen) == 1
    assert b"authorization" not in server.seen[0].lower()


def test_a_host_that_is_not_allowed_is_never_connected_to() -> None:
    with receiver(answering(OK)) as server:
        response = post(f"https://127.0.0.1:{server.port}/hook", policy=AddressPolicy())
        plain = post(server.url, policy=AddressPolicy())
    assert response.error is not None
    assert "is not public" in response.error
    assert plain.error == "a webhook URL must start with https://"
    assert server.seen == []


@dataclass(frozen=True)
class ManyAddresses(AddressPolicy):
    """A name with several addresses."""

    addresses: Sequence[str] = ()

    def resolve(self, host: str, port: int, *, secure: bool) -> list[Address]:
        resolved = [
            super(ManyAddresses, self).resolve(a, port, secure=secure) for a in self.addresses
        ]
        assert host == "many.example"
        return [address for found in resolved for address in found]


def test_a_further_address_of_a_name_is_tried_where_the_first_refuses() -> None:
    policy = ManyAddresses(LOOPBACK.allowed_nets, addresses=["127.0.0.2", "127.0.0.1"])
    with receiver(answering(OK)) as server:
        response = post(f"http://many.example:{server.port}/hook", policy=policy)
    assert response.error is None
    assert f"Host: many.example:{server.port}".encode() in server.seen[0]


@pytest.mark.parametrize(
    "url",
    [
        "https://" + "a" * 64 + ".example/",
        "https://a..b/",
        "https://.example/",
        "https://*.example/",
        "https://[::1/",
        "https://127.0.0.1:99999/",
        "https://%31/",
        "http://127.0.0.1\\@10.0.0.1/",
        "ftp://127.0.0.1/",
        "",
    ],
)
def test_no_url_whatsoever_makes_an_attempt_raise(url: str) -> None:
    response = post(url)
    assert response.status_code is None
    assert response.error
