"""One step counts a request and appends its events to the journal."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from operator import itemgetter
from types import SimpleNamespace
from typing import Any
from unittest.mock import ANY

import pytest
import redis

from config.settings import Settings
from queues import admissions as admissions_module
from queues.admissions import Admission, AdmissionRequest, Admissions, RateWindow
from queues.broker import QueueBroker, build_broker
from queues.lanes.keys import JOURNAL
from queues.lanes.lane import Lane
from queues.lanes.lane_queue import LONGEST_BELL, LaneQueue
from tests.support.ingress.application import Clock, memory_used

ACME = {"id": "é😀"}
EVENTS: list[dict[str, Any]] = [{"company": ACME, "n": 2**63, "f": 1.5}, {"company": ACME}]
HOUR = RateWindow(7, limit=3, seconds=3600)


@pytest.fixture
def broker(settings: Settings) -> Iterator[QueueBroker]:
    broker = build_broker(settings.redis_url)
    yield broker
    broker.client.close()


@pytest.fixture
def admissions(broker: QueueBroker) -> Iterator[Admissions]:
    admissions = Admissions(broker.client)
    yield admissions
    admissions.close()


@pytest.fixture
def journal(broker: QueueBroker) -> LaneQueue:
    return LaneQueue.of_events(broker.client)


def event(number: int) -> dict[str, Any]:
    return {"n": number, "company": {"id": f"company {number % 7}"}}


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(admissions_module, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def test_a_worker_gets_the_events_of_each_partition_in_the_order_of_acceptance(
    journal: LaneQueue, admissions: Admissions
) -> None:
    for start in (0, 10):
        admissions.admit(AdmissionRequest(HOUR, [event(n) for n in range(start, start + 10)]))
    taken = []
    bundles = journal.take()
    assert isinstance(bundles, list)
    for bundle in bundles:
        events = json.loads(b"[%b]" % bundle.payload)
        assert {Lane.of_company(7, e["company"]["id"]) for e in events} == {bundle.lane}
        assert events == sorted(events, key=itemgetter("n"))
        taken += events
    assert journal.remove(*bundles)
    assert sorted(taken, key=itemgetter("n")) == [event(n) for n in range(20)]
    assert admissions.waiting() == 0


def test_an_event_rings_the_bell_only_if_its_lane_becomes_ready(
    broker: QueueBroker, admissions: Admissions
) -> None:
    for _ in range(3):
        admissions.admit(AdmissionRequest(HOUR, EVENTS))
    assert broker.client.llen(JOURNAL.bell) == 1


def test_the_bell_does_not_grow_without_workers(
    broker: QueueBroker, admissions: Admissions
) -> None:
    for organization_id in range(2 * LONGEST_BELL):
        admissions.admit(AdmissionRequest(HOUR._replace(organization_id=organization_id), EVENTS))
    assert broker.client.llen(JOURNAL.bell) == LONGEST_BELL


def test_requests_are_counted_with_or_without_events(
    broker: QueueBroker, admissions: Admissions
) -> None:
    counts = [
        admissions.admit(AdmissionRequest(HOUR, events)).requests
        for events in (EVENTS, (), EVENTS, EVENTS)
    ]
    assert counts == [1, 2, 3, 4]
    assert admissions.waiting() == 2 * len(EVENTS), "beyond the limit nothing is queued"


def test_a_window_starts_at_its_first_request_and_is_not_extended(
    broker: QueueBroker, admissions: Admissions
) -> None:
    assert admissions.admit(AdmissionRequest(HOUR)) == Admission(1, 3_600_000)
    [counter] = broker.client.keys("brazebee:*")
    broker.client.pexpire(counter, 60_000)
    assert 50_000 < admissions.admit(AdmissionRequest(HOUR)).ends_in_ms <= 60_000
    broker.client.persist(counter)
    assert admissions.admit(AdmissionRequest(HOUR)).ends_in_ms == 3_600_000
    broker.client.delete(counter)
    assert admissions.admit(AdmissionRequest(HOUR)).requests == 1


def test_each_organization_and_limit_has_its_own_counter(admissions: Admissions) -> None:
    assert admissions.admit(AdmissionRequest(HOUR)).requests == 1
    assert admissions.admit(AdmissionRequest(HOUR._replace(organization_id=8))).requests == 1
    assert admissions.admit(AdmissionRequest(HOUR._replace(limit=4))).requests == 1
    assert admissions.admit(AdmissionRequest(HOUR)).requests == 2


def test_concurrent_requests_are_each_counted_once(
    broker: QueueBroker, admissions: Admissions
) -> None:
    with ThreadPoolExecutor(8) as threads:
        admitted = list(
            threads.map(lambda _: admissions.admit(AdmissionRequest(HOUR, EVENTS)), range(40))
        )
    assert sorted(admission.requests for admission in admitted) == list(range(1, 41))
    assert admissions.waiting() == 3 * len(EVENTS)


def test_the_script_is_loaded_again_if_redis_has_lost_it(
    broker: QueueBroker, admissions: Admissions
) -> None:
    admissions.admit(AdmissionRequest(HOUR, EVENTS))
    broker.client.script_flush()
    assert admissions.admit(AdmissionRequest(HOUR, EVENTS)).requests == 2
    assert admissions.waiting() == 2 * len(EVENTS)


def test_a_late_reply_is_not_taken_for_the_next_one(settings: Settings) -> None:
    broker = build_broker(settings.redis_url, timeout=0.1)
    admissions = Admissions(broker.client)
    admissions.admit(AdmissionRequest(HOUR))
    with redis.Redis.from_url(settings.redis_url) as other:
        other.client_pause(300)
        with pytest.raises(redis.TimeoutError):
            admissions.admit(AdmissionRequest(HOUR))
        other.client_unpause()
        counts = [
            admissions.admit(AdmissionRequest(HOUR._replace(organization_id=8))).requests
            for _ in range(2)
        ]
    broker.client.close()
    assert counts == [1, 2]


def test_a_full_redis_counts_nothing_and_queues_nothing(
    broker: QueueBroker, admissions: Admissions
) -> None:
    broker.client.config_set("maxmemory", 1)
    try:
        with pytest.raises(redis.RedisError):
            admissions.admit(AdmissionRequest(HOUR, EVENTS))
    finally:
        broker.client.config_set("maxmemory", 0)
    assert broker.client.keys() == []


def test_a_redis_that_is_nearly_full_counts_and_queues_nothing(
    broker: QueueBroker, seconds: Clock
) -> None:
    admissions = Admissions(broker.client)
    with memory_used(broker.client, 0.6):
        assert not admissions.admit(AdmissionRequest(HOUR, EVENTS)).nearly_full
    with memory_used(broker.client, 0.87):
        assert not admissions.admit(AdmissionRequest(HOUR, EVENTS)).nearly_full, (
            "memory was checked less than a second ago"
        )
        seconds.advance(1)
        assert admissions.admit(AdmissionRequest(HOUR, EVENTS)) == Admission(
            3, ANY, nearly_full=True
        )
    assert admissions.admit(AdmissionRequest(HOUR, EVENTS)).nearly_full, (
        "memory was checked less than a second ago"
    )
    seconds.advance(1)
    assert not admissions.admit(
        AdmissionRequest(HOUR._replace(organization_id=8), EVENTS)
    ).nearly_full
    assert admissions.waiting() == 3 * len(EVENTS)


def test_the_first_request_of_a_process_sees_that_redis_is_nearly_full(
    broker: QueueBroker, admissions: Admissions
) -> None:
    with memory_used(broker.client, 0.87):
        assert admissions.admit(AdmissionRequest(HOUR, EVENTS)).nearly_full
    assert admissions.waiting() == 0


def test_without_maxmemory_the_memory_of_the_machine_is_the_limit(
    broker: QueueBroker, admissions: Admissions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admissions_module, "FULL_FROM", 0.0)
    assert broker.client.info("memory")["maxmemory"] == 0
    assert admissions.admit(AdmissionRequest(HOUR, EVENTS)).nearly_full


def test_memory_is_checked_at_most_once_a_second(
    broker: QueueBroker, admissions: Admissions, seconds: Clock
) -> None:
    def checks() -> int:
        return int(broker.client.info("commandstats").get("cmdstat_info", {"calls": 0})["calls"])

    before = checks()
    for _ in range(20):
        admissions.admit(AdmissionRequest(HOUR, EVENTS))
        seconds.advance(0.1)
    assert checks() - before == 2 + 1, "this test reads it once itself"


def test_messages_are_accepted_if_redis_does_not_report_its_memory(
    broker: QueueBroker, admissions: Admissions
) -> None:
    broker.client.acl_setuser("default", enabled=True, nopass=True, commands=["-info"])
    try:
        assert not admissions.admit(AdmissionRequest(HOUR, EVENTS)).nearly_full
    finally:
        broker.client.acl_setuser("default", enabled=True, nopass=True, commands=["+info"])
    assert admissions.waiting() == len(EVENTS)
