import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from standalone.errors import StandaloneError
from standalone.waiting import wait_for_postgres, wait_for_redis

TIME_LIMIT = 0.2
"""Seconds."""

Wait = Callable[..., None]


def postgres_error(reason: str) -> bytes:
    """Encode an error response in PostgreSQL's protocol."""
    body = f"SFATAL\0C57P03\0M{reason}\0\0".encode()
    return b"E" + struct.pack("!i", len(body) + 4) + body


POSTGRES = wait_for_postgres, "postgresql://nobody@127.0.0.1:{}/x?sslmode=disable", "PostgreSQL"
REDIS = wait_for_redis, "redis://127.0.0.1:{}/0", "Redis"

starting_servers = pytest.mark.parametrize(
    ("wait", "url", "what", "answer"),
    [
        (*POSTGRES, postgres_error("the database system is starting up")),
        (*POSTGRES, postgres_error("the database system is not yet accepting connections")),
        (*REDIS, b"-LOADING Redis is loading the dataset in memory\r\n" * 3),
    ],
    ids=["starting", "recovering", "loading"],
)


@contextmanager
def server(answer: bytes) -> Iterator[int]:
    """Run a server that gives the same answer to every request; yield its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1024)
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


@starting_servers
def test_a_start_waits_for_a_server_that_is_starting_up_until_it_is_stopped(
    wait: Wait, url: str, what: str, answer: bytes
) -> None:
    stopping = threading.Event()
    with server(answer) as port:
        threading.Timer(5 * TIME_LIMIT, stopping.set).start()
        with pytest.raises(StandaloneError, match=f"Stopped before {what} answered"):
            wait(url.format(port), TIME_LIMIT, keep_waiting=lambda: not stopping.is_set())


@starting_servers
def test_a_command_does_not_wait_for_a_server_that_is_starting_up(
    wait: Wait, url: str, what: str, answer: bytes
) -> None:
    with server(answer) as port, pytest.raises(StandaloneError, match=f"{what} does not answer"):
        wait(url.format(port), TIME_LIMIT)


def test_that_an_embedded_server_does_not_answer_blames_no_setting(tmp_path: Path) -> None:
    with pytest.raises(StandaloneError) as given_up:
        wait_for_redis("redis://127.0.0.1:1/0", TIME_LIMIT, log=tmp_path / "redis.log")
    assert "REDIS_URL" not in str(given_up.value)
    assert f"its log is {tmp_path / 'redis.log'}." in str(given_up.value)


@pytest.mark.parametrize(
    ("wait", "url", "what", "answer"),
    [
        (*POSTGRES, postgres_error("the database system is shutting down")),
        (*REDIS, b"-ERR is broken\r\n" * 3),
    ],
    ids=["ending", "broken"],
)
def test_a_server_that_returns_another_error_is_given_up(
    wait: Wait, url: str, what: str, answer: bytes
) -> None:
    refused = f"{what} does not answer.*(shutting down|broken)"
    with server(answer) as port, pytest.raises(StandaloneError, match=refused):
        wait(url.format(port), TIME_LIMIT, keep_waiting=lambda: True)
