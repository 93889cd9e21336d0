"""Thousands of deliveries of one organization do not delay the webhooks of another."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.load.receivers import fast_receiver
from tests.support.product.brazebee_process import Brazebee
from tests.support.product.tenant import Subscriber
from tests.support.webhooks.receiver import Receiver

MANY = 5_000
CHANGES = 25

DUE = "'waiting', null, now()"
PAUSED = "'paused', null, null"


def add_deliveries(subscriber: Subscriber, endpoint: str, state: str) -> None:
    """Add many deliveries in a state."""
    subscriber.brazebee.execute(
        "insert into deliveries (id, organization_id, endpoint_id, transition_id, message_id,"
        " payload, state, finished_at, next_attempt_at, created_at)"
        f" select gen_random_uuid(), {subscriber.id}, '{endpoint}', null, 'msg_1', '{{}}',"
        f" {state}, now() from generate_series(1, {MANY})"
    )


def due(subscriber: Subscriber, endpoint: str) -> None:
    add_deliveries(subscriber, endpoint, DUE)


def enabled(subscriber: Subscriber, endpoint: str) -> None:
    assert subscriber.run("webhooks", "disable", endpoint).returncode == 0
    add_deliveries(subscriber, endpoint, PAUSED)
    assert subscriber.run("webhooks", "enable", endpoint).returncode == 0


@pytest.fixture
def busy(brazebee: Brazebee, tmp_path: Path) -> Iterator[Subscriber]:
    """An organization whose deliveries are many."""
    assert brazebee.run("org", "create", "busy").returncode == 0
    made = Subscriber(brazebee, "busy", tmp_path)
    yield made
    made.remove_endpoints()


@pytest.mark.long
def test_many_deliveries_of_one_organization_delay_no_other(
    subscriber: Subscriber, busy: Subscriber, receiver: Receiver
) -> None:
    _, secret = subscriber.add(receiver.url)
    subscriber.track("first")
    receiver.next(secret)
    for begin in (due, enabled):
        arrived: list[float] = []
        with fast_receiver(lambda _, arrived=arrived: arrived.append(time.time())) as url:
            begin(busy, busy.add(url)[0])
            companies = [f"{begin.__name__}{number}" for number in range(CHANGES)]
            accepted = subscriber.track_in_turn(companies)
            overtaken_by = []
            for _ in range(CHANGES):
                at, payload = receiver.next(secret)
                since = accepted[payload["company"]["id"]]
                overtaken_by.append(sum(since <= busy_at <= at for busy_at in arrived))
        assert 0 < len(arrived) < MANY, "those of the other organization are being sent"
        assert max(overtaken_by) < MANY / 10
