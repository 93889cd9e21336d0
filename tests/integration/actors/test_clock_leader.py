"""Only one of several clocks leads, and a clock survives outages."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from actors.clock import Clock
from config.settings import Settings
from models.database import query, transaction
from queues import messages
from tests.support.clocks import POLICY, RecordingBroker, Ticking, judge, new_organization, track
from tests.support.world import after

pytestmark = pytest.mark.usefixtures("settings")


@dataclass
class Running:
    """A clock process, as a thread with a connection of its own."""

    broker: RecordingBroker
    stopping: threading.Event
    thread: threading.Thread

    @property
    def leads(self) -> bool:
        return bool(self.broker.sent)

    def stop(self) -> None:
        self.stopping.set()
        self.thread.join(5)
        assert not self.thread.is_alive()


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses of clocks."""
    monkeypatch.setattr("actors.clock.TICK_SECONDS", 0.02)
    monkeypatch.setattr("actors.clock.RETRY_PAUSE_SECONDS", 0.05)


@contextmanager
def running_clock(broker: RecordingBroker) -> Iterator[Running]:
    stopping = threading.Event()
    thread = threading.Thread(
        target=Clock(broker, lambda: after(100), POLICY).run, args=(stopping,)
    )
    running = Running(broker, stopping, thread)
    thread.start()
    try:
        yield running
    finally:
        running.stop()


def eventually(holds: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.01)


def leading_backends() -> list[int]:
    with transaction():
        rows = query(
            "select l.pid from pg_locks l join pg_database d on d.oid = l.database"
            " where l.locktype = 'advisory' and l.granted and d.datname = current_database()"
        )
    return [row["pid"] for row in rows]


@pytest.fixture
def due_company(settings: Settings) -> int:
    """Create a company that is due at every tick of a running clock."""
    del settings  # the database
    company_id = track(new_organization(), 0, 1)
    judge(company_id, 1)
    return company_id


@pytest.mark.usefixtures("short_pauses")
def test_of_two_clocks_only_one_leads_and_the_other_takes_over_when_it_stops(
    due_company: int, brokers: Callable[[], RecordingBroker]
) -> None:
    with ExitStack() as running:
        clocks = [running.enter_context(running_clock(brokers())) for _ in range(2)]
        eventually(lambda: any(clock.leads for clock in clocks))
        time.sleep(0.2)  # ten ticks, during which the other clock must do nothing
        [leader] = [clock for clock in clocks if clock.leads]
        [standby] = [clock for clock in clocks if not clock.leads]
        assert leader.broker.sent == [f"evaluate({due_company})"]
        leader.stop()
        eventually(lambda: standby.leads)
        assert standby.broker.sent == [f"evaluate({due_company})"]


@pytest.mark.usefixtures("short_pauses", "due_company")
def test_a_clock_leads_again_after_the_leader_lost_its_connection(
    brokers: Callable[[], RecordingBroker],
) -> None:
    with ExitStack() as running:
        clocks = [running.enter_context(running_clock(brokers())) for _ in range(2)]
        eventually(lambda: any(clock.leads for clock in clocks))
        [leading] = leading_backends()
        with transaction():
            query("select pg_terminate_backend(%(pid)s)", {"pid": leading})
        eventually(lambda: leading_backends() not in ([], [leading]))
        time.sleep(0.2)
        assert len(leading_backends()) == 1
        assert all(clock.thread.is_alive() for clock in clocks)


@pytest.mark.usefixtures("short_pauses")
def test_a_clock_continues_when_redis_is_back(
    due_company: int, brokers: Callable[[], RecordingBroker]
) -> None:
    with running_clock(brokers()) as clock:
        clock.broker.gone = True
        time.sleep(0.2)
        assert clock.thread.is_alive()
        clock.broker.gone = False
        eventually(lambda: clock.leads)
        assert clock.broker.sent == [f"evaluate({due_company})"]


@pytest.mark.usefixtures("short_pauses")
def test_a_clock_that_is_stopped_releases_the_lock(
    brokers: Callable[[], RecordingBroker],
) -> None:
    with running_clock(brokers()) as clock:
        eventually(lambda: leading_backends() != [])
        clock.stop()
        assert leading_backends() == []


def test_totals_are_refreshed_every_ten_seconds_unless_a_refresh_waits(ticking: Ticking) -> None:
    def waiting() -> int:
        return ticking.broker.waiting(messages.TOTALS)

    ticking.at(0)
    assert waiting() == 1
    ticking.at(30)
    assert waiting() == 1
    ticking.broker.flush(messages.TOTALS)
    ticking.at(31)
    assert waiting() == 1
    ticking.broker.flush(messages.TOTALS)
    ticking.at(40)
    assert waiting() == 0
