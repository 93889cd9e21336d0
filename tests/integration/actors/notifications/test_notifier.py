"""The actor that sends messages to people, in a running worker on a real queue."""

import time
from collections.abc import Iterator
from contextlib import closing

import dramatiq
import psycopg2
import pytest
from prometheus_client import generate_latest
from prometheus_client.core import CollectorRegistry

from actors.notifications.notifier import Notifier
from config.settings import Settings
from models.database import LOCK_TIMEOUT_MS, connect, database
from models.notifications.messages import Message, State
from queues import messages
from queues.broker import QueueBroker
from services.notifications.metrics import NotificationCollector, NotificationCounters
from services.times import utc_now
from tests.support.brokers import NewBroker
from tests.support.notifications.channels import Channel, channel
from tests.support.notifications.notified import RULES, Notified
from tests.support.product.brazebee_process import eventually

AT_MOST = 2
"""Attempts of the notifier at a time."""


class Working:
    """A worker that consumes the queue of notifications, and an organization that uses it."""

    def __init__(self, settings: Settings, broker: QueueBroker) -> None:
        self.acme = Notified(settings)
        self.broker = broker
        self.counters = NotificationCounters(broker.client)
        self.notifier = Notifier(self.acme.sender, self.counters, AT_MOST)

    def enqueue(self, *, times: int = 1) -> None:
        """Enqueue the messages that are not finished."""
        for message in self.unfinished():
            for _ in range(times):
                self.broker.enqueue(messages.notify(self.acme.world.id, message.id))

    def unfinished(self) -> list[Message]:
        return [m for m in self.acme.messages() if m.state in (State.OPEN, State.WAITING)]

    def metrics(self) -> dict[str, float]:
        """Return the metrics that are not 0."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(NotificationCollector(self.counters, utc_now))
        lines = generate_latest(registry).decode().splitlines()
        samples = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in samples if float(value)}


@pytest.fixture
def working(settings: Settings, new_broker: NewBroker, soon_stopped: None) -> Iterator[Working]:
    del soon_stopped  # a patch
    database.obj.close_all()
    connect(settings, lock_timeout_ms=LOCK_TIMEOUT_MS)
    working = Working(settings, new_broker(middleware=[]))

    @dramatiq.actor(
        broker=working.broker, queue_name=messages.NOTIFICATIONS, actor_name=messages.NOTIFY
    )
    def notify(organization_id: int, message_id: str) -> None:
        working.notifier.notify(organization_id, message_id)

    worker = dramatiq.Worker(working.broker, worker_threads=4, worker_timeout=50)
    worker.start()
    yield working
    worker.stop(timeout=5_000)


@pytest.fixture
def slack() -> Iterator[Channel]:
    with channel("slack") as served:
        yield served


def test_a_message_that_is_enqueued_again_and_again_is_sent_once_and_counted(
    working: Working, slack: Channel
) -> None:
    working.acme.apply(f"{RULES}  - to: {{slack: {slack.url}}}\n")
    working.acme.companies(1, 2, 1)
    assert working.metrics()['brazebee_notification_messages{state="open"}'] == 1
    assert 40 < working.metrics()["brazebee_notification_oldest_waiting_seconds"] < 120
    working.enqueue(times=20)
    eventually(lambda: not working.unfinished())
    working.broker.join(messages.NOTIFICATIONS, interval=20, timeout=8_000)
    assert len(slack.messages) == 1
    assert working.metrics() == {
        'brazebee_notification_attempts_total{outcome="sent",service="slack"}': 1,
        'brazebee_notification_destinations{state="active"}': 1,
    }


def test_failures_are_counted_by_what_follows(working: Working, slack: Channel) -> None:
    working.acme.apply(f"{RULES}  - to: {{slack: {slack.url}}}\n")
    working.acme.companies(1, 2, 1)
    slack.answer(500)
    working.enqueue()
    failing = 'brazebee_notification_destinations{state="failing"}'
    eventually(lambda: working.metrics().get(failing))
    slack.answer(404, "no_service")
    working.acme.end_waits()
    working.enqueue()
    paused = 'brazebee_notification_messages{state="paused"}'
    eventually(lambda: working.metrics().get(paused))
    assert working.metrics() == {
        'brazebee_notification_attempts_total{outcome="refused",service="slack"}': 1,
        'brazebee_notification_attempts_total{outcome="retried",service="slack"}': 1,
        'brazebee_notification_destinations{state="disabled"}': 1,
        paused: 1,
    }


def test_attempts_that_hang_leave_others_to_the_clock_and_none_begins_after_a_stop(
    working: Working, slack: Channel
) -> None:
    with channel("teams") as teams, channel("slack") as third:
        urls = [f"slack: {slack.url}", f"teams: {teams.url}", f"slack: {third.url}"]
        working.acme.apply(RULES + "".join(f"  - to: {{{url}}}\n" for url in urls))
        working.acme.companies(1, 2, 1)
        for place in (slack, teams, third):
            place.answers_at_once.clear()
        working.enqueue()
        eventually(lambda: sum(len(place.messages) for place in (slack, teams, third)) == AT_MOST)
        time.sleep(0.3)
        assert sum(len(place.messages) for place in (slack, teams, third)) == AT_MOST
        working.notifier.stop()
        for place in (slack, teams, third):
            place.answers_at_once.set()
        eventually(lambda: len(working.unfinished()) == 1)
        working.enqueue()
        working.broker.join(messages.NOTIFICATIONS, interval=20, timeout=8_000)
        assert len(working.unfinished()) == 1


def test_an_answer_is_recorded_though_the_message_is_locked_for_longer_than_workers_wait(
    working: Working, slack: Channel, settings: Settings
) -> None:
    working.acme.apply(f"{RULES}  - to: {{slack: {slack.url}}}\n")
    working.acme.companies(1, 2, 1)
    slack.answers_at_once.clear()
    working.enqueue()
    eventually(lambda: slack.messages)
    with closing(psycopg2.connect(settings.database_url)) as other, other.cursor() as cursor:
        cursor.execute("select from notification_messages for update")
        slack.answers_at_once.set()
        time.sleep(2 * LOCK_TIMEOUT_MS / 1000)
    eventually(lambda: not working.unfinished())
    assert [(message.state, message.attempts) for message in working.acme.messages()] == [
        ("sent", 1)
    ]
