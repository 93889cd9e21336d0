"""Which attempts may wait for an answer, and whose work comes first."""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from uuid import UUID

import pytest

from actors.capacity import Capacity
from actors.permits import WORKING, WORKING_FOR_OTHERS, Rank

HEALTHY, HANGING, NEW = (UUID(int=number) for number in (1, 2, 3))


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def capacity(clock: Clock) -> Capacity:
    return Capacity(threads=8, clock=clock)


def attempt(capacity: Capacity, clock: Clock, endpoint: UUID, seconds: float) -> None:
    with capacity.waiting(endpoint):
        clock.now += seconds


def test_an_endpoint_is_ranked_by_its_last_attempt(capacity: Capacity, clock: Clock) -> None:
    ranks = [capacity.rank(NEW)]
    for seconds in (1.0, 1.01, 15.0, 0.1):
        attempt(capacity, clock, NEW, seconds)
        ranks.append(capacity.rank(NEW))
    assert ranks == [Rank.UNKNOWN, Rank.QUICK, Rank.SLOW, Rank.SLOW, Rank.QUICK]


def test_an_attempt_that_raises_is_ranked_by_its_duration_too(
    capacity: Capacity, clock: Clock
) -> None:
    def fail(seconds: float) -> None:
        with capacity.waiting(NEW):
            clock.now += seconds
            raise TimeoutError

    for seconds, rank in ((15.0, Rank.SLOW), (0.1, Rank.QUICK)):
        with pytest.raises(TimeoutError):
            fail(seconds)
        assert capacity.rank(NEW) is rank


def test_an_endpoint_that_begins_to_hang_is_slow_from_the_first_second_on(
    capacity: Capacity, clock: Clock
) -> None:
    attempt(capacity, clock, HANGING, 0.01)
    with capacity.waiting(HANGING):
        clock.now += 1.0
        assert capacity.rank(HANGING) is Rank.QUICK
        clock.now += 0.01
        assert capacity.rank(HANGING) is Rank.SLOW
        assert capacity.rank(HEALTHY) is Rank.UNKNOWN


def test_a_quarter_of_the_threads_is_for_endpoints_that_answered_quickly(
    capacity: Capacity, clock: Clock
) -> None:
    attempt(capacity, clock, HEALTHY, 0.01)
    attempt(capacity, clock, HANGING, 15)
    with ExitStack() as waiting:
        for _ in range(6):
            assert capacity.has_room(HANGING)
            assert capacity.has_room(NEW)
            waiting.enter_context(capacity.waiting(HANGING))
        assert not capacity.has_room(HANGING)
        assert not capacity.has_room(NEW)
        assert capacity.has_room(HEALTHY)
    assert capacity.has_room(HANGING)


class Works:
    """Threads that work when it is the turn of their endpoints, and the order in which they did."""

    def __init__(self, capacity: Capacity) -> None:
        self.capacity = capacity
        self.order: list[object] = []
        self.threads: list[threading.Thread] = []

    def start(self, endpoint: UUID, *, organization_id: int = 1, name: object = None) -> None:
        def work() -> None:
            with self.capacity.working(organization_id, endpoint):
                self.order.append(name)

        self.threads.append(threading.Thread(target=work))
        self.threads[-1].start()

    def finish(self) -> None:
        for thread in self.threads:
            thread.join(5)


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_few_threads_work_at_a_time_and_fewer_for_endpoints_that_did_not_answer_quickly(
    capacity: Capacity, clock: Clock
) -> None:
    attempt(capacity, clock, HEALTHY, 0.01)
    works = Works(capacity)
    with ExitStack() as working:
        for _ in range(WORKING_FOR_OTHERS):
            working.enter_context(capacity.working(1, NEW))
        works.start(HANGING, name="another")
        eventually(lambda: capacity.permits.waiting == 1)
        for _ in range(WORKING - WORKING_FOR_OTHERS):
            working.enter_context(capacity.working(1, HEALTHY))
        works.start(HEALTHY, name="healthy")
        eventually(lambda: capacity.permits.waiting == 2)
        assert works.order == []
    works.finish()
    assert sorted(map(str, works.order)) == ["another", "healthy"]


def test_quick_endpoints_come_first_then_unknown_ones_and_slow_ones_last(
    capacity: Capacity, clock: Clock
) -> None:
    attempt(capacity, clock, HEALTHY, 0.01)
    attempt(capacity, clock, HANGING, 15)
    works = Works(capacity)
    with ExitStack() as working:
        for _ in range(WORKING_FOR_OTHERS):
            working.enter_context(capacity.working(1, NEW))
        for _ in range(WORKING - WORKING_FOR_OTHERS - 1):
            working.enter_context(capacity.working(1, HEALTHY))
        last = working.enter_context(ExitStack())
        last.enter_context(capacity.working(1, HEALTHY))
        for number, (endpoint, name) in enumerate(
            [(HANGING, "slow"), (NEW, "unknown"), (HEALTHY, "quick")]
        ):
            works.start(endpoint, name=name)
            eventually(lambda number=number: capacity.permits.waiting == number + 1)
        last.close()
        eventually(lambda: works.order == ["quick"])
    works.finish()
    assert set(works.order[1:]) == {"unknown", "slow"}


def test_organizations_take_turns(capacity: Capacity, clock: Clock) -> None:
    attempt(capacity, clock, HEALTHY, 0.01)
    works = Works(capacity)
    with ExitStack() as working:
        for _ in range(WORKING - 1):
            working.enter_context(capacity.working(9, HEALTHY))
        one_permit = working.enter_context(ExitStack())
        one_permit.enter_context(capacity.working(9, HEALTHY))
        for number in range(20):
            works.start(HEALTHY, organization_id=1, name=1)
            eventually(lambda number=number: capacity.permits.waiting == number + 1)
        works.start(HEALTHY, organization_id=2, name=2)
        eventually(lambda: capacity.permits.waiting == 21)
        one_permit.close()
        works.finish()
    assert works.order.index(2) <= 2


def test_only_so_many_endpoints_are_remembered(
    capacity: Capacity, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.capacity.REMEMBERED", 2)
    for endpoint in (HEALTHY, NEW, HEALTHY, HANGING):
        attempt(capacity, clock, endpoint, 0.01)
    assert [capacity.rank(e) for e in (HEALTHY, HANGING, NEW)] == [
        Rank.QUICK,
        Rank.QUICK,
        Rank.UNKNOWN,
    ]


def test_when_many_wait_to_work_only_quick_endpoints_get_another_thread(
    capacity: Capacity, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.capacity.MOST_WAITING_TO_WORK", 1)
    attempt(capacity, clock, HEALTHY, 0.01)
    works = Works(capacity)
    with ExitStack() as working:
        for _ in range(WORKING_FOR_OTHERS):
            working.enter_context(capacity.working(1, NEW))
        assert capacity.has_room(NEW)
        works.start(NEW)
        eventually(lambda: capacity.permits.waiting == 1)
        assert not capacity.has_room(NEW)
        assert capacity.has_room(HEALTHY)
    works.finish()


@pytest.mark.parametrize(("endpoint", "rests"), [(NEW, True), (HEALTHY, False)])
def test_a_permit_rests_for_as_long_as_it_was_used_unless_the_endpoint_is_quick(
    capacity: Capacity, clock: Clock, endpoint: UUID, *, rests: bool
) -> None:
    attempt(capacity, clock, HEALTHY, 0.01)
    with capacity.working(1, endpoint):
        time.sleep(0.015)
        ended = time.monotonic()
    assert (time.monotonic() - ended >= 0.015) is rests
