import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from dramatiq import Message
from dramatiq.broker import MessageProxy
from dramatiq.errors import ConnectionClosed

from queues import messages
from queues.broker import CLIENT_TIMEOUT, HEARTBEAT_TIMEOUT_MS, QueueBroker, build_broker
from queues.consumer import DelayedConsumer
from tests.support.brokers import NewBroker, silent_for


def numbered(number: int) -> Message[None]:
    """Return a message of a queue without bundles."""
    return replace(messages.evaluate(number), queue_name=messages.WEBHOOKS)


def take(broker: QueueBroker, queue: str = messages.WEBHOOKS) -> MessageProxy | None:
    """Return the message that a new consumer of a queue gets immediately, or None."""
    taken: MessageProxy | None = next(broker.consume(queue, timeout=1))
    return taken


def event_posted_at(broker: QueueBroker, seconds: float) -> datetime:
    """Enqueue an event as if it had been posted at this second; return the time."""
    at = datetime(2026, 1, 5, 12, 0, 0, 250_000, tzinfo=UTC) + timedelta(seconds=seconds)
    posted = round(at.timestamp() * 1000)
    broker.enqueue(replace(messages.persist([]), message_timestamp=posted))
    return at


def test_a_message_is_handed_out_once_and_is_gone_when_acknowledged(new_broker: NewBroker) -> None:
    first, second = new_broker(), new_broker()
    first.enqueue(numbered(7))
    consumer = first.consume(messages.WEBHOOKS, timeout=1)
    message = next(consumer)
    assert message is not None
    assert list(message.args) == [7]
    assert take(second) is None
    consumer.ack(message)
    silent_for(first, HEARTBEAT_TIMEOUT_MS + 1_000)
    assert take(second) is None


def test_messages_arrive_in_the_order_in_which_they_were_sent(new_broker: NewBroker) -> None:
    broker = new_broker()
    for company_id in range(5):
        broker.enqueue(numbered(company_id))
    consumer = broker.consume(messages.WEBHOOKS, timeout=1)
    taken = [next(consumer) for _ in range(5)]
    assert [message.args[0] for message in taken if message] == list(range(5))


def test_messages_of_a_dead_worker_go_to_another(new_broker: NewBroker) -> None:
    dead, alive = new_broker(), new_broker()
    for company_id in (7, 8):
        dead.enqueue(numbered(company_id))
    assert take(dead) is not None  # its prefetch takes the other one too
    assert take(alive) is None
    silent_for(dead, HEARTBEAT_TIMEOUT_MS + 1)
    consumer = alive.consume(messages.WEBHOOKS, timeout=1)
    taken = [next(consumer) for _ in range(2)]
    assert {message.args[0] for message in taken if message} == {7, 8}


def test_a_worker_with_a_recent_heartbeat_keeps_what_it_fetched(new_broker: NewBroker) -> None:
    busy, other = new_broker(), new_broker()
    busy.enqueue(numbered(7))
    assert take(busy) is not None
    silent_for(busy, HEARTBEAT_TIMEOUT_MS - 2_000)
    assert take(other) is None


def test_a_worker_is_considered_dead_within_half_a_minute() -> None:
    assert 5_000 <= HEARTBEAT_TIMEOUT_MS <= 30_000


def test_a_worker_prefetches_few_webhooks_however_many_threads_it_has(
    new_broker: NewBroker,
) -> None:
    broker = new_broker()
    consumer: Any = broker.consume(messages.WEBHOOKS, prefetch=200, timeout=5_000)
    assert consumer.wait_s <= 1
    for number in range(20):
        broker.enqueue(numbered(number))
    taken = [next(consumer) for _ in range(17)]
    assert sum(message is not None for message in taken) == 16
    assert taken[-1] is None, "no more before something is acknowledged"


def test_a_worker_that_may_take_nothing_more_is_not_considered_dead(
    new_broker: NewBroker,
) -> None:
    busy, other = new_broker(), new_broker()
    busy.enqueue(numbered(7))
    assert take(busy) is not None
    delayed = busy.consume(f"{messages.WEBHOOKS}.DQ", timeout=1_000)
    assert isinstance(delayed, DelayedConsumer)
    assert 2 * delayed.wait_s * 1000 < HEARTBEAT_TIMEOUT_MS
    silent_for(busy, HEARTBEAT_TIMEOUT_MS + 1)
    busy.emit_before("worker_shutdown", None)  # so that it does not wait here
    assert next(delayed) is None
    assert take(other) is None


def test_a_queue_of_delayed_messages_is_rarely_read_until_the_worker_stops(
    new_broker: NewBroker,
) -> None:
    broker = new_broker()
    consumer = broker.consume(f"{messages.WEBHOOKS}.DQ", prefetch=3, timeout=100)
    assert isinstance(consumer, DelayedConsumer)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(next, consumer)
        with pytest.raises(TimeoutError):
            waiting.result(1.5)
        broker.emit_before("worker_shutdown", None)
        assert waiting.result(5) is None
    began = time.monotonic()
    assert next(consumer) is None
    assert time.monotonic() - began > 0.5, "it does not spin while the worker ends"


