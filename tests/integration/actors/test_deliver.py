"""Messages for which a `deliver` process has no use or no room."""

import threading
import time
from contextlib import ExitStack
from uuid import UUID

import pytest

from actors.capacity import Capacity
from actors.deliver import Deliverer
from actors.permits import WORKING_FOR_OTHERS
from config.settings import Settings
from config.webhook_policy import WebhookPolicy
from models.webhooks.deliveries import Request
from services.webhooks.addresses import AddressPolicy
from services.webhooks.metrics import WebhookCounters
from services.webhooks.transport import Transport
from tests.support.brokers import NewBroker

REQUEST = Request(1, UUID(int=1), UUID(int=2), 1)


@pytest.fixture
def capacity() -> Capacity:
    return Capacity(threads=8)


@pytest.fixture
def deliverer(settings: Settings, new_broker: NewBroker, capacity: Capacity) -> Deliverer:
    broker = new_broker()
    return Deliverer(
        broker,
        transport=Transport(AddressPolicy(), WebhookPolicy()),
        secret_keys=settings.secret_keys,
        counters=WebhookCounters(broker.client),
        capacity=capacity,
    )


def test_a_message_that_repeats_one_in_progress_is_dropped(
    deliverer: Deliverer, capacity: Capacity
) -> None:
    with ExitStack() as working:
        for _ in range(WORKING_FOR_OTHERS):
            working.enter_context(capacity.working(1, UUID(int=3)))
        first = threading.Thread(target=deliverer.deliver, args=(REQUEST,))
        first.start()
        deadline = time.monotonic() + 5
        while not capacity.permits.waiting:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        deliverer.deliver(REQUEST)  # otherwise, it would wait for a permit
        assert capacity.permits.waiting == 1
    first.join(5)
    assert not first.is_alive()


def test_a_message_for_which_there_is_no_room_is_dropped(
    deliverer: Deliverer, capacity: Capacity
) -> None:
    with ExitStack() as occupied:
        for _ in range(6):  # a quarter of eight is for endpoints that answer quickly
            occupied.enter_context(capacity.waiting(UUID(int=3)))
        for _ in range(WORKING_FOR_OTHERS):
            occupied.enter_context(capacity.working(1, UUID(int=3)))
        deliverer.deliver(REQUEST)  # otherwise, it would wait for a permit
        assert capacity.permits.waiting == 0


@pytest.mark.parametrize(
    ("parked", "unfinished", "waits"), [(True, 2, 0), (True, 1, 1), (False, 2, 1)]
)
def test_a_message_of_a_parked_delivery_is_dropped_while_attempts_use_the_slots(
    deliverer: Deliverer, capacity: Capacity, *, parked: bool, unfinished: int, waits: int
) -> None:
    with ExitStack() as busy:
        for _ in range(WORKING_FOR_OTHERS):
            busy.enter_context(capacity.working(1, UUID(int=3)))
        for _ in range(unfinished):
            busy.enter_context(capacity.attempting(REQUEST.endpoint_id))
        message = threading.Thread(
            target=deliverer.deliver, args=(REQUEST,), kwargs={"parked": parked}
        )
        message.start()
        deadline = time.monotonic() + 5
        while message.is_alive() and not capacity.permits.waiting:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        assert capacity.permits.waiting == waits
    message.join(5)
    assert not message.is_alive()
    assert capacity.unfinished(REQUEST.endpoint_id) == 0
