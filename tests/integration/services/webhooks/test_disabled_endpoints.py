"""Endpoints that are disabled and enabled."""

import logging

import pytest

from models.database import execute, transaction
from models.webhooks import deliveries, pending_deliveries
from models.webhooks.deliveries import NewDelivery, Result, State
from services.webhooks import endpoints
from services.webhooks.claims import next_requests
from tests.support.webhooks.endpoints import (
    HOUR,
    POLICY,
    WebhookEndpoint,
    begin,
    break_circuit,
    due,
    fail,
    probes,
    row,
    succeed,
    try_claim,
)
from tests.support.world import START, after


def test_410_disables_at_once_and_pauses_waiting_deliveries(
    endpoint: WebhookEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    ids = endpoint.add(4)
    first, second = begin(ids[0], 0), begin(ids[1], 0)
    assert try_claim(ids[2], 0) is None
    assert fail(first, 1, status=410) == (Result(State.PAUSED, counts=True), [])
    assert endpoint.states() == ["paused", "waiting", "paused", "paused"]
    assert endpoint.stored.disabled_at == after(1)
    assert endpoint.stored.disabled_because == "it answered 410 Gone"
    assert f"brazebee webhooks enable {endpoint.id}" in caplog.text
    assert fail(second, 2, status=410)[0].state is State.PAUSED
    assert set(endpoint.states()) == {"paused"}
    assert endpoint.stored.disabled_at == after(1), "an attempt in flight does not disable it again"
    assert len(caplog.records) == 1
    assert due(1000 * HOUR) == probes(1000 * HOUR) == []


def test_an_accepted_attempt_in_flight_leaves_its_endpoint_disabled(
    endpoint: WebhookEndpoint,
) -> None:
    first, second = (begin(delivery_id, 0) for delivery_id in endpoint.add(2))
    fail(first, 1, status=410)
    assert succeed(second, 2) == []
    assert endpoint.states() == ["paused", "delivered"]
    assert endpoint.stored.disabled_at == after(1)


def test_a_new_row_of_a_disabled_endpoint_is_paused(endpoint: WebhookEndpoint) -> None:
    endpoint.disable(0)
    [raced] = endpoint.add()
    assert try_claim(raced, 1) is None
    with transaction():
        new = NewDelivery(
            endpoint.organization_id, endpoint.id, None, "msg_1", "{}", START, paused=True
        )
        written = deliveries.add(new)
    assert try_claim(written, 1) is None
    for delivery_id in (raced, written):
        delivery = row(delivery_id)
        assert (delivery["state"], delivery["tries"]) == ("paused", 0)
        assert delivery["next_attempt_at"] is None


def test_the_row_of_a_killed_worker_is_paused_when_its_lease_ends(
    endpoint: WebhookEndpoint,
) -> None:
    [delivery_id] = endpoint.add()
    begin(delivery_id, 0)
    endpoint.disable(1)
    assert due(60) == [(delivery_id, 1)]
    assert try_claim(delivery_id, 60) is None
    assert (row(delivery_id)["state"], row(delivery_id)["lease_token"]) == ("paused", None)


def test_an_endpoint_without_success_is_warned_of_twice_and_disabled_after_120_hours(
    endpoint: WebhookEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    break_circuit(endpoint)
    [delivery_id, parked] = endpoint.add(2)
    assert try_claim(parked, 1) is None
    logged = {}
    for at in (23.9, 24, 30, 71.5, 72, 100, 119.5, 120):
        caplog.clear()
        result, _ = fail(begin(delivery_id, at * HOUR), at * HOUR)
        logged[at] = [record.levelname for record in caplog.records]
        assert (endpoint.stored.disabled_at is None) == (at < 120)
    assert logged == {
        23.9: [], 24: ["WARNING"], 30: [], 71.5: [], 72: ["WARNING"], 100: [], 119.5: [],
        120: ["ERROR"],
    }  # fmt: skip
    assert result == Result(State.PAUSED, counts=False), "the last was a probe"
    assert endpoint.states() == ["paused", "paused"]
    assert endpoint.stored.disabled_because == "120 hours of failures"


def test_a_success_within_120_hours_keeps_an_endpoint_enabled(endpoint: WebhookEndpoint) -> None:
    first, second, third = endpoint.add(3)
    fail(begin(first, 0), 0)
    succeed(begin(second, 119 * HOUR), 119 * HOUR)
    fail(begin(third, 121 * HOUR), 121 * HOUR)
    assert endpoint.stored.disabled_at is None
    assert endpoint.stored.failing_since == after(121 * HOUR)


def test_an_enabled_endpoint_resumes_with_its_paused_deliveries_oldest_first(
    endpoint: WebhookEndpoint,
) -> None:
    break_circuit(endpoint)
    ids = endpoint.add(4)
    with transaction():
        execute("update deliveries set attempts = 3, tries = 5")
    endpoint.disable(10)
    assert endpoint.states() == ["paused"] * 4
    following = endpoint.enable(20)
    assert sorted(following) == [(ids[0], 6), (ids[1], 6)]
    assert endpoint.states() == ["waiting", "waiting", "parked", "parked"]
    assert endpoint.health == (0, None, None, None, None, None, None)
    assert {row(delivery_id)["attempts"] for delivery_id in ids} == {3}
    assert try_claim(ids[2], 20) is not None, "the first one takes the slot"
    assert sorted(due(22)) == [(ids[0], 6), (ids[1], 6)]


def test_pausing_and_enabling_an_endpoint_does_not_affect_others(
    two_endpoints: tuple[WebhookEndpoint, WebhookEndpoint],
) -> None:
    ours, theirs = two_endpoints
    ours.add(2)
    theirs.add(2)
    ours.disable(0)
    assert (ours.states(), theirs.states()) == (["paused"] * 2, ["waiting"] * 2)
    theirs.disable(1)
    ours.enable(2)
    assert (ours.states(), theirs.states()) == (["waiting"] * 2, ["paused"] * 2)


def test_pausing_ignores_deliveries_that_are_in_flight_or_finished(
    endpoint: WebhookEndpoint,
) -> None:
    accepted, in_flight, parked, fresh = endpoint.add(4)
    succeed(begin(accepted, 0), 0)
    begin(in_flight, 0)
    with transaction():
        deliveries.park(endpoint.organization_id, parked)
        assert pending_deliveries.pause_waiting(endpoint.organization_id, endpoint.id) == 2
    assert endpoint.states() == ["delivered", "waiting", "paused", "paused"]
    with transaction():
        assert pending_deliveries.park_paused(endpoint.organization_id, endpoint.id) == 2
    assert endpoint.states() == ["delivered", "waiting", "parked", "parked"]
    assert row(fresh)["next_attempt_at"] is None


def test_a_disabled_endpoint_or_an_open_circuit_unparks_nothing(
    two_endpoints: tuple[WebhookEndpoint, WebhookEndpoint],
) -> None:
    disabled, broken = two_endpoints
    break_circuit(broken)
    disabled.disable(0)
    for endpoint in two_endpoints:
        for delivery_id in endpoint.add(2):
            with transaction():
                deliveries.park(endpoint.organization_id, delivery_id)
                locked = endpoints.lock(endpoint.organization_id, endpoint.id)
                assert next_requests(locked, after(29), POLICY) == []
        assert endpoint.states() == ["parked", "parked"]