@pytest.mark.parametrize("wakes", [1, 3])
def test_a_message_wakes_a_consumer_that_waits_for_its_queue(
    new_broker: NewBroker, wakes: int
) -> None:
    def wait_for_message() -> MessageProxy | None:
        consumer = new_broker().consume(messages.WEBHOOKS, timeout=4_000)
        waiting.release()
        message = next(consumer)  # returns None when it is woken
        return message or next(consumer)

    sender, waiting = new_broker(), threading.Semaphore(0)
    with ThreadPoolExecutor(wakes) as threads:
        taken = [threads.submit(wait_for_message) for _ in range(wakes)]
        for _ in range(wakes):
            assert waiting.acquire(timeout=5)
        time.sleep(0.1)
        began = time.monotonic()
        sender.enqueue_all([numbered(number) for number in range(wakes * 200)])
        assert all(future.result(5) is not None for future in taken)
    assert time.monotonic() - began < 3, "no consumer waited until its timeout"


def test_messages_enqueued_together_arrive_in_order_like_messages_enqueued_alone(
    new_broker: NewBroker,
) -> None:
    broker = new_broker()
    broker.enqueue(numbered(0))
    broker.enqueue_all([numbered(1), numbered(2)])
    broker.enqueue_all([])
    consumer = broker.consume(messages.WEBHOOKS, timeout=1)
    taken = [next(consumer) for _ in range(3)]
    assert [message.args[0] for message in taken if message] == [0, 1, 2]
    for message in taken:
        assert message is not None
        consumer.ack(message)
    assert broker.client.hlen(f"{broker.namespace}:{messages.WEBHOOKS}.msgs") == 0
    assert broker.do_qsize(messages.WEBHOOKS) == 0


def test_the_oldest_unacknowledged_message_shows_how_far_behind_a_queue_is(
    new_broker: NewBroker,
) -> None:
    broker, worker = new_broker(), new_broker()
    assert broker.oldest_unacknowledged(messages.EVENTS) is None
    first = event_posted_at(broker, 0)
    assert broker.oldest_unacknowledged(messages.EVENTS) == first
    assert broker.oldest_unacknowledged(messages.WEBHOOKS) is None
    consumer = worker.consume(messages.EVENTS, timeout=1)
    taken = next(consumer)
    assert taken is not None
    second = event_posted_at(broker, 1)
    assert broker.oldest_unacknowledged(messages.EVENTS) == first, "it is not acknowledged yet"
    consumer.ack(taken)
    assert broker.oldest_unacknowledged(messages.EVENTS) == second


def test_a_message_returned_by_a_dead_worker_still_counts_as_the_oldest(
    new_broker: NewBroker,
) -> None:
    broker, dead = new_broker(), new_broker()
    oldest = event_posted_at(broker, 0)
    assert take(dead, messages.EVENTS) is not None
    event_posted_at(broker, 1)
    silent_for(dead, HEARTBEAT_TIMEOUT_MS + 1)
    # Maintenance, which returns the messages of dead workers, is part of any command.
    broker.do_requeue(messages.EVENTS)
    assert broker.oldest_unacknowledged(messages.EVENTS) == oldest


def test_an_unreachable_redis_raises_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    broker = build_broker(f"redis://127.0.0.1:{port}/0", timeout=CLIENT_TIMEOUT)
    started = time.monotonic()
    with pytest.raises(redis.ConnectionError):
        broker.enqueue(numbered(7))
    assert time.monotonic() - started < 1


def test_a_redis_that_does_not_answer_raises_soon_and_is_called_only_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        broker = build_broker(f"redis://127.0.0.1:{port}/0", timeout=CLIENT_TIMEOUT)
        started = time.monotonic()
        with pytest.raises(redis.TimeoutError):
            broker.enqueue(numbered(7))
        assert time.monotonic() - started < 1
        broker.client.close()
        listener.settimeout(0.1)
        accepted, _ = listener.accept()
        accepted.close()
        with pytest.raises(TimeoutError):
            listener.accept()


def test_messages_in_a_lost_reply_are_not_lost(new_broker: NewBroker) -> None:
    admin, broker = new_broker(), new_broker(timeout=0.1)
    before = broker.broker_id
    broker.enqueue(numbered(7))
    consumer = broker.consume(messages.WEBHOOKS, timeout=1)
    assert next(consumer) is not None
    broker.enqueue(numbered(8))
    admin.client.client_pause(300, all=True)
    with pytest.raises(ConnectionClosed):
        next(consumer)
    admin.client.client_unpause()
    assert broker.broker_id != before, "it continues with a new id"
    silent_for(admin, HEARTBEAT_TIMEOUT_MS + 1, identity=before)
    consumer = broker.consume(messages.WEBHOOKS, timeout=1)
    taken = [next(consumer) for _ in range(3)]
    assert {message.args[0] for message in taken if message} == {7, 8}


def test_an_acknowledgement_that_redis_does_not_answer_is_a_lost_connection(
    new_broker: NewBroker,
) -> None:
    admin, broker = new_broker(), new_broker(timeout=0.1)
    broker.enqueue(numbered(7))
    broker.enqueue(numbered(8))
    consumer = broker.consume(messages.WEBHOOKS, timeout=1)
    first, second = next(consumer), next(consumer)
    assert first is not None
    assert second is not None
    admin.client.client_pause(300, all=True)
    with pytest.raises(ConnectionClosed):
        consumer.ack(first)
    with pytest.raises(ConnectionClosed):
        consumer.nack(second)
    admin.client.client_unpause()
