"""The circuit of an endpoint and its probes."""

from datetime import datetime

import pytest

from models.database import transaction
from models.webhooks import deliveries
from models.webhooks.deliveries import ManualReason, Result, State
from tests.support.webhooks.endpoints import (
    HOUR,
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
from tests.support.world import MICROSECOND, START, after


def seconds_of(at: datetime | None) -> float:
    """Return an instant in seconds after `START`."""
    assert at is not None
    return (at - START).total_seconds()


def test_the_fifth_failure_in_a_row_opens_the_circuit_and_parks_further_rows(
    endpoint: WebhookEndpoint,
) -> None:
    for number, delivery_id in enumerate(endpoint.add(5), start=1):
        assert endpoint.stored.probe_at is None
        result, _ = fail(begin(delivery_id, number), number)
        assert (result.state, result.counts) == (State.WAITING, True)
        assert result.next_attempt_at is not None
    assert endpoint.stored.failures == 5
    assert endpoint.stored.probe_at == after(5 + 30)
    [fresh] = endpoint.add()
    assert try_claim(fresh, 35 - MICROSECOND) is None
    assert (row(fresh)["parked"], row(fresh)["attempts"], row(fresh)["tries"]) == (True, 0, 0)


def test_a_success_in_between_resets_the_count(endpoint: WebhookEndpoint) -> None:
    for delivery_id in endpoint.add(4):
        fail(begin(delivery_id, 0), 0)
    succeed(begin(endpoint.add()[0], 1), 1)
    assert (endpoint.stored.failures, endpoint.stored.failing_since) == (0, None)
    assert endpoint.stored.last_success_at == after(1)
    for delivery_id in endpoint.add(4):
        fail(begin(delivery_id, 2), 2)
    assert endpoint.stored.probe_at is None


def test_a_failure_that_opens_the_circuit_unparks_nothing(endpoint: WebhookEndpoint) -> None:
    ids = endpoint.add(7)
    for delivery_id in ids[:4]:
        fail(begin(delivery_id, 0), 0)
    fifth, _ = begin(ids[4], 0), begin(ids[5], 0)
    assert try_claim(ids[6], 0) is None
    assert fail(fifth, 0)[1] == []
    assert row(ids[6])["parked"]


def test_the_clock_enqueues_a_new_row_of_each_open_circuit_as_its_probe(
    two_endpoints: tuple[WebhookEndpoint, WebhookEndpoint],
) -> None:
    for endpoint in two_endpoints:
        break_circuit(endpoint)
    recovered = [endpoint.add(1, ManualReason.RECOVERY)[0] for endpoint in two_endpoints]
    fresh = [endpoint.add(2) for endpoint in two_endpoints]
    for delivery_id in (*recovered, *fresh[0], *fresh[1]):
        assert try_claim(delivery_id, 1) is None
    assert probes(30 - MICROSECOND) == []
    assert len(probes(30)) == 2
    for delivery_id, number in probes(30):
        assert (number, delivery_id in (*fresh[0], *fresh[1])) == (1, True)
    assert due(HOUR) == []


def test_there_is_one_probe_at_a_time(endpoint: WebhookEndpoint) -> None:
    break_circuit(endpoint)
    first, second = endpoint.add(2)
    assert begin(first, 30).probe
    assert try_claim(second, 30) is None
    assert try_claim(second, 90 - MICROSECOND) is None
    assert probes(90 - MICROSECOND) == []
    assert row(second)["parked"]


def test_a_failed_probe_counts_as_no_attempt_and_doubles_the_pause_up_to_half_an_hour(
    endpoint: WebhookEndpoint,
) -> None:
    break_circuit(endpoint)
    [delivery_id] = endpoint.add()
    at, pauses = 30.0, []
    for number in range(1, 10):
        result, following = fail(begin(delivery_id, at), at)
        assert (result.state, result.counts, following) == (State.WAITING, False, [])
        delivery = row(delivery_id)
        assert (delivery["parked"], delivery["attempts"], delivery["tries"]) == (True, 0, number)
        probe_at = endpoint.stored.probe_at
        assert probe_at is not None
        pauses.append((probe_at - after(at)).total_seconds())
        at = (probe_at - START).total_seconds()
        assert probes(at - MICROSECOND) == []
        assert probes(at) == [(delivery_id, number + 1)]
    assert pauses == [60, 120, 240, 480, 960, 1800, 1800, 1800, 1800]


def test_each_probe_takes_another_row(endpoint: WebhookEndpoint) -> None:
    break_circuit(endpoint)
    ids = endpoint.add(4)
    for delivery_id in ids:
        assert try_claim(delivery_id, 1) is None
    for round_ in range(2):
        probed = []
        for _ in ids:
            at = seconds_of(endpoint.stored.probe_at)
            [(delivery_id, number)] = probes(at)
            assert number == round_ + 1
            fail(begin(delivery_id, at), at)
            probed.append(delivery_id)
        assert sorted(probed) == ids


def test_a_row_that_is_refused_as_a_probe_spends_an_attempt_and_another_one_follows_at_once(
    endpoint: WebhookEndpoint,
) -> None:
    break_circuit(endpoint)
    ids = endpoint.add(4)
    for delivery_id in ids:
        assert try_claim(delivery_id, 1) is None
    [(refused, _)] = probes(30)
    result, [(other, number)] = fail(begin(refused, 30), 30, status=400)
    assert (result.state, result.counts) == (State.WAITING, True)
    assert result.next_attempt_at is not None
    assert (row(refused)["parked"], row(refused)["attempts"]) == (False, 1)
    assert (number, other != refused) == (1, True)
    following = succeed(begin(other, 30), 30)
    assert sorted(following) == sorted((i, 1) for i in ids if i not in (refused, other))
    assert endpoint.stored.probe_at is None


def test_an_endpoint_that_refuses_everything_is_probed_twenty_times_before_each_pause(
    endpoint: WebhookEndpoint,
) -> None:
    ids = endpoint.add(80)
    for delivery_id in ids[:4]:
        assert fail(begin(delivery_id, 0), 0, status=401)[1] == []
    fifth = begin(ids[4], 0)
    for delivery_id in ids[5:]:
        try_claim(delivery_id, 0)
    following, pauses, probed = fail(fifth, 0, status=401)[1], [], 0
    at = 0.0
    while len(pauses) < 3:
        for delivery_id, _ in following:
            following = fail(begin(delivery_id, at), at, status=401)[1]
            probed += 1
        if not following:
            pauses.append((probed, seconds_of(endpoint.stored.probe_at) - at))
            at, probed = seconds_of(endpoint.stored.probe_at), 0
            following = probes(at)
    assert pauses == [(20, 30), (20, 60), (20, 120)]
    assert endpoint.stored.failures == 65
    assert endpoint.stored.failing_since == START


def test_an_endpoint_that_refuses_everything_is_disabled_after_120_hours(
    endpoint: WebhookEndpoint,
) -> None:
    break_circuit(endpoint)
    for delivery_id in endpoint.add(2):
        assert try_claim(delivery_id, 1) is None
    [(first, _)] = probes(60 * HOUR)
    fail(begin(first, 60 * HOUR), 60 * HOUR, status=404)
    [(second, _)] = probes(120 * HOUR)
    assert fail(begin(second, 120 * HOUR), 120 * HOUR, status=404)[0].state is State.PAUSED
    assert endpoint.stored.disabled_at == after(120 * HOUR)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 301])
