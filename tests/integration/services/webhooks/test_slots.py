"""The slots of an endpoint, and the leases of workers that are killed."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from config.webhook_policy import LEASE
from models.database import transaction
from models.webhooks import deliveries
from models.webhooks.deliveries import ManualReason
from services.webhooks import endpoints
from services.webhooks.claims import next_requests
from tests.support.webhooks.endpoints import (
    HOUR,
    POLICY,
    WebhookEndpoint,
    begin,
    break_circuit,
    claim_try,
    due,
    fail,
    probes,
    row,
    succeed,
    try_claim,
)
from tests.support.world import MICROSECOND, START


def test_two_attempts_at_a_time_go_to_an_endpoint_and_further_ones_are_parked(
    endpoint: WebhookEndpoint,
) -> None:
    first, second, third = endpoint.add(3)
    begin(first, 0)
    begin(second, 0)
    assert try_claim(third, 0) is None
    assert endpoint.states() == ["waiting", "waiting", "parked"]
    assert row(third)["next_attempt_at"] is None
    assert (row(third)["attempts"], row(third)["tries"]) == (0, 0)


def test_a_busy_endpoint_does_not_delay_others(
    two_endpoints: tuple[WebhookEndpoint, WebhookEndpoint],
) -> None:
    busy, free = two_endpoints
    for delivery_id in busy.add(3):
        try_claim(delivery_id, 0)
    [delivery_id] = free.add()
    begin(delivery_id, 0)


def test_at_most_two_of_many_concurrent_workers_get_a_slot(endpoint: WebhookEndpoint) -> None:
    ids = endpoint.add(8)
    start = threading.Barrier(8)

    def work(delivery_id: UUID) -> bool:
        start.wait(5)
        return claim_try(delivery_id, 1, 0) is not None

    with ThreadPoolExecutor(8) as workers:
        claimed = list(workers.map(work, ids))
    assert sum(claimed) == 2
    assert sorted(endpoint.states()) == ["parked"] * 6 + ["waiting"] * 2


@pytest.mark.parametrize("accepted", [True, False])
def test_the_end_of_an_attempt_unparks_the_oldest_row(
    endpoint: WebhookEndpoint, *, accepted: bool
) -> None:
    ids = endpoint.add(4)
    first, _ = begin(ids[0], 0), begin(ids[1], 0)
    for delivery_id in reversed(ids[2:]):
        assert try_claim(delivery_id, 0) is None
    following = succeed(first, 1) if accepted else fail(first, 1)[1]
    assert following == [(ids[2], 1)]
    assert row(ids[3])["parked"]
    begin(ids[2], 1)
    assert try_claim(ids[3], 1) is None


def test_an_unparked_row_whose_message_is_lost_is_found_by_the_clock(
    endpoint: WebhookEndpoint,
) -> None:
    ids = endpoint.add(3)
    first, second = begin(ids[0], 0), begin(ids[1], 0)
    assert try_claim(ids[2], 0) is None
    succeed(first, 10)
    succeed(second, 10)
    assert due(12 - MICROSECOND) == []
    assert due(12) == [(ids[2], 1)]


def test_many_rows_of_one_endpoint_are_all_sent_in_order(
    endpoint: WebhookEndpoint,
) -> None:
    ids = endpoint.add(9)
    in_flight = [claimed for claimed in (try_claim(i, 0) for i in ids) if claimed]
    order = [claimed.delivery.id for claimed in in_flight]
    while in_flight:
        for delivery_id, number in succeed(in_flight.pop(0), 1):
            claimed = claim_try(delivery_id, number, 1)
            if claimed:
                in_flight.append(claimed)
                order.append(delivery_id)
        assert len(in_flight) <= 2
    assert order == ids
    assert set(endpoint.states()) == {"delivered"}


def test_only_one_of_the_two_slots_is_for_recovery(endpoint: WebhookEndpoint) -> None:
    older, old = endpoint.add(2, ManualReason.RECOVERY)
    fresh = endpoint.add()[0]
    recovery = begin(older, 0)
    assert try_claim(old, 0) is None
    begin(fresh, 0)
    assert succeed(recovery, 1) == [(old, 1)]


def test_new_rows_are_sent_before_rows_of_a_recovery_and_each_kind_oldest_first(
    endpoint: WebhookEndpoint,
) -> None:
    in_flight = [begin(delivery_id, 0) for delivery_id in endpoint.add(2)]
    recovered = endpoint.add(2, ManualReason.RECOVERY)
    fresh = endpoint.add(2)
    for delivery_id in (*recovered, *fresh):
        assert try_claim(delivery_id, 0) is None
    order = []
    while in_flight:
        for delivery_id, _ in succeed(in_flight.pop(0), 1):
            order.append(delivery_id)
            in_flight.append(begin(delivery_id, 1))
    assert order == [*fresh, *recovered]


def test_only_one_parked_row_of_a_recovery_is_unparked_at_a_time(
    endpoint: WebhookEndpoint,
) -> None:
    for delivery_id in endpoint.add(3, ManualReason.RECOVERY):
        with transaction():
            deliveries.park(endpoint.organization_id, delivery_id)
    with transaction():
        locked = endpoints.lock(endpoint.organization_id, endpoint.id)
        assert len(next_requests(locked, START, POLICY)) == 1
    assert endpoint.states() == ["waiting", "parked", "parked"]


def test_a_delivery_that_is_sent_at_once_neither_waits_for_a_slot_nor_takes_one(
    endpoint: WebhookEndpoint,
) -> None:
    ids = endpoint.add(3)
    first, second = begin(ids[0], 0), begin(ids[1], 0)
    assert try_claim(ids[2], 0) is None
    by_hand = begin(endpoint.add(1, ManualReason.AT_ONCE)[0], 0)
    assert succeed(first, 1) == [(ids[2], 1)]
    assert succeed(by_hand, 1) == []
    succeed(second, 1)


def test_two_hundred_rows_of_an_endpoint_that_hangs_do_not_block_another(
    two_endpoints: tuple[WebhookEndpoint, WebhookEndpoint],
) -> None:
    hanging, healthy = two_endpoints
    for delivery_id in hanging.add(200):
        claim_try(delivery_id, 1, 0)
    assert sorted(set(hanging.states())) == ["parked", "waiting"]
    [ours] = healthy.add()
    assert due(2) == [(ours, 1)]
    begin(ours, 2)
    assert probes(HOUR) == []
    waiting = due(LEASE.total_seconds())
    assert len(waiting) == 2, "the two in flight, when their leases end"
    claimed = [claim_try(delivery_id, number, 60) for delivery_id, number in waiting]
    assert all(claimed)


def test_a_repeated_message_makes_no_second_attempt_whatever_the_outcome_of_the_first(
    endpoint: WebhookEndpoint,
) -> None:
    accepted, refused, in_flight = endpoint.add(3)
    succeed(begin(accepted, 0), 0)
    fail(begin(refused, 0), 0)
    begin(in_flight, 0)
    for delivery_id in (accepted, refused, in_flight):
        before = row(delivery_id)
        assert claim_try(delivery_id, 1, 1) is None
        assert row(delivery_id) == before


def test_a_repeated_message_of_a_probe_makes_no_second_one(endpoint: WebhookEndpoint) -> None:
    break_circuit(endpoint)
    [delivery_id] = endpoint.add()
    fail(begin(delivery_id, 30), 30)
    before = endpoint.health, row(delivery_id)
    assert row(delivery_id)["attempts"] == 0
    assert claim_try(delivery_id, 1, HOUR) is None, "its number is that of the probe that was made"
    assert (endpoint.health, row(delivery_id)) == before


def test_the_deliveries_of_a_killed_worker_are_due_after_their_lease_and_nothing_stays_parked(
    endpoint: WebhookEndpoint,
) -> None:
    ids = endpoint.add(4)
    for delivery_id in ids:
        try_claim(delivery_id, 0)
    assert due(60 - MICROSECOND) == []
    assert sorted(due(60)) == [(ids[0], 1), (ids[1], 1)]  # at one instant, in any order
    again = [begin(ids[0], 60), begin(ids[1], 60)]
    assert succeed(again[0], 61) == [(ids[2], 1)]
    assert succeed(again[1], 61) == [(ids[3], 1)]
    for delivery_id in ids[2:]:
        succeed(begin(delivery_id, 62), 62)
    assert set(endpoint.states()) == {"delivered"}


def test_the_row_of_a_killed_worker_is_parked_if_no_slot_is_free_after_its_lease(
    endpoint: WebhookEndpoint,
) -> None:
    killed, second, third = endpoint.add(3)
    begin(killed, 0)
    in_flight = [begin(second, 60), begin(third, 60)]
    assert try_claim(killed, 61) is None
    assert row(killed)["parked"]
    assert succeed(in_flight[0], 62) == [(killed, 1)]


def test_a_worker_that_returns_after_its_lease_frees_no_slot(endpoint: WebhookEndpoint) -> None:
    ids = endpoint.add(4)
    late, _ = begin(ids[0], 0), begin(ids[1], 0)
    quick = begin(ids[0], 60), begin(ids[1], 60)
    for delivery_id in ids[2:]:
        assert try_claim(delivery_id, 60) is None
    assert succeed(late, 61) == []
    assert fail(late, 61)[1] == []
    assert row(ids[0])["lease_token"] == quick[0].token
