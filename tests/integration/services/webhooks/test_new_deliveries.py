"""Deliveries of many transitions at once: few are sent now, and the others get their turns."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.database import transaction
from models.webhooks.deliveries import NewDelivery, Request
from services.webhooks.new_deliveries import write_new
from tests.support.webhooks.endpoints import (
    Try,
    WebhookEndpoint,
    begin,
    break_circuit,
    missed_turns,
    succeed,
    tries,
)
from tests.support.world import MICROSECOND, after


def new(
    endpoint: WebhookEndpoint, number: int, *, at: float = 0, paused: bool = False
) -> list[NewDelivery]:
    return [
        NewDelivery(
            endpoint.organization_id, endpoint.id, None, f"m{n}", "{}", after(at), paused=paused
        )
        for n in range(number)
    ]


def write(deliveries: Sequence[NewDelivery]) -> list[Try]:
    with transaction():
        return tries(write_new(deliveries))


def test_the_first_of_each_endpoint_is_sent_and_the_others_wait_for_their_turn(
    two_endpoints: tuple[WebhookEndpoint, WebhookEndpoint],
) -> None:
    ours, theirs = (new(endpoint, 4) for endpoint in two_endpoints)
    mixed = [delivery for pair in zip(ours, theirs, strict=True) for delivery in pair]
    assert write(mixed) == [(ours[0].id, 1), (theirs[0].id, 1)]
    for endpoint in two_endpoints:
        assert endpoint.states() == ["parked"] * 4


def test_all_are_sent_in_order_by_the_ends_of_attempts(endpoint: WebhookEndpoint) -> None:
    deliveries = new(endpoint, 9)
    [(first, _)] = write(deliveries)
    in_flight, order = [begin(first, 0)], [first]
    while in_flight:
        for delivery_id, _ in succeed(in_flight.pop(0), 1):
            in_flight.append(begin(delivery_id, 1))
            order.append(delivery_id)
        assert len(in_flight) <= 2
    assert order == [delivery.id for delivery in deliveries]


def test_a_delivery_behind_a_backlog_is_not_sent_and_has_its_turn_after_it(
    two_endpoints: tuple[WebhookEndpoint, WebhookEndpoint],
) -> None:
    hanging, other = two_endpoints
    backlog = new(hanging, 4)
    write(backlog)
    in_flight = [begin(backlog[0].id, 0), begin(backlog[1].id, 0)]
    soon, later = new(hanging, 1, at=1), new(hanging, 1, at=1.001)
    assert write([*soon, *new(other, 1, at=1)])[0] == (soon[0].id, 1)
    assert [id_ for id_, _ in write([*later, *new(other, 1, at=1.001)])] != [later[0].id]
    order = []
    while in_flight:
        for delivery_id, _ in succeed(in_flight.pop(0), 1):
            in_flight.append(begin(delivery_id, 1))
            order.append(delivery_id)
    assert order == [delivery.id for delivery in (*backlog[2:], *soon, *later)]


def test_a_delivery_behind_a_failing_endpoint_is_not_sent(endpoint: WebhookEndpoint) -> None:
    break_circuit(endpoint)
    write(new(endpoint, 1, at=1))
    assert write(new(endpoint, 1, at=3)) == []


def test_rows_that_the_last_attempt_could_not_see_are_found_by_the_clock(
    endpoint: WebhookEndpoint,
) -> None:
    first, second = new(endpoint, 2)
    write([first, second])
    late = new(endpoint, 3, at=2)
    written, ended = threading.Event(), threading.Event()

    def write_slowly() -> list[Request]:
        with transaction():
            requests = write_new(late)
            written.set()
            assert ended.wait(5)
        return requests

    with ThreadPoolExecutor(1) as worker:
        writing = worker.submit(write_slowly)
        assert written.wait(5)
        assert succeed(begin(first.id, 2), 2) == [(second.id, 1)]
        assert succeed(begin(second.id, 2), 2) == []
        ended.set()
        assert writing.result(5) == []
    assert endpoint.states() == ["delivered", "delivered", "parked", "parked", "parked"]
    assert missed_turns(4) == []
    assert missed_turns(4 + MICROSECOND) == [(late[0].id, 1), (late[1].id, 1)]
    assert succeed(begin(late[0].id, 5), 5) == [(late[2].id, 1)]


@pytest.mark.parametrize("number", [1, 3])
def test_rows_of_a_disabled_endpoint_are_paused_and_not_parked(
    endpoint: WebhookEndpoint, number: int
) -> None:
    assert write(new(endpoint, number, paused=True)) == []
    assert endpoint.states() == ["paused"] * number
