"""A client for each test, and a server that notes what it sends."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from brazebee_client import Client

from tests.support.clients.recorder import Recorder, recording

ACME = {"id": "acme", "name": "Acme"}

NewClient = Callable[..., Client]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording() as running:
        yield running


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def new_client(recorder: Recorder, spool: Path) -> Iterator[NewClient]:
    """Make clients of one spool that send to the recorder at once."""
    made: list[Client] = []

    def new(**options: Any) -> Client:
        address = {"url": recorder.url, "api_key": "bzb_key", "spool_dir": spool}
        client = Client(**(address | {"flush_interval": 0.01, "exit_timeout": 0.2} | options))
        made.append(client)
        return client

    yield new
    for client in made:
        client.close()


@pytest.fixture
def client(new_client: NewClient) -> Client:
    return new_client()
