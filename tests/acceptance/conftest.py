"""Fixtures of the acceptance tests: a running product and a receiver of webhooks."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.product.brazebee_process import COMMANDS, Brazebee
from tests.support.webhooks.receiver import Receiver


@pytest.fixture(scope="session", autouse=True)
def command_server() -> Iterator[None]:
    """End the process that runs the commands of the tests."""
    yield
    COMMANDS.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL can enter, which root starts as another user.

    Whenever a pytest run begins, it closes the folders above `tmp_path` to other users.
    """
    with tempfile.TemporaryDirectory(prefix="brazebee-") as made:
        yield Path(made)


@pytest.fixture(scope="session")
def brazebee() -> Iterator[Brazebee]:
    """A running product that tests share; each uses organizations of its own."""
    with tempfile.TemporaryDirectory(prefix="brazebee-") as made:
        running = Brazebee(Path(made))
        running.use_template()
        yield running.start()
        running.stop()


@pytest.fixture
def own_brazebee(folder: Path) -> Iterator[Brazebee]:
    """A product of the test's own, to start, kill and starve, with one ingress process."""
    own = Brazebee(folder, WEB_CONCURRENCY="1")
    own.use_template()
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
    """An organization of the test's own, without rules."""
    name = str(request.node.name)
    made = brazebee.run("org", "create", name)
    assert made.returncode == 0, made.stderr
    return name
