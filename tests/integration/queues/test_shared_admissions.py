"""Requests of one event loop are admitted together, each with its own result."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from redis.exceptions import ResponseError

from config.settings import Settings
from queues.admissions import Admission, AdmissionRequest, Admissions, RateWindow
from queues.broker import QueueBroker, build_broker
from queues.lanes.keys import JOURNAL
from queues.lanes.lane import Lane
from queues.lanes.lane_queue import LaneQueue
from queues.shared_admissions import SharedAdmissions
from tests.support.ingress.loop_thread import LoopThread

OURS = RateWindow(7, limit=3, seconds=3600)
THEIRS = RateWindow(8, limit=3, seconds=3600)

Outcome = Admission | BaseException


@pytest.fixture
def broker(settings: Settings) -> Iterator[QueueBroker]:
    broker = build_broker(settings.redis_url)
    yield broker
    broker.client.close()


def admit(settings: Settings, broker: QueueBroker, *requests: AdmissionRequest) -> list[Outcome]:
    """Admit requests at once and return the result of each."""

    async def admit_all() -> list[Outcome]:
        shared = SharedAdmissions(settings.redis_url, Admissions(broker.client))
        try:
            admissions = [shared.admit(request) for request in requests]
            return await asyncio.gather(*admissions, return_exceptions=True)
        finally:
            await shared.close()

    with closing(LoopThread()) as loop:
        results: list[Outcome] = loop.run(admit_all())
        return results


def request(window: RateWindow, number: Any) -> AdmissionRequest:
    return AdmissionRequest(window, [{"company": {"id": "acme"}, "n": number}])


def queued(broker: QueueBroker) -> dict[int, bytes]:
    """Return the contents of the journal by organization."""
    journal = LaneQueue.of_events(broker.client)
    taken = [journal.take() for _ in range(2)]
    return {
        bundle.lane.organization_id: bundle.payload
        for bundles in taken
        if bundles is not None and not isinstance(bundles, float)
        for bundle in bundles
    }


def numbers(payload: bytes) -> list[int]:
    return [int(part) for part in payload.replace(b"}", b":").split(b":") if part.isdigit()]


def test_each_request_has_its_own_place_in_its_window_and_in_the_journal(
    settings: Settings, broker: QueueBroker
) -> None:
    requests = [request(THEIRS if n == 2 else OURS, n) for n in range(6)]
    found = admit(settings, broker, *requests)
    assert [admission.requests for admission in found] == [1, 2, 1, 3, 4, 5]  # type: ignore[union-attr]
    journal = queued(broker)
    assert numbers(journal[7]) == [0, 1, 3], "beyond the limit nothing is queued"
    assert numbers(journal[8]) == [2]


def test_a_fault_of_one_organizations_keys_fails_its_requests_only(
    settings: Settings, broker: QueueBroker
) -> None:
    broker.client.set(THEIRS.counter, "not a number")
    found = admit(settings, broker, *[request(w, n) for n, w in enumerate((OURS, THEIRS, OURS))])
    assert isinstance(found[1], ResponseError)
    assert [found[0], found[2]] == [Admission(1, 3_600_000), Admission(2, 3_600_000)]
    assert numbers(queued(broker)[7]) == [0, 2]


def test_a_fault_of_one_organizations_journal_fails_its_requests_only(
    settings: Settings, broker: QueueBroker
) -> None:
    lane = Lane.of_company(THEIRS.organization_id, "acme")
    broker.client.set(JOURNAL.entries + lane.name, "not a stream")
    found = admit(settings, broker, *[request(w, n) for n, w in enumerate((THEIRS, OURS))])
    assert isinstance(found[0], ResponseError)
    assert isinstance(found[1], Admission)
    assert numbers(queued(broker)[7]) == [1]


def test_a_request_that_cannot_be_written_fails_alone(
    settings: Settings, broker: QueueBroker
) -> None:
    found = admit(settings, broker, request(OURS, 0), request(THEIRS, object()), request(OURS, 2))
    assert isinstance(found[1], TypeError)
    assert numbers(queued(broker)[7]) == [0, 2]


def test_a_redis_that_forgot_the_script_gets_it_again(
    settings: Settings, broker: QueueBroker
) -> None:
    for _ in range(2):
        broker.client.script_flush()
        [found] = admit(settings, broker, request(OURS, 1))
        assert isinstance(found, Admission)
