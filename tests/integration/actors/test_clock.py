import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import redis
from dramatiq import Message

from actors import clock as clock_module
from actors.clock import Clock
from config.settings import Settings
from config.webhook_policy import LEASE, WebhookPolicy
from models.database import query, transaction
from models.organizations import organizations
from models.webhooks import deliveries, webhook_endpoints
from models.webhooks.deliveries import Attempt, Result, State
from queues import messages
from queues.broker import QueueBroker
from services.events.tracked_event import TrackedEvent
from services.health.overrides import FlagOfCompany, JudgingContext, Justification, snooze
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks
from services.webhooks.claims import claim
from tests.support.in_transactions import evaluate, store

POLICY = WebhookPolicy()

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)
MICROSECOND = 0.000001
SOON = 0.6
"""Seconds after which what is due must have been asked for, so as to be judged within one."""

RULES = """
version: 1
events: {login: , report: }
flags:
  - flag: Logs in
    event: login
    when: {At Risk: less than 2 times in 10 seconds}
"""

numbers = itertools.count(1)

pytestmark = pytest.mark.usefixtures("settings")


def after(seconds: float) -> datetime:
    return T0 + timedelta(microseconds=round(seconds * 1_000_000))


class RecordingBroker(QueueBroker):
    """A broker that remembers what it was given, or cannot be reached while `gone`."""

    def __init__(self, redis_url: str) -> None:
        client = redis.Redis.from_url(redis_url)
        super().__init__(client=client, middleware=[])  # type: ignore[no-untyped-call]
        self.sent: list[str] = []
        self.gone = False

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        if self.gone:
            raise redis.ConnectionError("nobody answers")
        if message.queue_name != messages.TOTALS:
            self.sent.append(str(message))
        return super().enqueue(message, delay=delay)


@pytest.fixture
def brokers(settings: Settings) -> Iterator[Callable[[], RecordingBroker]]:
    made: list[RecordingBroker] = []

    def make() -> RecordingBroker:
        made.append(RecordingBroker(settings.redis_url))
        return made[-1]

    yield make
    for broker in made:
        broker.client.close()


class Ticking:
    """A clock whose time is set by hand."""

    def __init__(self, broker: RecordingBroker) -> None:
        self.broker = broker
        self.now = T0
        self.clock = Clock(broker, lambda: self.now, POLICY)

    def at(self, seconds: float) -> list[str]:
        """What is asked for by a tick at this time."""
        self.now = after(seconds)
        self.broker.sent.clear()
        with transaction():
            sent = self.clock.tick()
        assert sent == len(self.broker.sent)
        return list(self.broker.sent)


@pytest.fixture
def ticking(brokers: Callable[[], RecordingBroker]) -> Ticking:
    return Ticking(brokers())


def new_organization(name: str = "o", rules: str = RULES) -> int:
    with transaction():
        organization_id = organizations.create(name).id
        apply_rules(organization_id, rules, file="rules.yaml", applied_by="test", now=after(-60))
    return organization_id


def track(organization_id: int, *times: float, key: str = "login", company: str = "acme") -> int:
    tracked = [
        TrackedEvent(
            organization_id=organization_id,
            key_id=None,
            event_id=f"e{next(numbers)}",
            event_key=key,
            company_id=company,
            company={"name": company},
            user_id=None,
            user={},
            data=None,
            occurred_at=after(at),
            received_at=after(at),
        )
        for at in times
    ]
    store(tracked, RuleBooks())
    with transaction():
        [row] = query(
            "select id from companies where organization_id = %(o)s and external_id = %(c)s",
            {"o": organization_id, "c": company},
        )
    company_id: int = row["id"]
    return company_id


def judge(company_id: int, at: float) -> list[UUID]:
    return evaluate([company_id], RuleBooks(), after(at)).written


def new_delivery(settings: Settings) -> UUID:
    """A webhook written at T0."""
    organization_id = new_organization()
    with transaction():
        webhook_endpoints.add(
            organization_id, "https://example.com/hook", secret_keys=settings.secret_keys
        )
    [delivery_id] = judge(track(organization_id, 0), 0)
    return delivery_id


# What a tick asks for


def test_where_nothing_is_due_nothing_is_sent(ticking: Ticking) -> None:
    assert ticking.at(0) == []
    judge(track(new_organization(), 0, 1), 1)
    assert ticking.at(1) == []


