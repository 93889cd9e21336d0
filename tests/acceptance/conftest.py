"""Fixtures of the acceptance tests: a running product and a receiver of webhooks."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.product.brazebee_process import COMMANDS, Brazebee
from tests.support.product.tenant import Subscriber
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
    """A running product that tests share; each uses organizations of its own.

    It repeats webhooks sooner than by default.
    """
    with tempfile.TemporaryDirectory(prefix="brazebee-") as made:
        running = Brazebee(
            Path(made),
            BRAZEBEE_WEBHOOK_RETRY_DELAYS="2s,2s,2s",
            BRAZEBEE_WEBHOOK_PROBE_PAUSE="2s",
        )
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


@pytest.fixture
def subscriber(brazebee: Brazebee, organization: str, tmp_path: Path) -> Iterator[Subscriber]:
    """An organization whose companies are At Risk from their first event on.

    Its endpoints are removed afterwards, with what waits for them.
    """
    made = Subscriber(brazebee, organization, tmp_path)
    yield made
    made.remove_endpoints()
