import orjson
import pytest
from dramatiq import Message
from dramatiq.broker import MessageProxy

from queues import messages
from queues.broker import HEARTBEAT_TIMEOUT_MS, QueueBroker
from tests.support.brokers import NewBroker, silent_for


def enqueue_events(broker: QueueBroker, *numbers: int, each: int = 1) -> None:
    broker.enqueue_all([messages.persist([{"number": n}] * each) for n in numbers])


def encoded(message: Message[None]) -> bytes:
    return messages.encode(message)[1]


def bundled(message: MessageProxy | None) -> list[int]:
    assert message is not None
    return [event["number"] for event in message.args[0]]


def test_waiting_messages_of_the_queue_of_events_are_bundled(new_broker: NewBroker) -> None:
    broker = new_broker()
    enqueue_events(broker, *range(7))
    consumer = broker.consume(messages.EVENTS, prefetch=4, timeout=1)
    bundle = next(consumer)
    assert bundle is not None
    assert bundled(bundle) == list(range(7))
    assert next(consumer) is None
    assert broker.client.hlen(f"{broker.namespace}:{messages.EVENTS}.msgs") == 7
    consumer.ack(bundle)
    assert broker.do_qsize(messages.EVENTS) == 0


def test_companies_to_evaluate_are_bundled_too(new_broker: NewBroker) -> None:
    broker = new_broker()
    broker.enqueue_all([messages.evaluate(number) for number in range(60)])
    consumer = broker.consume(messages.HEALTH, prefetch=4, timeout=1)
    first, second = next(consumer), next(consumer)
    assert first is not None
    assert second is not None
    assert tuple(first.args) == tuple(range(50))
    assert tuple(second.args) == tuple(range(50, 60))
    consumer.ack(first)
    consumer.nack(second)
    assert broker.do_qsize(messages.HEALTH) == 0
    assert broker.client.zcard(f"{broker.namespace}:{messages.HEALTH}.XQ") == 10


def test_events_per_bundle_and_bundles_per_worker_are_limited(
    new_broker: NewBroker,
) -> None:
    broker = new_broker()
    enqueue_events(broker, *range(12), each=400)
    enqueue_events(broker, 12, each=2_400)
    consumer = broker.consume(messages.EVENTS, prefetch=3, timeout=1)
    taken = [next(consumer) for _ in range(4)]
    assert [len(bundled(bundle)) for bundle in taken[:3]] == [2_000, 2_000, 800]
    assert taken[3] is None, "no further bundle before one is acknowledged"
    consumer.ack(taken[0])
    assert len(bundled(next(consumer))) == 2_400, "the events of one message are never split"


def test_every_message_in_the_bundles_of_a_killed_worker_returns(new_broker: NewBroker) -> None:
    killed, alive = new_broker(), new_broker()
    enqueue_events(killed, *range(12), each=400)
    assert next(killed.consume(messages.EVENTS, prefetch=1, timeout=1)) is not None
    silent_for(killed, HEARTBEAT_TIMEOUT_MS + 1)
    consumer = alive.consume(messages.EVENTS, prefetch=4, timeout=1)
    bundles = [message for message in (next(consumer) for _ in range(5)) if message]
    assert {number for bundle in bundles for number in bundled(bundle)} == set(range(12))


@pytest.mark.parametrize("handed_out", [True, False])
def test_a_worker_that_stops_returns_its_bundles(
    new_broker: NewBroker, *, handed_out: bool
) -> None:
    stopping, alive = new_broker(), new_broker()
    enqueue_events(stopping, *range(8), each=400)
    consumer = stopping.consume(messages.EVENTS, prefetch=4, timeout=1)
    first = next(consumer)
    assert first is not None
    if handed_out:
        consumer.requeue([first])
    else:
        consumer.ack(first)
    consumer.close()
    other = alive.consume(messages.EVENTS, prefetch=4, timeout=1)
    bundles = [message for message in (next(other) for _ in range(3)) if message]
    expected = set(range(8)) if handed_out else {5, 6, 7}
    assert {number for bundle in bundles for number in bundled(bundle)} == expected


def test_a_bundle_that_no_actor_accepts_is_kept_with_the_dead_letters(
    new_broker: NewBroker,
) -> None:
    broker = new_broker()
    enqueue_events(broker, *range(3))
    consumer = broker.consume(messages.EVENTS, prefetch=4, timeout=1)
    bundle = next(consumer)
    assert bundle is not None
    consumer.nack(bundle)
    assert broker.do_qsize(messages.EVENTS) == 0
    assert broker.client.hlen(f"{broker.namespace}:{messages.EVENTS}.XQ.msgs") == 3


@pytest.mark.parametrize(
    "unreadable",
    [
        b"garbage",
        orjson.dumps({"a": "JSON, but no message"}),
        encoded(Message(messages.EVENTS, "persist", (), {}, {})),
        encoded(Message(messages.EVENTS, "persist", ({"a": "dict"},), {}, {})),
        encoded(Message(messages.EVENTS, "persist", ("a text",), {}, {})),
        encoded(Message(messages.EVENTS, "an actor that is gone", ([{"number": 5}],), {}, {})),
    ],
    ids=["no JSON", "no message", "no arguments", "no list", "a text", "an actor that is gone"],
)
def test_a_message_that_cannot_be_read_is_set_aside_whole_and_costs_no_other(
    new_broker: NewBroker, unreadable: bytes
) -> None:
    broker = new_broker()
    enqueue_events(broker, 1)
    queue = f"{broker.namespace}:{messages.EVENTS}"
    broker.client.hset(f"{queue}.msgs", "no id of ours", unreadable)
    broker.client.rpush(queue, "no id of ours")
    enqueue_events(broker, 2)
    assert broker.oldest_unacknowledged(messages.EVENTS) is not None
    consumer = broker.consume(messages.EVENTS, prefetch=4, timeout=1)
    message = next(consumer)
    assert message is not None
    assert bundled(message) == [1, 2]
    consumer.ack(message)
    assert broker.client.hlen(f"{queue}.msgs") == 0
    set_aside = next(consumer)
    assert set_aside is not None
    [[bundle]] = set_aside.args
    assert [entry.fields[:2] for entry in bundle.odd] == [(b"dramatiq", unreadable)]