def test_a_flag_is_not_asked_for_before_it_is_due_and_then_in_time_to_be_judged_within_a_second(
    ticking: Ticking,
) -> None:
    company_id = track(new_organization(), 0.5, 1)
    judge(company_id, 1)
    assert ticking.at(10.5 - MICROSECOND) == []
    assert ticking.at(10.5 + SOON) == [f"evaluate({company_id})"]


def test_what_was_asked_for_is_asked_for_again_only_if_it_is_still_due_after_five_seconds(
    ticking: Ticking,
) -> None:
    company_id = track(new_organization(), 0, 1)
    judge(company_id, 1)
    assert ticking.at(11) == [f"evaluate({company_id})"]
    for seconds in (11, 11.2, 13, 16 - MICROSECOND):
        assert ticking.at(seconds) == []
    assert ticking.at(16) == [f"evaluate({company_id})"]
    assert ticking.at(18) == []
    judge(company_id, 18)
    assert ticking.at(60) == []


def test_a_flag_due_soon_after_another_of_its_company_is_not_late(ticking: Ticking) -> None:
    rules = """
version: 1
events: {login: }
flags:
  - {flag: A, event: login, when: {At Risk: no activity for 10 seconds}}
  - {flag: B, event: login, when: {Critical: no activity for 12 seconds}}
"""
    company_id = track(new_organization(rules=rules), 0)
    judge(company_id, 0)
    assert ticking.at(10 + SOON) == [f"evaluate({company_id})"]
    judge(company_id, 10 + SOON)
    assert ticking.at(12 + SOON) == [f"evaluate({company_id})"]


def test_a_flag_due_again_soon_after_it_recovered_is_not_late(ticking: Ticking) -> None:
    organization_id = new_organization()
    company_id = track(organization_id, 0, 2)
    judge(company_id, 2)
    assert ticking.at(10 + SOON) == [f"evaluate({company_id})"]
    judge(company_id, 10 + SOON)
    track(organization_id, 11)
    judge(company_id, 11)
    assert ticking.at(12 + SOON) == [f"evaluate({company_id})"]


@pytest.mark.parametrize("fetched", [False, True])
def test_while_an_older_event_is_not_stored_nothing_is_judged_past_it(
    ticking: Ticking, brokers: Callable[[], RecordingBroker], *, fetched: bool
) -> None:
    organization_id = new_organization()
    sooner, later = (track(organization_id, at, at + 1, company=f"c{at}") for at in (0, 5))
    for company_id in (sooner, later):
        judge(company_id, 6)
    posted_at = round(after(12).timestamp() * 1000)
    worker = brokers()
    worker.enqueue(replace(messages.persist([]), message_timestamp=posted_at))
    consumer = worker.consume(messages.EVENTS, timeout=1)
    message = next(consumer) if fetched else None

    assert ticking.at(30) == [f"evaluate({sooner})"], "the other is due after the event"

    judge(sooner, 30)
    message = message or next(consumer)
    assert message is not None
    consumer.ack(message)
    assert ticking.at(30.2) == [f"evaluate({later})"]


