"""How long a start waits for servers."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from standalone.errors import StandaloneError
from standalone.waiting import wait_for_postgres, wait_for_redis

PATIENCE = 0.2
"""Seconds."""

Wait = Callable[..., None]


def postgres_says(reason: str) -> bytes:
    """A refusal of PostgreSQL's, as its protocol has it."""
    body = f"SFATAL\0C57P03\0M{reason}\0\0".encode()
    return b"E" + struct.pack("!i", len(body) + 4) + body


POSTGRES = wait_for_postgres, "postgresql://nobody@127.0.0.1:{}/x?sslmode=disable", "PostgreSQL"
REDIS = wait_for_redis, "redis://127.0.0.1:{}/0", "Redis"

on_its_way = pytest.mark.parametrize(
    ("wait", "url", "what", "answer"),
    [
        (*POSTGRES, postgres_says("the database system is starting up")),
        (*POSTGRES, postgres_says("the database system is not yet accepting connections")),
        (*REDIS, b"-LOADING Redis is loading the dataset in memory\r\n" * 3),
    ],
    ids=["starting", "recovering", "loading"],
)


@contextmanager
def server(answer: bytes) -> Iterator[int]:
    """One that answers whatever it is asked with the same; its port."""
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


@on_its_way
def test_one_that_is_on_its_way_is_waited_for_until_the_start_is_stopped(
    wait: Wait, url: str, what: str, answer: bytes
) -> None:
    stopping = threading.Event()
    with server(answer) as port:
        threading.Timer(5 * PATIENCE, stopping.set).start()
        with pytest.raises(StandaloneError, match=f"Stopped before {what} answered"):
            wait(url.format(port), PATIENCE, go_on=lambda: not stopping.is_set())


@on_its_way
def test_a_command_does_not_wait_for_one_that_is_on_its_way(
    wait: Wait, url: str, what: str, answer: bytes
) -> None:
    with server(answer) as port, pytest.raises(StandaloneError, match=f"{what} does not answer"):
        wait(url.format(port), PATIENCE)


@pytest.mark.parametrize(
    ("wait", "url", "what", "answer"),
    [
        (*POSTGRES, postgres_says("the database system is shutting down")),
        (*REDIS, b"-ERR is broken\r\n" * 3),
    ],
    ids=["ending", "broken"],
)
def test_one_that_refuses_is_given_up(wait: Wait, url: str, what: str, answer: bytes) -> None:
    refused = f"{what} does not answer.*(shutting down|broken)"
    with server(answer) as port, pytest.raises(StandaloneError, match=refused):
        wait(url.format(port), PATIENCE, go_on=lambda: True)
