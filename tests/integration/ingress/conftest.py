"""Servers that accept connections and never answer."""

import socket
import tempfile
from collections.abc import Iterator

import pytest

from tests.support.ingress.outages import Silent


@pytest.fixture
def silent_redis() -> Iterator[Silent]:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/redis.sock")
        listener.listen(64)
        yield Silent(f"unix://{folder}/redis.sock?db=0", listener)


@pytest.fixture
def silent_postgres() -> Iterator[Silent]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        host, port = listener.getsockname()
        yield Silent(f"postgresql://postgres@{host}:{port}/postgres", listener)