def test_while_events_wait_few_companies_are_asked_for_and_all_once_none_waits(
    ticking: Ticking, brokers: Callable[[], RecordingBroker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_module, "WHILE_BEHIND", 2)
    organization_id = new_organization()
    ids = [track(organization_id, at, company=f"c{at}") for at in range(5)]
    posted_at = round(after(5).timestamp() * 1000)
    worker = brokers()
    worker.enqueue(replace(messages.persist([]), message_timestamp=posted_at))

    asked = [f"evaluate({company_id})" for company_id in ids]
    assert ticking.at(10) == asked[:2], "those that wait the longest"
    assert ticking.at(10.2) == []
    assert ticking.at(11) == asked[2:4]

    consumer = worker.consume(messages.EVENTS, timeout=1)
    message = next(consumer)
    assert message is not None
    consumer.ack(message)
    judge(ids[0], 11)
    last = track(organization_id, 11.1, company="c0")
    assert ticking.at(11.3) == [asked[4], f"evaluate({last})"], "asked for: the others"


def test_pages_are_summed_up_seldom_while_events_wait(
    ticking: Ticking, brokers: Callable[[], RecordingBroker]
) -> None:
    def summed_up(at: float) -> bool:
        ticking.at(at)
        waiting = ticking.broker.waiting(messages.TOTALS)
        ticking.broker.flush(messages.TOTALS)
        return waiting > 0

    assert [summed_up(at) for at in (10, 19, 20)] == [True, False, True]

    track(new_organization(), 20)
    posted_at = round(after(20).timestamp() * 1000)
    worker = brokers()
    worker.enqueue(replace(messages.persist([]), message_timestamp=posted_at))
    assert [summed_up(at) for at in (31, 79, 80)] == [False, False, True]

    message = next(worker.consume(messages.EVENTS, timeout=1))
    assert message is not None
    worker.consume(messages.EVENTS, timeout=1).ack(message)
    assert [summed_up(at) for at in (85, 95)] == [False, True]


def test_a_company_that_cannot_be_judged_does_not_stand_before_the_others(
    ticking: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_module, "CHUNK", 1)
    organization_id = new_organization()
    first, second = (track(organization_id, at, company=f"c{at}") for at in (0, 1))
    assert ticking.at(10) == [f"evaluate({first})"]
    ticking.broker.client.flushdb()
    assert ticking.at(10.2) == [f"evaluate({second})"]
    ticking.broker.client.flushdb()
    assert ticking.at(10.4) == []


def test_a_company_with_several_reasons_is_asked_for_once(ticking: Ticking) -> None:
    organization_id = new_organization()
    company_id = track(organization_id, 0, 1)
    judge(company_id, 1)
    with transaction():
        apply_rules(organization_id, RULES + "# new\n", file="r", applied_by="test", now=after(2))
    track(organization_id, 3)
    assert ticking.at(20) == [f"evaluate({company_id})"]


def snooze_login(organization_id: int, at: float, until: float, *, stored_until: float) -> None:
    with transaction():
        snooze(
            FlagOfCompany(organization_id, "acme", "Logs in"),
            after(until),
            Justification("on hold", "ann", "test"),
            JudgingContext(RuleBooks(), after(at), after(stored_until)),
        )


def test_the_end_of_an_override_is_asked_for_in_time_to_be_recorded_within_a_second(
    ticking: Ticking,
) -> None:
    organization_id = new_organization()
    company_id = track(organization_id, 0)
    judge(company_id, 0)
    snooze_login(organization_id, 2, 30.5, stored_until=2)
    assert ticking.at(30.5 - MICROSECOND) == []
    assert ticking.at(30.5 + SOON) == [f"evaluate({company_id})"]
    judge(company_id, 30.5 + SOON)
    assert ticking.at(60) == []


def test_an_override_that_waits_for_events_is_asked_for_until_it_is_recorded(
    ticking: Ticking,
) -> None:
    organization_id = new_organization()
    company_id = track(organization_id, 0)
    judge(company_id, 0)
    snooze_login(organization_id, 20, 30, stored_until=15)
    assert ticking.at(20 + SOON) == [f"evaluate({company_id})"]
    assert ticking.at(21) == []
    assert ticking.at(26) == [f"evaluate({company_id})"]
    judge(company_id, 26)
    assert ticking.at(29) == []


def test_the_longest_overdue_are_asked_for_first(ticking: Ticking) -> None:
    organization_id = new_organization()
    later = track(organization_id, 3, 4, company="later")
    sooner = track(organization_id, 1, 2, company="sooner")
    for company_id in (later, sooner):
        judge(company_id, 4)
    assert ticking.at(60) == [f"evaluate({sooner})", f"evaluate({later})"]


def test_an_event_whose_judgement_got_lost_is_found_after_two_seconds(ticking: Ticking) -> None:
    organization_id = new_organization()
    company_id = track(organization_id, 0)
    judge(company_id, 0)
    track(organization_id, 1)
    assert ticking.at(3) == []
    assert ticking.at(3 + MICROSECOND) == [f"evaluate({company_id})"]
    judge(company_id, 4)
    assert ticking.at(9) == []


def test_companies_that_older_rules_judged_are_asked_for_at_once_and_no_others(
    ticking: Ticking,
) -> None:
    ours, theirs = new_organization("ours"), new_organization("theirs")
    first, second = track(ours, 0, company="first"), track(ours, 0, company="second")
    other = track(theirs, 0)
    for company_id in (first, second, other):
        judge(company_id, 0)
    with transaction():
        apply_rules(ours, RULES + "# new\n", file="r", applied_by="test", now=after(1))
    assert sorted(ticking.at(1)) == sorted([f"evaluate({first})", f"evaluate({second})"])
    for company_id in (first, second):
        judge(company_id, 1.5)
    assert ticking.at(60) == []


def test_companies_known_before_the_first_rules_are_asked_for(ticking: Ticking) -> None:
    with transaction():
        organization_id = organizations.create("o").id
    company_id = track(organization_id, 0)
    assert ticking.at(10) == []
    with transaction():
        apply_rules(organization_id, RULES, file="r", applied_by="test", now=after(10))
    assert ticking.at(10) == [f"evaluate({company_id})"]


def test_a_new_delivery_whose_message_got_lost_is_found_after_two_seconds(
    ticking: Ticking, settings: Settings
) -> None:
    delivery_id = new_delivery(settings)
    assert ticking.at(2 - MICROSECOND) == []
    assert ticking.at(2) == [f"deliver('{delivery_id}', 1)"]


def test_a_failed_delivery_is_asked_for_when_its_next_attempt_is_due(
    ticking: Ticking, settings: Settings
) -> None:
    delivery_id = new_delivery(settings)
    for number, wait in enumerate(POLICY.retry_delays, start=1):
        failed = Attempt(T0, 5, 500, "answered 500", "")
        result = Result(State.WAITING, counts=True, next_attempt_at=T0 + wait)
        claimed = claim(delivery_id, number, T0, POLICY)
        assert claimed is not None
        with transaction():
            deliveries.finish(claimed.delivery, claimed.token, failed, result, T0)
        due = wait.total_seconds()
        assert ticking.at(due - MICROSECOND) == []
        assert ticking.at(due) == [f"deliver('{delivery_id}', {number + 1})"]


def test_an_attempt_that_never_came_to_an_end_is_asked_for_again_when_its_lease_is_over(
    ticking: Ticking, settings: Settings
) -> None:
    delivery_id = new_delivery(settings)
    assert claim(delivery_id, 1, T0, POLICY) is not None
    lease = LEASE.total_seconds()
    assert ticking.at(lease - MICROSECOND) == []
    assert ticking.at(lease) == [f"deliver('{delivery_id}', 1)"]


def test_what_redis_did_not_take_is_asked_for_again_at_once(ticking: Ticking) -> None:
    company_id = track(new_organization(), 0, 1)
    judge(company_id, 1)
    ticking.broker.gone = True
    with pytest.raises(redis.ConnectionError):
        ticking.at(11)
    ticking.broker.gone = False
    assert ticking.at(11.2) == [f"evaluate({company_id})"]


# Who leads


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
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter pauses, so that the tests need not wait for the real ones."""
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
        assert time.monotonic() < deadline, "it never came true"
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
    """A company that is due whenever a running clock looks."""
    del settings  # the database
    company_id = track(new_organization(), 0, 1)
    judge(company_id, 1)
    return company_id


@pytest.mark.usefixtures("impatient")
def test_of_two_clocks_only_one_leads_and_the_other_takes_over_when_it_stops(
    due_company: int, brokers: Callable[[], RecordingBroker]
) -> None:
    with ExitStack() as running:
        clocks = [running.enter_context(running_clock(brokers())) for _ in range(2)]
        eventually(lambda: any(clock.leads for clock in clocks))
        time.sleep(0.2)  # ten ticks, in which the other one must keep still
        [leader] = [clock for clock in clocks if clock.leads]
        [standby] = [clock for clock in clocks if not clock.leads]
        assert leader.broker.sent == [f"evaluate({due_company})"]
        leader.stop()
        eventually(lambda: standby.leads)
        assert standby.broker.sent == [f"evaluate({due_company})"]


@pytest.mark.usefixtures("impatient", "due_company")
def test_when_the_leader_loses_its_connection_somebody_leads_again(
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


@pytest.mark.usefixtures("impatient")
def test_a_clock_goes_on_when_redis_is_back(
    due_company: int, brokers: Callable[[], RecordingBroker]
) -> None:
    with running_clock(brokers()) as clock:
        clock.broker.gone = True
        time.sleep(0.2)
        assert clock.thread.is_alive()
        clock.broker.gone = False
        eventually(lambda: clock.leads)
        assert clock.broker.sent == [f"evaluate({due_company})"]


@pytest.mark.usefixtures("impatient")
def test_a_clock_that_is_told_to_stop_gives_back_the_lead(
    brokers: Callable[[], RecordingBroker],
) -> None:
    with running_clock(brokers()) as clock:
        eventually(lambda: leading_backends() != [])
        clock.stop()
        assert leading_backends() == []


def test_what_pages_read_is_summed_up_each_ten_seconds_unless_one_waits(ticking: Ticking) -> None:
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
