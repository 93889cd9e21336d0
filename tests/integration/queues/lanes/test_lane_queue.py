"""The journal on a real Redis: order, turns, leases, and companies that wait alone."""

import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from queues.admissions import AdmissionRequest, Admissions, RateWindow
from queues.lanes import lane_queue as lane_queue_module
from queues.lanes.keys import JOURNAL
from queues.lanes.lane import PARTITIONS, Lane, partition_of
from queues.lanes.lane_queue import GATHER_SECONDS, Bundle, LaneQueue
from tests.support.brokers import NewBroker

SECONDS = 0.05
"""A lease in these tests."""


class Tenant:
    """Sends events of numbered companies of one organization."""

    def __init__(self, admissions: Admissions, organization_id: int) -> None:
        self._admissions = admissions
        self.id = organization_id
        self._number = 0

    def send(self, *companies: str) -> None:
        events = []
        for company in companies:
            self._number += 1
            events.append({"company": {"id": company}, "n": self._number})
        self._admissions.admit(AdmissionRequest(RateWindow(self.id, 1_000, 3600), events))


@pytest.fixture
def journal(new_broker: NewBroker) -> LaneQueue:
    return LaneQueue.of_events(new_broker().client)


@pytest.fixture
def redis(new_broker: NewBroker) -> Any:
    return new_broker().client


@pytest.fixture
def admissions(new_broker: NewBroker) -> Iterator[Admissions]:
    admissions = Admissions(new_broker().client)
    yield admissions
    admissions.close()


@pytest.fixture
def tenant(admissions: Admissions) -> Tenant:
    return Tenant(admissions, 7)


@pytest.fixture
def short_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_queue_module, "LEASE_SECONDS", SECONDS)


def take_all(journal: LaneQueue) -> Sequence[Bundle]:
    """Take bundles, waiting until a lane is ready."""
    deadline = time.monotonic() + 5
    while isinstance(taken := journal.take(), float):
        assert time.monotonic() < deadline
        time.sleep(taken)
    assert taken is not None, "the journal is empty"
    return taken


def take(journal: LaneQueue) -> Bundle:
    """Take the bundle of the only lane that is ready."""
    [bundle] = take_all(journal)
    return bundle


def numbers(bundle: Bundle) -> list[int]:
    return [event["n"] for event in json.loads(b"[%b]" % bundle.payload)]


def drained(journal: LaneQueue) -> Iterator[Bundle]:
    while journal.waiting():
        bundles = take_all(journal)
        yield from bundles
        assert journal.remove(*bundles)


def test_an_empty_journal_has_nothing_to_take(journal: LaneQueue) -> None:
    assert journal.take() is None
    assert journal.waiting() == []


def test_a_company_is_in_one_lane_and_companies_are_in_all_of_them(
    journal: LaneQueue, tenant: Tenant
) -> None:
    companies = [f"c{n}" for n in range(40)]
    for _ in range(3):
        tenant.send(*companies)
    lanes = [bundle.lane for bundle in drained(journal)]
    assert sorted(lanes) == [Lane(7, partition) for partition in range(PARTITIONS)]


def test_entries_stay_until_they_are_removed_and_keep_their_order(
    journal: LaneQueue, tenant: Tenant
) -> None:
    tenant.send("acme", "acme")
    first = take(journal)
    tenant.send("acme")
    assert [waiting.entries for waiting in journal.waiting()] == [3]
    assert journal.remove(first)
    second = take(journal)
    assert (numbers(first), numbers(second)) == ([1, 2], [3])
    assert journal.remove(second)
    assert journal.waiting() == []


def test_a_lane_that_is_leased_is_not_taken_again(journal: LaneQueue, tenant: Tenant) -> None:
    tenant.send("acme")
    take(journal)
    wait = journal.take()
    assert isinstance(wait, float)
    assert 9 < wait <= 10


@pytest.mark.usefixtures("short_leases")
def test_after_its_lease_another_worker_takes_a_lane_and_the_first_changes_nothing(
    journal: LaneQueue, tenant: Tenant
) -> None:
    tenant.send("acme")
    killed = take(journal)
    again = take(journal)
    assert numbers(again) == numbers(killed)
    assert not journal.remove(killed)
    assert not journal.postpone(killed, 0)
    assert not journal.extend(killed)
    assert not journal.hold(killed, "acme", killed.ids)
    assert [waiting.entries for waiting in journal.waiting()] == [1]
    assert journal.remove(again)


