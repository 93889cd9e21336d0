"""Deliveries of many transitions at once: few are sent now, and the others get their turns."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from models.database import query, transaction
from models.webhooks.deliveries import NewDelivery, Request
from services.webhooks.new_deliveries import write_new
from tests.support.webhooks.endpoints import (
    Try,
    WebhookEndpoint,
    begin,
    due,
    row,
    succeed,
    tries,
    try_claim,
)
from tests.support.world import MICROSECOND, START


def new(endpoint: WebhookEndpoint, number: int, *, paused: bool = False) -> list[NewDelivery]:
    return [
        NewDelivery(
            endpoint.organization_id, endpoint.id, None, f"m{n}", "{}", START, paused=paused
        )
        for n in range(number)
    ]


def write(deliveries: Sequence[NewDelivery]) -> list[Try]:
    with transaction():
        return tries(write_new(deliveries))


def watched(endpoint: WebhookEndpoint) -> list[UUID]:
    """Return the parked rows that the clock looks at."""
    with transaction():
        rows = query(
            "select id from deliveries where endpoint_id = %(id)s and parked"
            " and next_attempt_at is not null order by id",
            {"id": endpoint.id},
        )
    return [delivery["id"] for delivery in rows]


def test_the_first_of_each_endpoint_is_sent_and_the_others_wait_for_their_turn(
    two_endpoints: tuple[WebhookEndpoint, WebhookEndpoint],
) -> None:
    ours, theirs = (new(endpoint, 4) for endpoint in two_endpoints)
    mixed = [delivery for pair in zip(ours, theirs, strict=True) for delivery in pair]
    assert write(mixed) == [(ours[0].id, 1), (theirs[0].id, 1)]
    for endpoint, deliveries in zip(two_endpoints, (ours, theirs), strict=True):
        assert endpoint.states() == ["parked"] * 4
        assert watched(endpoint) == [deliveries[0].id, deliveries[1].id]


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


def test_rows_that_the_last_attempt_could_not_see_are_found_by_the_clock(
    endpoint: WebhookEndpoint,
) -> None:
    first, second = new(endpoint, 2)
    write([first, second])
    late = new(endpoint, 3)
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
        assert succeed(begin(first.id, 0), 0) == [(second.id, 1)]
        assert succeed(begin(second.id, 0), 0) == []
        ended.set()
        assert writing.result(5) == [late[0].request]
    assert endpoint.states() == ["delivered", "delivered", "parked", "parked", "parked"]
    assert due(2 - MICROSECOND) == []
    assert due(2) == [(late[0].id, 1), (late[1].id, 1)]
    assert succeed(begin(late[0].id, 2), 2) == [(late[1].id, 1), (late[2].id, 1)]


def test_a_row_is_watched_no_longer_if_no_slot_is_free(endpoint: WebhookEndpoint) -> None:
    deliveries = new(endpoint, 4)
    write(deliveries)
    begin(deliveries[0].id, 0)
    assert due(2) == [(deliveries[1].id, 1)]
    begin(deliveries[1].id, 2)
    late = new(endpoint, 1)
    write(late)
    assert try_claim(late[0].id, 2) is None
    assert (row(late[0].id)["parked"], row(late[0].id)["next_attempt_at"]) == (True, None)


@pytest.mark.parametrize("number", [1, 3])
def test_rows_of_a_disabled_endpoint_are_paused_and_not_parked(
    endpoint: WebhookEndpoint, number: int
) -> None:
    assert write(new(endpoint, number, paused=True)) == []
    assert endpoint.states() == ["paused"] * number
    assert watched(endpoint) == []