def test_other_answers_count_as_failures_of_the_endpoint(
    endpoint: WebhookEndpoint, status: int
) -> None:
    break_circuit(endpoint)
    first, second = endpoint.add(2)
    for delivery_id in (first, second):
        assert try_claim(delivery_id, 1) is None
    [(probe, _)] = probes(30)
    result, following = fail(begin(probe, 30), 30, status=status)
    assert (result.counts, following) == (False, [])
    assert endpoint.stored.probe_at == after(90)


def test_a_row_that_is_refused_again_and_again_does_not_open_the_circuit(
    endpoint: WebhookEndpoint,
) -> None:
    [delivery_id] = endpoint.add()
    for number in range(1, 11):
        assert row(delivery_id)["state"] == "waiting"
        assert fail(begin(delivery_id, number), number, status=400)[0].counts
    assert (row(delivery_id)["state"], row(delivery_id)["attempts"]) == ("failed", 10)
    assert (endpoint.stored.failures, endpoint.stored.probe_at) == (1, None)


def test_many_rows_that_are_refused_among_others_delay_these_by_no_pause(
    endpoint: WebhookEndpoint,
) -> None:
    ids = endpoint.add(60)
    refused = set(ids[:30])  # the oldest, as after an outage
    with transaction():
        for delivery_id in ids[2:]:
            deliveries.park(endpoint.organization_id, delivery_id)
    requests = [(delivery_id, 1) for delivery_id in ids[:2]]
    while requests:
        delivery_id, number = requests.pop(0)
        if claimed := claim_try(delivery_id, number, 0):
            if delivery_id in refused:
                requests += fail(claimed, 0, status=400)[1]
            else:
                requests += succeed(claimed, 0)
    assert [row(delivery_id)["state"] for delivery_id in ids[30:]] == ["delivered"] * 30
    attempts = [row(delivery_id)["attempts"] for delivery_id in ids[:30]]
    assert attempts == [1] * 30


