"""Events get their times from the clock of Redis, also after that was set back (R11)."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from queues.admissions import AdmissionRequest, Admissions, RateWindow
from queues.backlog import LONGEST_UNKNOWN, Backlog
from queues.broker import QueueBroker
from queues.lanes.keys import JOURNAL
from queues.lanes.lane import Lane
from queues.lanes.lane_queue import FORMAT, LEASE_SECONDS, LaneQueue
from tests.support.brokers import NewBroker

HOUR = timedelta(hours=1)
LANE = Lane.of_company(7, "acme")


MINUTE = RateWindow(7, limit=9, seconds=60)


@pytest.fixture
def broker(new_broker: NewBroker) -> QueueBroker:
    return new_broker()


@pytest.fixture
def admissions(broker: QueueBroker) -> Iterator[Admissions]:
    admissions = Admissions(broker.client)
    yield admissions
    admissions.close()


def append(broker: QueueBroker, **fields: str | bytes | float) -> None:
    """Append an entry to the lane of a company, with these fields after its content."""
    broker.client.xadd(JOURNAL.entries + LANE.name, {FORMAT: "{}", **fields})
    broker.client.zadd(JOURNAL.ready, {LANE.name: int(time.time() * 1000)})


def micros(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)


def accepted_at(journal: LaneQueue) -> list[datetime]:
    taken = journal.take()
    assert isinstance(taken, list)
    return [at for bundle in taken for at in bundle.accepted_at]


def test_a_bundle_has_the_time_of_each_acceptance(
    broker: QueueBroker, admissions: Admissions
) -> None:
    before = admissions.present()
    for number in range(2):
        event: dict[str, Any] = {"company": {"id": "acme"}, "n": number}
        admissions.admit(AdmissionRequest(MINUTE, [event]))
    first, second = accepted_at(LaneQueue.of_events(broker.client))
    assert before <= first <= second <= admissions.present()


def test_a_time_ahead_of_the_clock_of_redis_becomes_the_present(broker: QueueBroker) -> None:
    append(broker, t=micros(datetime.now(UTC) + HOUR))
    [at] = accepted_at(LaneQueue.of_events(broker.client))
    assert timedelta(0) <= datetime.now(UTC) - at < timedelta(seconds=5)


@pytest.mark.parametrize("fields", [{}, {"t": "soon"}, {"t": "1.5"}, {"t": "9" * 30}])
def test_an_entry_without_a_time_stops_no_other(
    broker: QueueBroker, fields: dict[str, str]
) -> None:
    append(broker, **fields)
    journal = LaneQueue.of_events(broker.client)
    [waiting] = journal.waiting()
    assert waiting.oldest_at is None
    [at] = accepted_at(journal)
    assert timedelta(0) <= datetime.now(UTC) - at < timedelta(seconds=5)


def test_no_company_is_judged_past_an_event_that_was_accepted_before_the_clock_was_set_back(
    broker: QueueBroker,
) -> None:
    append(broker, t=micros(datetime.now(UTC) + HOUR))
    reading = Backlog(broker, lambda: datetime.now(UTC)).read()
    assert reading.of(7, "acme") <= reading.now - LONGEST_UNKNOWN + timedelta(seconds=1)
    assert reading.of(8, "acme") == reading.now


def test_the_present_of_the_backlog_is_that_of_the_earlier_clock(broker: QueueBroker) -> None:
    for skew in (-HOUR, HOUR):
        reading = Backlog(broker, lambda skew=skew: datetime.now(UTC) + skew).read()
        present = datetime.now(UTC)
        assert abs(reading.now - min(present, present + skew)) < timedelta(seconds=5)
        assert reading.latest_now is not None
        assert abs(reading.latest_now - max(present, present + skew)) < timedelta(seconds=5)


def test_a_lane_whose_lease_is_beyond_any_is_taken_at_once(broker: QueueBroker) -> None:
    """Its worker took it before the clock was set back by half a minute."""
    append(broker, t=micros(datetime.now(UTC)))
    score = (time.time() + 30 + LEASE_SECONDS) * 1000
    broker.client.zadd(JOURNAL.ready, {LANE.name: score})
    assert accepted_at(LaneQueue.of_events(broker.client))


def test_a_window_of_the_rate_limit_ends_in_time_after_the_clock_was_set_back(
    broker: QueueBroker, admissions: Admissions
) -> None:
    admissions.admit(AdmissionRequest(MINUTE))
    [counter] = broker.client.keys("brazebee:requests:*")
    broker.client.pexpire(counter, 3_660_000)
    admission = admissions.admit(AdmissionRequest(MINUTE))
    assert (admission.requests, admission.ends_in_ms) == (2, 60_000)
