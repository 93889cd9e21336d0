"""Deliveries that are sent at once or recovered."""

import pytest

from models.webhooks.deliveries import ManualReason, Result, State
from tests.support.webhooks.endpoints import (
    WebhookEndpoint,
    begin,
    break_circuit,
    fail,
    probes,
    row,
    succeed,
    try_claim,
)
from tests.support.world import after


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("broken", [True, False])
def test_a_delivery_that_is_sent_at_once_has_one_attempt_that_changes_nothing_else(
    endpoint: WebhookEndpoint, *, broken: bool, accepted: bool
) -> None:
    if broken:
        break_circuit(endpoint)
    before = endpoint.health
    [delivery_id] = endpoint.add(1, ManualReason.AT_ONCE)
    claimed = begin(delivery_id, 1)
    assert not claimed.probe
    if accepted:
        succeed(claimed, 2)
    else:
        assert fail(claimed, 2, status=410)[0] == Result(State.FAILED, counts=False)
    delivery = row(delivery_id)
    assert delivery["state"] == ("delivered" if accepted else "failed")
    assert (delivery["attempts"], delivery["tries"], delivery["by_hand"]) == (0, 1, None)
    assert delivery["finished_at"] == after(2)
    assert delivery["next_attempt_at"] is None
    assert endpoint.health == before


def test_a_failed_recovery_has_one_try_and_changes_neither_failures_nor_circuit(
    endpoint: WebhookEndpoint,
) -> None:
    ids = endpoint.add(6, ManualReason.RECOVERY)
    before = endpoint.health
    for delivery_id in ids:
        assert fail(begin(delivery_id, 1), 1, status=410)[0].state is State.FAILED
        assert (row(delivery_id)["attempts"], row(delivery_id)["tries"]) == (0, 1)
    assert endpoint.health == before


def test_a_recovery_waits_while_the_circuit_is_open(endpoint: WebhookEndpoint) -> None:
    break_circuit(endpoint)
    [delivery_id] = endpoint.add(1, ManualReason.RECOVERY)
    assert try_claim(delivery_id, 1) is None
    assert (row(delivery_id)["parked"], row(delivery_id)["by_hand"]) == (True, "recovery")
    assert probes(30) == [(delivery_id, 1)]


def test_a_delivery_that_is_sent_at_once_reaches_even_a_disabled_endpoint(
    endpoint: WebhookEndpoint,
) -> None:
    [before] = endpoint.add(1, ManualReason.AT_ONCE)
    endpoint.disable(0)
    [delivery_id] = endpoint.add(1, ManualReason.AT_ONCE)
    succeed(begin(before, 1), 1)
    succeed(begin(delivery_id, 1), 1)
    assert endpoint.stored.disabled_at == after(0)
