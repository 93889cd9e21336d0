"""Redis whose memory is filled, by keys that are not ours: workers go on with what they do."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import redis

from queues import messages
from queues.admissions import AdmissionRequest, Admissions, RateWindow
from queues.broker import QueueBroker
from queues.lanes.lane_queue import Bundle, LaneQueue
from tests.support.brokers import NewBroker

FOREIGN = 1_000_000
"""Bytes."""


@pytest.fixture
def broker(new_broker: NewBroker) -> QueueBroker:
    return new_broker()


@pytest.fixture
def admissions(broker: QueueBroker) -> Iterator[Admissions]:
    admissions = Admissions(broker.client)
    yield admissions
    admissions.close()


@pytest.fixture
def client(broker: QueueBroker) -> Iterator[redis.Redis]:
    client: redis.Redis = broker.client
    yield client
    client.config_set("maxmemory", 0)


def fill(client: redis.Redis) -> None:
    """Let a key of somebody else take all the memory."""
    client.set("foreign", b"x" * FOREIGN)
    client.config_set("maxmemory", FOREIGN)
    with pytest.raises(redis.ResponseError, match="maxmemory"):
        client.set("another", b"x")


def send(admissions: Admissions, company: str) -> None:
    event: dict[str, Any] = {"company": {"id": company}}
    admissions.admit(AdmissionRequest(RateWindow(7, 9, 60), [event]))


def taken(broker: QueueBroker, queue: str) -> Any:
    """Return what a worker is handed out first."""
    consumer = broker.consume(queue, timeout=1)
    return next(filter(None, (next(consumer) for _ in range(3))), None)


def taken_bundle(journal: LaneQueue) -> Bundle:
    bundles = journal.take()
    assert isinstance(bundles, tuple | list)
    return bundles[0]


def test_workers_take_accepted_events_and_remove_them(
    broker: QueueBroker, admissions: Admissions, client: redis.Redis
) -> None:
    send(admissions, "a")
    fill(client)
    message = taken(broker, messages.EVENTS)
    assert message is not None
    [bundles] = message.args
    LaneQueue.of_events(client).remove(*bundles)
    assert admissions.waiting() == 0


def test_workers_extend_a_lease_and_hold_a_company(
    admissions: Admissions, client: redis.Redis
) -> None:
    send(admissions, "a")
    fill(client)
    journal = LaneQueue.of_events(client)
    bundle = taken_bundle(journal)
    assert journal.extend(bundle)
    assert journal.hold(bundle, "a", bundle.ids)


def test_companies_are_enqueued_and_taken(broker: QueueBroker, client: redis.Redis) -> None:
    fill(client)
    broker.evaluations.enqueue([(7, 1)])
    assert taken(broker, messages.HEALTH) is not None


@pytest.mark.parametrize("many", [False, True])
def test_deliveries_are_enqueued_taken_and_removed(
    broker: QueueBroker, client: redis.Redis, *, many: bool
) -> None:
    fill(client)
    message = replace(messages.evaluate(7), queue_name=messages.WEBHOOKS)
    if many:
        broker.enqueue_all([message])
    else:
        broker.enqueue(message)
    consumer = broker.consume(messages.WEBHOOKS, timeout=1)
    received = next(consumer)
    assert received is not None
    consumer.ack(received)
    assert broker.oldest_unacknowledged(messages.WEBHOOKS) is None


@pytest.mark.parametrize("share", [0.9, 1.5])
def test_a_full_redis_is_logged_once_with_what_to_do(
    admissions: Admissions, client: redis.Redis, caplog: pytest.LogCaptureFixture, share: float
) -> None:
    client.set("foreign", b"x" * FOREIGN)
    client.config_set("maxmemory", round(client.info("memory")["used_memory"] / share))
    for company in ("a", "b"):
        with suppress(redis.ResponseError):
            send(admissions, company)
    assert caplog.text.count("Redis is nearly full: no event is accepted") == 1
    assert "remove keys that are not Brazebee's" in caplog.text
    assert admissions.waiting() == 0
