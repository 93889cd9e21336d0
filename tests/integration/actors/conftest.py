"""A clock whose time is set by the test, and its brokers."""

from collections.abc import Callable, Iterator

import pytest

from config.settings import Settings
from tests.support.clocks import RecordingBroker, Ticking


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
def ticking(brokers: Callable[[], RecordingBroker]) -> Ticking:
    return Ticking(brokers())