@pytest.mark.usefixtures("short_leases")
def test_a_lease_can_be_extended(
    journal: LaneQueue, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant.send("acme")
    bundle = take(journal)
    monkeypatch.setattr(lane_queue_module, "LEASE_SECONDS", 60)
    assert journal.extend(bundle)
    time.sleep(2 * SECONDS)
    assert isinstance(journal.take(), float)
    assert journal.remove(bundle)


def test_a_postponed_lane_is_taken_after_the_pause(journal: LaneQueue, tenant: Tenant) -> None:
    tenant.send("acme")
    assert journal.postpone(take(journal), 0.1)
    wait = journal.take()
    assert isinstance(wait, float)
    assert 0 < wait <= 0.1
    assert numbers(take(journal)) == [1]


def test_ready_lanes_take_turns(journal: LaneQueue, tenant: Tenant, admissions: Admissions) -> None:
    journal.most_entries, journal.gather_seconds = 2, 0.0
    flood, other = tenant, Tenant(admissions, 8)
    flood.send(*["acme"] * 10)
    time.sleep(0.002)  # lanes are ordered by milliseconds
    other.send("acme")
    order = []
    for bundle in drained(journal):
        order.append(bundle.lane.organization_id)
        time.sleep(0.002)
    assert order == [7, 8, 7, 7, 7, 7]


def test_entries_gather_after_a_bundle_and_a_single_one_does_not_wait(
    journal: LaneQueue, tenant: Tenant
) -> None:
    tenant.send("acme")
    taken = journal.take()
    assert isinstance(taken, list)
    assert journal.remove(*taken)
    tenant.send("acme")
    wait = journal.take()
    assert isinstance(wait, float)
    assert 0 < wait <= GATHER_SECONDS
    tenant.send("acme")
    assert numbers(take(journal)) == [2, 3]


def test_bundles_are_bounded_by_bytes(
    journal: LaneQueue, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_queue_module, "MOST_BYTES", 60)
    tenant.send(*["acme"] * 9)
    sizes = [len(bundle) for bundle in drained(journal)]
    assert sum(sizes) == 9
    assert max(sizes) == 2


def test_an_entry_of_another_format_is_returned_whole_beside_the_others(
    journal: LaneQueue, tenant: Tenant, redis: Any
) -> None:
    tenant.send("acme")
    lane = Lane.of_company(7, "acme")
    redis.xadd(JOURNAL.entries + lane.name, {"9": b"\xff", "t": "5"})
    tenant.send("acme")
    bundle = take(journal)
    assert numbers(bundle) == [1, 2]
    [odd] = bundle.odd
    assert odd.fields == (b"9", b"\xff", b"t", b"5")
    assert len(bundle) == 3
    assert journal.remove(bundle)
    assert journal.waiting() == []


def test_a_held_company_gets_a_lane_of_its_own_and_keeps_its_order(
    journal: LaneQueue, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_queue_module, "HELD_PAUSE_SECONDS", 0.2)
    other = next(c for c in map(str, range(99)) if partition_of(c) == partition_of("acme"))
    tenant.send("acme", other, "acme")
    before = journal.waiting()[0].oldest_at
    bundle = take(journal)
    assert journal.hold(bundle, "acme", [bundle.ids[0], bundle.ids[2]])
    assert journal.remove(bundle)

    tenant.send("acme", other)
    again = take(journal)
    assert again.held == {"acme"}
    assert journal.hold(again, "acme", again.ids[:1])
    assert journal.remove(again)

    [waiting] = journal.waiting()
    assert (waiting.lane, waiting.entries) == (
        Lane.of_company(7, "acme")._replace(company="acme"),
        3,
    )
    assert waiting.oldest_at == before
    own = take(journal)
    assert numbers(own) == [1, 3, 4]
    assert journal.remove(own)
    time.sleep(2 * GATHER_SECONDS)
    assert journal.take() is None

    tenant.send("acme")
    assert take(journal).held == frozenset()


def test_the_time_of_acceptance_is_that_of_redis(
    journal: LaneQueue, tenant: Tenant, redis: Any
) -> None:
    seconds, microseconds = redis.time()
    tenant.send("acme")
    [waiting] = journal.waiting()
    at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)
    assert at <= waiting.oldest_at <= datetime.now(UTC)


def test_lanes_written_before_the_clock_was_set_back_are_taken_at_once(
    journal: LaneQueue, tenant: Tenant, redis: Any
) -> None:
    tenant.send("acme")
    [lane] = redis.zrange(JOURNAL.ready, 0, -1)
    redis.zadd(JOURNAL.ready, {lane: time.time() * 1000 + 3_600_000})
    assert take(journal)


def test_nothing_is_left_in_redis_once_everything_is_stored(
    journal: LaneQueue, tenant: Tenant, redis: Any
) -> None:
    tenant.send(*[f"c{n}" for n in range(20)])
    for _ in drained(journal):
        pass
    time.sleep(2 * GATHER_SECONDS)
    assert journal.take() is None
    left = {key.decode() for key in redis.keys("brazebee:{events}:*")}
    assert left <= {JOURNAL.lease_number, JOURNAL.bell}


def test_the_end_of_a_lease_rings_the_bell_for_those_who_found_every_lane_leased(
    journal: LaneQueue, tenant: Tenant
) -> None:
    tenant.send("acme")
    assert journal.wait(0.1) is not None
    bundle = take(journal)
    assert isinstance(journal.take(), float)
    assert journal.wait(0.05) is None
    journal.postpone(bundle, 0)
    assert journal.wait(1) is not None
