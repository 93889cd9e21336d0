"""Clients that send slowly, nothing at all, or not what they announced."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from tests.support.product.brazebee_process import Brazebee

DRIPPING = 300
IDLE = 600
EVENT = {"event_key": "login", "company": {"id": "c", "name": "C"}}


@pytest.fixture
def port(brazebee: Brazebee, request: pytest.FixtureRequest) -> int:
    return {"web": brazebee.port, "dashboard": brazebee.dashboard_port}[request.param]


@pytest.fixture
def slow_clients(port: int) -> Iterator[None]:
    """Clients without a key that do not complete their requests."""
    with ExitStack() as clients:
        for number in range(DRIPPING + IDLE):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", port)))
            if number < DRIPPING:
                client.sendall(
                    b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                    b"Content-Length: 100\r\n\r\n{"
                )
        yield


def response_to(port: int, sent: bytes, *, end: bool = False) -> bytes:
    """Send bytes, and perhaps no more, and return the first line and the body of the response."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(sent)
        if end:
            client.shutdown(socket.SHUT_WR)
        received = client.recv(65_536)
    return received.partition(b"\r\n")[0] + received.rpartition(b"\r\n\r\n")[2]


def post(body: bytes, *headers: bytes) -> bytes:
    lines = [b"POST /v1/track HTTP/1.1", b"Host: x", b"Content-Type: application/json", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@pytest.mark.parametrize("port", ["web"], indirect=True)
@pytest.mark.usefixtures("slow_clients")
def test_events_of_others_are_accepted(brazebee: Brazebee) -> None:
    for _ in range(20):
        assert brazebee.track(EVENT).status_code == 200
    batch = requests.post(
        f"{brazebee.base_url}/v1/track/batch",
        json={"events": [EVENT]},
        headers={"x-api-key": brazebee.api_key},
        timeout=10,
    )
    assert batch.json()["accepted"] == 1


@pytest.mark.parametrize("port", ["dashboard"], indirect=True)
@pytest.mark.usefixtures("slow_clients")
def test_pages_are_shown_to_others(brazebee: Brazebee) -> None:
    for _ in range(5):
        assert requests.get(f"{brazebee.dashboard_url}/sign-in", timeout=10).ok


@pytest.mark.parametrize("port", ["web"], indirect=True)
def test_a_body_that_breaks_off_gets_400_though_it_is_whole_json(
    brazebee: Brazebee, port: int
) -> None:
    key = b"x-api-key: " + brazebee.api_key.encode()
    body = json.dumps(EVENT).encode()
    chunk = b"%x\r\n%s\r\n" % (len(body), body)
    chunked = b"Transfer-Encoding: chunked"
    for sent, end in [
        (post(body, key, b"Content-Length: 500"), True),
        (post(chunk, key, chunked), True),
        (post(chunk + b"zz\r\n", key, chunked), False),
    ]:
        answer = response_to(port, sent, end=end)
        assert answer == b'HTTP/1.1 400 Bad Request{"error":"The body breaks off"}'
    assert b"200 OK" in response_to(port, post(chunk + b"0\r\n\r\n", key, chunked))


@pytest.mark.parametrize("port", ["web"], indirect=True)
def test_values_of_headers_that_are_not_ascii_are_not_ignored(
    brazebee: Brazebee, port: int
) -> None:
    body = json.dumps(EVENT).encode()
    length = b"Content-Length: %d" % len(body)
    key = b"x-api-key: " + brazebee.api_key.encode()
    odd = "Idempotency-Key: café".encode()
    assert b"Idempotency-Key" in response_to(port, post(body, length, key, odd))
    answer = response_to(port, post(body, length, "x-api-key: café".encode()))
    assert b"Invalid API key" in answer
