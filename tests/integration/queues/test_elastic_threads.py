"""A worker that has as many threads as messages are in progress."""

import threading
import time
from collections.abc import Callable, Iterator

import dramatiq
import pytest
from dramatiq import Worker

from queues import dramatiq_layout, messages
from queues.elastic_threads import MOST_SPARE, SPARE, ElasticThreads
from tests.support.brokers import NewBroker


def eventually(holds: Callable[[], bool], seconds: float = 8) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Waiting:
    """A worker with an actor on the webhook queue that waits until it is released."""

    def __init__(self, new_broker: NewBroker, most: int) -> None:
        self.released = threading.Event()
        self.running = 0
        self._lock = threading.Lock()
        self.broker = new_broker(
            middleware=[ElasticThreads([messages.WEBHOOKS], most)], webhook_prefetch=most
        )

        @dramatiq.actor(broker=self.broker, queue_name=messages.WEBHOOKS)
        def wait(*, fails: bool = False) -> None:
            with self._lock:
                self.running += 1
            self.released.wait(10)
            with self._lock:
                self.running -= 1
            if fails:
                raise ValueError

        @dramatiq.actor(broker=self.broker, queue_name=messages.TOTALS)
        def other() -> None:
            self.released.wait(10)

        self.wait, self.other = wait, other
        self.worker = Worker(self.broker, worker_threads=2, worker_timeout=50)
        self.worker.start()

    @property
    def threads(self) -> int:
        return len(self.worker.workers)

    def stop(self) -> None:
        self.released.set()
        self.worker.stop(timeout=5_000)


NewWorker = Callable[[int], Waiting]


@pytest.fixture
def new_worker(new_broker: NewBroker) -> Iterator[NewWorker]:
    made: list[Waiting] = []

    def make(most: int) -> Waiting:
        made.append(Waiting(new_broker, most))
        return made[-1]

    yield make
    for waiting in made:
        waiting.stop()


@pytest.mark.parametrize("fails", [False, True])
def test_threads_are_added_while_messages_occupy_them_and_end_afterwards(
    new_worker: NewWorker, *, fails: bool
) -> None:
    waiting = new_worker(30)
    for _ in range(20):
        waiting.wait.send(fails=fails)
    eventually(lambda: waiting.running == 20)
    assert 20 + 1 <= waiting.threads <= 20 + SPARE
    waiting.released.set()
    waiting.broker.join(messages.WEBHOOKS, interval=20, timeout=8_000)
    eventually(lambda: waiting.threads <= MOST_SPARE)
    waiting.stop()
    assert not any(thread.is_alive() for thread in waiting.worker.workers)


def test_there_are_no_more_threads_than_the_most(new_worker: NewWorker) -> None:
    waiting = new_worker(5)
    for _ in range(20):
        waiting.wait.send()
    eventually(lambda: waiting.running == 5)
    time.sleep(0.2)
    assert (waiting.running, waiting.threads) == (5, 5)
    assert waiting.broker.waiting(messages.WEBHOOKS) == 15, "the others are left to others"


def test_messages_of_other_queues_add_no_threads(new_worker: NewWorker) -> None:
    waiting = new_worker(30)
    for _ in range(10):
        waiting.other.send()
    time.sleep(0.3)
    assert waiting.threads == 2


def test_a_system_without_more_threads_is_reported_and_the_message_is_handled(
    new_worker: NewWorker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_worker: Worker) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(dramatiq_layout, "add_thread", refuse)
    waiting = new_worker(30)
    waiting.wait.send()
    eventually(lambda: waiting.running == 1)
    waiting.stop()
    assert "2 threads, and no more: can't start new thread" in caplog.text
