"""Deliveries and probes that the clock enqueues, and attempts that it deletes."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from actors import due_deliveries as due_deliveries_module
from config.settings import Settings
from models.database import query, transaction
from models.webhooks.deliveries import ManualReason
from services.webhooks import endpoints
from tests.support.clocks import POLICY, Ticking, new_organization
from tests.support.webhooks.endpoints import (
    WebhookEndpoint,
    add_endpoint,
    begin,
    break_circuit,
    claim_try,
    message_of,
    succeed,
    try_claim,
)
from tests.support.world import MICROSECOND


def subscribed(settings: Settings, name: str = "o") -> WebhookEndpoint:
    """Subscribe an endpoint of a new organization."""
    organization_id = new_organization(name)
    with transaction():
        return add_endpoint(organization_id, settings)


@contextmanager
def locked_elsewhere(endpoint: WebhookEndpoint) -> Iterator[None]:
    """Lock an endpoint in another transaction."""
    has_lock, done = threading.Event(), threading.Event()

    def hold_lock() -> None:
        with transaction():
            endpoints.lock(endpoint.organization_id, endpoint.id)
            has_lock.set()
            done.wait(10)

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold_lock)
        assert has_lock.wait(5)
        yield
        done.set()
        holding.result(5)


def test_many_due_deliveries_of_an_endpoint_delay_no_other(
    ticking: Ticking, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_deliveries_module, "CHUNK", 10)
    crowded, other = (subscribed(settings, name) for name in ("a", "b"))
    theirs = crowded.add(30)
    [ours] = other.add()
    assert sorted(ticking.at(2)) == sorted(message_of(id_, 1) for id_ in (*theirs[:2], ours))
    assert crowded.states() == ["waiting"] * 2 + ["parked"] * 28
    assert ticking.at(2.2) == []


def test_due_deliveries_of_a_locked_endpoint_wait_and_delay_no_other(
    ticking: Ticking, settings: Settings
) -> None:
    locked, other = (subscribed(settings, name) for name in ("a", "b"))
    theirs, [ours] = locked.add(3), other.add()
    with locked_elsewhere(locked):
        assert ticking.at(2) == [message_of(ours, 1)]
    assert ticking.at(2.2) == [message_of(id_, 1) for id_ in theirs[:2]]


def test_many_due_deliveries_of_a_locked_endpoint_do_not_hide_others(
    ticking: Ticking, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_deliveries_module, "CHUNK", 10)
    locked, other = (subscribed(settings, name) for name in ("a", "b"))
    locked.add(30)
    [ours] = other.add()
    with locked_elsewhere(locked):
        assert ticking.at(2) == [message_of(ours, 1)]


def test_parked_deliveries_that_nothing_gives_a_turn_get_one_within_a_second(
    ticking: Ticking, settings: Settings
) -> None:
    """Their message was lost, or they were committed after the last attempt had ended."""
    idle, busy, failing = (subscribed(settings, name) for name in ("a", "b", "c"))
    break_circuit(failing)
    for delivery_id in busy.add(2):
        begin(delivery_id, 0)
    for endpoint in (busy, failing):
        endpoint.park(3, at=1)
    first, second, _third = idle.park(3, at=1)
    expected = [message_of(first, 1), message_of(second, 1)]
    assert ticking.at(3) == []
    assert ticking.at(4) == expected
    assert ticking.at(5) == []
    assert set(ticking.at(10)) == set(expected)


def test_deliveries_that_are_sent_at_once_are_enqueued_beside_a_crowd(
    ticking: Ticking, settings: Settings
) -> None:
    endpoint = subscribed(settings)
    scheduled = endpoint.add(5)
    at_once = endpoint.add(3, ManualReason.AT_ONCE)
    expected = [message_of(id_, 1) for id_ in (*at_once, *scheduled[:2])]
    assert sorted(ticking.at(2)) == sorted(expected)


def test_the_due_deliveries_of_a_disabled_endpoint_are_paused(
    ticking: Ticking, settings: Settings
) -> None:
    endpoint = subscribed(settings)
    endpoint.disable(0)
    endpoint.add(4)
    assert ticking.at(2) == []
    assert endpoint.states() == ["paused"] * 4


def test_a_probe_is_enqueued_within_a_second_and_again_if_its_message_is_lost(
    ticking: Ticking, settings: Settings
) -> None:
    endpoints_ = [subscribed(settings, name) for name in ("a", "b")]
    for endpoint in endpoints_:
        break_circuit(endpoint)
    with_rows, _without = endpoints_
    [delivery_id] = with_rows.add()
    assert try_claim(delivery_id, 1) is None
    assert ticking.at(30 - MICROSECOND) == []
    assert ticking.at(31) == [message_of(delivery_id, 1)]
    assert ticking.at(35) == []
    assert ticking.at(36) == [message_of(delivery_id, 1)]


def test_attempts_are_deleted_after_thirty_days_for_each_organization(
    ticking: Ticking, settings: Settings
) -> None:
    def stored() -> int:
        with transaction():
            return len(query("select 1 from delivery_attempts"))

    for name in ("a", "b"):
        for delivery_id in subscribed(settings, name).add(2):
            claimed = claim_try(delivery_id, 1, 0)
            assert claimed is not None
            succeed(claimed, 0)
    month = POLICY.attempts_kept_for.total_seconds()
    for _ in range(3):
        ticking.at(month)
    assert stored() == 4
    for seconds in range(3):
        ticking.at(month + 4000 + seconds)
    assert stored() == 0
