"""A clock whose time is set by the test, its brokers, and a worker that stores events."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg2
import pytest

from config.settings import Settings
from models.database import connect, database
from tests.support.brokers import NewBroker
from tests.support.clocks import RecordingBroker, Ticking
from tests.support.storing import Locking, Storing

SHORT_LOCK_TIMEOUT_MS = 200
"""Less than workers wait, since rows that are locked in a test stay so."""


@pytest.fixture
def brokers(settings: Settings) -> Iterator[Callable[[], RecordingBroker]]:
    made: list[RecordingBroker] = []

    def make() -> RecordingBroker:
        made.append(RecordingBroker(settings.redis_url))
        return made[-1]

    yield make
    for broker in made:
        broker.client.close()


@pytest.fixture
def soon_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers that are idle look for a stop ten times a second, instead of once."""
    monkeypatch.setattr("queues.lanes.consumer.IDLE_SECONDS", 0.1)
    monkeypatch.setattr("queues.broker.IDLE_WAIT_MS", 100)


@pytest.fixture
def ticking(brokers: Callable[[], RecordingBroker]) -> Ticking:
    return Ticking(brokers())


@pytest.fixture
def storing(settings: Settings, new_broker: NewBroker) -> Iterator[Storing]:
    database.obj.close_all()
    connect(settings, lock_timeout_ms=SHORT_LOCK_TIMEOUT_MS)
    storing = Storing(new_broker())
    yield storing
    storing.admissions.close()


@pytest.fixture
def lock_company(settings: Settings) -> Locking:
    """Return a context manager in which another transaction has locked a company's row."""

    @contextmanager
    def locking(company: str) -> Iterator[None]:
        with closing(psycopg2.connect(settings.database_url)) as other, other.cursor() as cursor:
            cursor.execute("select from companies where external_id = %s for update", (company,))
            assert cursor.rowcount == 1
            yield

    return locking
