"""The circuit of an endpoint and its probes."""

import pytest

from models.database import transaction
from models.due import is_anything_due
from models.webhooks.deliveries import ManualReason, State
from tests.support.webhooks.endpoints import (
    HOUR,
    MICROSECOND,
    T0,
    Place,
    after,
    begin,
    break_circuit,
    due,
    fail,
    probes,
    row,
    succeed,
    try_claim,
)


def anything_due(at: float) -> bool:
    with transaction():
        return is_anything_due(until=after(at))


def test_the_fifth_failure_in_a_row_opens_the_circuit_and_rows_wait_without_an_attempt(
    place: Place,
) -> None:
    for number, delivery_id in enumerate(place.add(5), start=1):
        assert place.endpoint.probe_at is None
        result, _ = fail(begin(delivery_id, number), number)
        assert (result.state, result.counts) == (State.WAITING, True)
        assert result.next_attempt_at is not None
    assert place.endpoint.failures == 5
    assert place.endpoint.probe_at == after(5 + 30)
    [fresh] = place.add()
    assert try_claim(fresh, 35 - MICROSECOND) is None
    assert (row(fresh)["parked"], row(fresh)["attempts"], row(fresh)["tries"]) == (True, 0, 0)


def test_a_success_in_between_resets_the_count(place: Place) -> None:
    for delivery_id in place.add(4):
        fail(begin(delivery_id, 0), 0)
    succeed(begin(place.add()[0], 1), 1)
    assert (place.endpoint.failures, place.endpoint.failing_since) == (0, None)
    assert place.endpoint.last_success_at == after(1)
    for delivery_id in place.add(4):
        fail(begin(delivery_id, 2), 2)
    assert place.endpoint.probe_at is None


def test_a_failure_that_opens_the_circuit_unparks_nothing(place: Place) -> None:
    ids = place.add(7)
    for delivery_id in ids[:4]:
        fail(begin(delivery_id, 0), 0)
    fifth, _ = begin(ids[4], 0), begin(ids[5], 0)
    assert try_claim(ids[6], 0) is None
    assert fail(fifth, 0)[1] == []
    assert row(ids[6])["parked"]


def test_the_clock_enqueues_one_probe_of_each_open_circuit_the_oldest_new_row(
    places: tuple[Place, Place],
) -> None:
    for place in places:
        break_circuit(place)
    recovered = [place.add(1, ManualReason.RECOVERY)[0] for place in places]
    fresh = [place.add(2) for place in places]
    for delivery_id in (*recovered, *fresh[0], *fresh[1]):
        assert try_claim(delivery_id, 1) is None
    assert probes(30 - MICROSECOND) == []
    assert not anything_due(30 - MICROSECOND)
    assert anything_due(30)
    assert sorted(probes(30)) == sorted([(fresh[0][0], 1), (fresh[1][0], 1)])
    assert due(HOUR) == []


def test_there_is_one_probe_at_a_time(place: Place) -> None:
    break_circuit(place)
    first, second = place.add(2)
    assert begin(first, 30).probe
    assert try_claim(second, 30) is None
    assert try_claim(second, 90 - MICROSECOND) is None
    assert probes(90 - MICROSECOND) == []
    assert row(second)["parked"]


def test_a_failed_probe_spends_no_attempt_of_its_row_and_doubles_the_pause_up_to_half_an_hour(
    place: Place,
) -> None:
    break_circuit(place)
    [delivery_id] = place.add()
    at, pauses = 30.0, []
    for number in range(1, 10):
        result, following = fail(begin(delivery_id, at), at)
        assert (result.state, result.counts, following) == (State.WAITING, False, [])
        stands = row(delivery_id)
        assert (stands["parked"], stands["attempts"], stands["tries"]) == (True, 0, number)
        probe_at = place.endpoint.probe_at
        assert probe_at is not None
        pauses.append((probe_at - after(at)).total_seconds())
        at = (probe_at - T0).total_seconds()
        assert probes(at - MICROSECOND) == []
        assert probes(at) == [(delivery_id, number + 1)]
    assert pauses == [60, 120, 240, 480, 960, 1800, 1800, 1800, 1800]