def test_a_recovery_that_is_refused_as_a_probe_has_failed(endpoint: WebhookEndpoint) -> None:
    break_circuit(endpoint)
    [delivery_id] = endpoint.add(1, ManualReason.RECOVERY)
    assert fail(begin(delivery_id, 30), 30, status=400)[0] == Result(State.FAILED, counts=False)


def test_an_accepted_probe_closes_the_circuit_and_unparks_two_rows(
    endpoint: WebhookEndpoint,
) -> None:
    break_circuit(endpoint)
    ids = endpoint.add(4)
    for delivery_id in ids:
        assert try_claim(delivery_id, 1) is None
    following = succeed(begin(ids[0], 30), 31)
    assert sorted(following) == [(ids[1], 1), (ids[2], 1)]
    assert endpoint.health == (0, None, None, None, None, after(31), None)
    assert endpoint.states() == ["delivered", "waiting", "waiting", "parked"]
    assert (row(ids[0])["attempts"], row(ids[0])["tries"]) == (1, 1)
    for delivery_id in ids[1:3]:
        assert not begin(delivery_id, 32).probe


def test_after_a_circuit_has_closed_it_opens_again_for_thirty_seconds(
    endpoint: WebhookEndpoint,
) -> None:
    break_circuit(endpoint)
    [delivery_id] = endpoint.add()
    fail(begin(delivery_id, 30), 30)
    succeed(begin(delivery_id, 90), 90)
    break_circuit(endpoint, 100)
    assert endpoint.stored.probe_at == after(130)


@pytest.mark.parametrize("accepted", [True, False])
def test_an_attempt_in_flight_when_the_circuit_opened_closes_it_only_if_accepted(
    endpoint: WebhookEndpoint, *, accepted: bool
) -> None:
    ids = endpoint.add(6)
    for delivery_id in ids[:3]:
        fail(begin(delivery_id, 0), 0)
    fourth, fifth = begin(ids[3], 0), begin(ids[4], 0)
    fail(fourth, 0)
    sixth = begin(ids[5], 0)
    fail(fifth, 1)
    assert endpoint.stored.probe_at == after(31)
    if accepted:
        succeed(sixth, 20)
        assert (endpoint.stored.failures, endpoint.stored.probe_at) == (0, None)
    else:
        assert fail(sixth, 20)[0].counts, "it was not a probe"
        assert (endpoint.stored.failures, endpoint.stored.probe_at) == (6, after(31))


def test_a_lost_probe_is_made_again_after_its_lease(endpoint: WebhookEndpoint) -> None:
    break_circuit(endpoint)
    killed, parked = endpoint.add(2)
    begin(killed, 30)
    assert try_claim(parked, 31) is None
    assert due(90 - MICROSECOND) == probes(90 - MICROSECOND) == []
    assert due(90) == [(killed, 1)]
    assert probes(90) == [(parked, 1)]
    assert begin(parked, 90).probe
    assert try_claim(killed, 90) is None
    assert row(killed)["parked"]


def test_probes_wait_for_retry_after_too(endpoint: WebhookEndpoint) -> None:
    ids = endpoint.add(5)
    for delivery_id in ids[:4]:
        fail(begin(delivery_id, 0), 0)
    fail(begin(ids[4], 0), 0, status=429, retry_after="3600")
    assert endpoint.stored.probe_at == after(HOUR)
    [delivery_id] = endpoint.add()
    assert try_claim(delivery_id, HOUR - 1) is None
    fail(begin(delivery_id, HOUR), HOUR, status=429, retry_after=str(10**9))
    assert endpoint.stored.probe_at == after(25 * HOUR), "at most a day"


def test_a_new_row_can_be_the_probe_that_is_due(endpoint: WebhookEndpoint) -> None:
    break_circuit(endpoint)
    [delivery_id] = endpoint.add()
    assert begin(delivery_id, 31).probe


def test_a_recovery_that_fails_as_a_probe_keeps_waiting_and_doubles_the_pause(
    endpoint: WebhookEndpoint,
) -> None:
    opened = endpoint.add(5)
    for number, delivery_id in enumerate(opened):
        fail(begin(delivery_id, number), number)
    [recovering] = endpoint.add(1, ManualReason.RECOVERY)
    assert try_claim(recovering, 5) is None
    at, pauses = 5.0, []
    for _ in range(3):
        probe_at = (endpoint.stored.probe_at - START).total_seconds()
        pauses.append(probe_at - at)
        at = probe_at
        fail(begin(recovering, at), at)
    assert row(recovering)["state"] == "waiting"
    assert pauses[1:] == [60, 120]


def test_two_failures_days_apart_do_not_disable_an_endpoint(endpoint: WebhookEndpoint) -> None:
    first, second = endpoint.add(2)
    fail(begin(first, 0), 0)
    fail(begin(second, 121 * HOUR), 121 * HOUR)
    assert endpoint.stored.disabled_at is None
