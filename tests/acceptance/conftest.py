"""What acceptance tests share: a running product, and somebody to tell."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from receiving import Receiver
from running import Brazebee


@pytest.fixture(scope="session")
def brazebee(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brazebee]:
    """A running product that tests share, each in organizations of its own."""
    running = Brazebee(tmp_path_factory.mktemp("shared")).start()
    yield running
    running.stop()


@pytest.fixture
def own_brazebee(tmp_path: Path) -> Iterator[Brazebee]:
    """One that a test may start, kill and starve as it likes."""
    own = Brazebee(tmp_path)
    yield own
    if own.process is not None:
        own.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.close()


@pytest.fixture
def organization(brazebee: Brazebee, request: pytest.FixtureRequest) -> str:
    """An organization of the test's own, without rules yet."""
    name = str(request.node.name)
    made = brazebee.run("org", "create", name)
    assert made.returncode == 0, made.stderr
    return name
