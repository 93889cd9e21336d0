"""The queue of companies to evaluate."""

import time
from collections.abc import Iterator

import pytest
import redis

from queues.evaluations import Evaluations, ids_of
from queues.lanes.lane_queue import MOST_COMPANIES, LaneQueue
from tests.support.brokers import NewBroker
from tests.support.ingress.application import NO_REDIS


@pytest.fixture
def client(new_broker: NewBroker) -> redis.Redis:
    return new_broker().client


@pytest.fixture
def evaluations(client: redis.Redis) -> Evaluations:
    return Evaluations(client)


def taken(client: redis.Redis) -> Iterator[tuple[int, list[int]]]:
    """Take every bundle; yield its organization and companies."""
    queue = LaneQueue.of_evaluations(client)
    while isinstance(bundles := queue.take(), list):
        yield bundles[0].lane.organization_id, ids_of(bundles)
        queue.remove(*bundles)
        time.sleep(0.002)


def test_companies_of_one_organization_come_together_and_each_once(
    evaluations: Evaluations, client: redis.Redis
) -> None:
    evaluations.enqueue([(7, 1), (7, 2), (7, 1)])
    evaluations.enqueue([(7, 3)])
    assert evaluations.waiting() == {7: 4}
    assert list(taken(client)) == [(7, [1, 2, 3])]
    assert evaluations.waiting() == {}


def test_organizations_take_turns(evaluations: Evaluations, client: redis.Redis) -> None:
    evaluations.enqueue((7, number) for number in range(10 * MOST_COMPANIES))
    time.sleep(0.002)  # lanes are ordered by milliseconds
    evaluations.enqueue([(8, 1)])
    time.sleep(0.002)
    order = [organization_id for organization_id, _ in taken(client)]
    assert 8 in order[:5], "after a bundle of each of the lanes of the other"
    assert order.count(7) >= 10


def test_without_redis_nothing_is_raised_as_the_clock_enqueues_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with redis.Redis.from_url(NO_REDIS) as nowhere:
        Evaluations(nowhere).enqueue_best_effort([(7, 1), (7, 2)])
    assert "2 evaluations were not enqueued" in caplog.text