def test_an_accepted_probe_closes_the_circuit_and_unparks_two_rows(
    place: Place,
) -> None:
    break_circuit(place)
    ids = place.add(4)
    for delivery_id in ids:
        assert try_claim(delivery_id, 1) is None
    following = succeed(begin(ids[0], 30), 31)
    assert sorted(following) == [(ids[1], 1), (ids[2], 1)]
    assert place.health == (0, None, None, None, None, after(31), None)
    assert place.states() == ["delivered", "waiting", "waiting", "parked"]
    assert (row(ids[0])["attempts"], row(ids[0])["tries"]) == (1, 1)
    for delivery_id in ids[1:3]:
        assert not begin(delivery_id, 32).probe


def test_after_a_circuit_has_closed_it_opens_again_for_thirty_seconds(place: Place) -> None:
    break_circuit(place)
    [delivery_id] = place.add()
    fail(begin(delivery_id, 30), 30)
    succeed(begin(delivery_id, 90), 90)
    break_circuit(place, 100)
    assert place.endpoint.probe_at == after(130)


@pytest.mark.parametrize("accepted", [True, False])
def test_an_attempt_in_flight_when_the_circuit_opened_closes_it_only_if_accepted(
    place: Place, *, accepted: bool
) -> None:
    ids = place.add(6)
    for delivery_id in ids[:3]:
        fail(begin(delivery_id, 0), 0)
    fourth, fifth = begin(ids[3], 0), begin(ids[4], 0)
    fail(fourth, 0)
    sixth = begin(ids[5], 0)
    fail(fifth, 1)
    assert place.endpoint.probe_at == after(31)
    if accepted:
        succeed(sixth, 20)
        assert (place.endpoint.failures, place.endpoint.probe_at) == (0, None)
    else:
        assert fail(sixth, 20)[0].counts, "it was no probe"
        assert (place.endpoint.failures, place.endpoint.probe_at) == (6, after(31))


def test_a_probe_that_is_lost_is_made_again_after_its_lease(place: Place) -> None:
    break_circuit(place)
    killed, parked = place.add(2)
    begin(killed, 30)
    assert try_claim(parked, 31) is None
    assert due(90 - MICROSECOND) == probes(90 - MICROSECOND) == []
    assert due(90) == [(killed, 1)]
    assert probes(90) == [(parked, 1)]
    assert begin(parked, 90).probe
    assert try_claim(killed, 90) is None
    assert row(killed)["parked"]


def test_retry_after_keeps_even_probes_away(place: Place) -> None:
    ids = place.add(5)
    for delivery_id in ids[:4]:
        fail(begin(delivery_id, 0), 0)
    fail(begin(ids[4], 0), 0, status=429, retry_after="3600")
    assert place.endpoint.probe_at == after(HOUR)
    [delivery_id] = place.add()
    assert try_claim(delivery_id, HOUR - 1) is None
    fail(begin(delivery_id, HOUR), HOUR, status=429, retry_after=str(10**9))
    assert place.endpoint.probe_at == after(25 * HOUR), "a day at the most"


def test_a_new_row_may_be_the_probe_that_is_due(place: Place) -> None:
    break_circuit(place)
    [delivery_id] = place.add()
    assert begin(delivery_id, 31).probe


def test_a_recovery_that_fails_as_a_probe_waits_on_and_doubles_the_pause(place: Place) -> None:
    opened = place.add(5)
    for number, delivery_id in enumerate(opened):
        fail(begin(delivery_id, number), number)
    [recovering] = place.add(1, ManualReason.RECOVERY)
    assert try_claim(recovering, 5) is None
    at, pauses = 5.0, []
    for _ in range(3):
        probe_at = (place.endpoint.probe_at - T0).total_seconds()
        pauses.append(probe_at - at)
        at = probe_at
        fail(begin(recovering, at), at)
    assert row(recovering)["state"] == "waiting"
    assert pauses[1:] == [60, 120]


def test_two_failures_days_apart_disable_nothing(place: Place) -> None:
    first, second = place.add(2)
    fail(begin(first, 0), 0)
    fail(begin(second, 121 * HOUR), 121 * HOUR)
    assert place.endpoint.disabled_at is None
