"""What acceptance tests share: a running product, and somebody to tell."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.brazebee_process import COMMANDS, Brazebee
from tests.support.receiver import Receiver


@pytest.fixture(scope="session", autouse=True)
def command_server() -> Iterator[None]:
    """End the process that runs the commands of the tests."""
    yield
    COMMANDS.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL can reach also as the user which root starts it as.

    pytest closes those above `tmp_path` to others, whenever another run of it begins.
    """
    with tempfile.TemporaryDirectory(prefix="brazebee-") as made:
        yield Path(made)


@pytest.fixture(scope="session")
def brazebee() -> Iterator[Brazebee]:
    """A running product that tests share, each in organizations of its own."""
    with tempfile.TemporaryDirectory(prefix="brazebee-") as made:
        running = Brazebee(Path(made)).start()
        yield running
        running.stop()


@pytest.fixture
def own_brazebee(folder: Path) -> Iterator[Brazebee]:
    """One that a test may start, kill and starve as it likes."""
    own = Brazebee(folder)
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
