"""Endpoints are isolated from each other: slots, turns, circuits, and endpoints that are disabled.

The present is given by hand, and attempts are recorded as they are told to end: what is sent is
in `test_webhook_delivery.py`.
"""

import logging
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from config.settings import Settings
from config.webhook_policy import LEASE, WebhookPolicy
from models.database import execute, query, transaction
from models.due import is_anything_due
from models.organizations import organizations
from models.webhooks import deliveries, webhook_endpoints
from models.webhooks.deliveries import Attempt, ManualReason, NewDelivery, Request, Result, State
from models.webhooks.webhook_endpoints import Endpoint
from services.webhooks import endpoints
from services.webhooks.claims import ClaimedDelivery, claim, next_in_turn
from services.webhooks.outcomes import AttemptFailed, record_failure, record_success

POLICY = WebhookPolicy()

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)
MICROSECOND = 0.000001
HOUR = 3600.0


def after(seconds: float) -> datetime:
    return T0 + timedelta(microseconds=round(seconds * 1_000_000))


@dataclass
class Place:
    """An endpoint, and what is sent to it; times are seconds after T0."""

    organization_id: int
    id: UUID

    def add(self, number: int = 1, by_hand: ManualReason | None = None) -> list[UUID]:
        """So many new rows, oldest first."""
        with transaction():
            new = NewDelivery(self.organization_id, self.id, None, "msg_1", "{}", by_hand=by_hand)
            return [deliveries.add(new, T0) for _ in range(number)]

    @property
    def endpoint(self) -> Endpoint:
        with transaction():
            found = webhook_endpoints.list_for_organization(self.organization_id)
        [ours] = [endpoint for endpoint in found if endpoint.id == self.id]
        return ours

    @property
    def health(self) -> tuple[Any, ...]:
        """All that an attempt may change of it."""
        at = self.endpoint
        circuit = (at.failures, at.failing_since, at.probe_at, at.probe_pause)
        return (*circuit, at.warned_at, at.last_success_at, at.disabled_at)

    def states(self) -> list[str]:
        """How its rows stand, oldest first: `parked` tells apart those that wait."""
        with transaction():
            rows = query(
                "select case when parked then 'parked' else state end as state from deliveries"
                " where endpoint_id = %(id)s order by id",
                {"id": self.id},
            )
        return [row["state"] for row in rows]

    def disable(self, at: float) -> None:
        with transaction():
            endpoints.disable(endpoints.find(self.organization_id, self.id), "by hand", after(at))

    def enable(self, at: float) -> list[Request]:
        with transaction():
            return endpoints.enable(
                endpoints.find(self.organization_id, self.id), after(at), POLICY
            )


@pytest.fixture
def places(settings: Settings) -> tuple[Place, Place]:
    with transaction():
        organization_id = organizations.create("o").id
        return (new_place(organization_id, settings), new_place(organization_id, settings))


@pytest.fixture
def place(places: tuple[Place, Place]) -> Place:
    return places[0]


def new_place(organization_id: int, settings: Settings) -> Place:
    endpoint_id, _ = webhook_endpoints.add(
        organization_id, "https://example.com/hook", secret_keys=settings.secret_keys
    )
    return Place(organization_id, endpoint_id)


def row(delivery_id: UUID) -> dict[str, Any]:
    with transaction():
        [found] = query("select * from deliveries where id = %(id)s", {"id": delivery_id})
    return found


def try_claim(delivery_id: UUID, at: float) -> ClaimedDelivery | None:
    """What a worker does with a message for the row's next try."""
    return claim(delivery_id, row(delivery_id)["tries"] + 1, after(at), POLICY)


def begin(delivery_id: UUID, at: float) -> ClaimedDelivery:
    """Begin an attempt whose turn it is."""
    claimed = try_claim(delivery_id, at)
    assert claimed is not None
    return claimed


def succeed(claimed: ClaimedDelivery, at: float) -> list[Request]:
    return list(record_success(claimed, Attempt(after(at), 5, 200, None, ""), after(at)).following)


def fail(
    claimed: ClaimedDelivery, at: float, *, status: int = 500, retry_after: str | None = None
) -> tuple[Result, list[Request]]:
    failed = Attempt(after(at), 5, status, f"answered {status}", "")
    return record_failure(AttemptFailed(claimed, failed, retry_after=retry_after), after(at))


def due(at: float) -> list[Request]:
    with transaction():
        return deliveries.find_due(until=after(at), limit=500)


def anything_due(at: float) -> bool:
    with transaction():
        return is_anything_due(until=after(at))


def probes(at: float) -> list[Request]:
    with transaction():
        return deliveries.find_probes(until=after(at), limit=500)


def break_circuit(place: Place, at: float = 0) -> None:
    """Fail five rows of its own; nothing of them is left."""
    for delivery_id in place.add(5):
        fail(begin(delivery_id, at), at)
    with transaction():
        execute("delete from delivery_attempts")
        execute("delete from deliveries where endpoint_id = %(id)s", {"id": place.id})


# Slots


def test_two_attempts_at_a_time_go_to_an_endpoint_and_what_comes_next_is_parked(
    place: Place,
) -> None:
    first, second, third = place.add(3)
    begin(first, 0)
    begin(second, 0)
    assert try_claim(third, 0) is None
    assert place.states() == ["waiting", "waiting", "parked"]
    assert row(third)["next_attempt_at"] is None
    assert (row(third)["attempts"], row(third)["tries"]) == (0, 0)


def test_an_endpoint_that_is_busy_keeps_no_other_waiting(places: tuple[Place, Place]) -> None:
    busy, free = places
    for delivery_id in busy.add(3):
        try_claim(delivery_id, 0)
    [delivery_id] = free.add()
    begin(delivery_id, 0)


def test_no_more_than_two_of_many_workers_at_once_get_a_slot(place: Place) -> None:
    ids = place.add(8)
    start = threading.Barrier(8)

    def work(delivery_id: UUID) -> bool:
        start.wait(5)
        return claim(delivery_id, 1, T0, POLICY) is not None

    with ThreadPoolExecutor(8) as workers:
        claimed = list(workers.map(work, ids))
    assert sum(claimed) == 2
    assert sorted(place.states()) == ["parked"] * 6 + ["waiting"] * 2


@pytest.mark.parametrize("accepted", [True, False])
def test_whoever_ends_an_attempt_gives_the_oldest_parked_row_its_turn(
    place: Place, *, accepted: bool
) -> None:
    ids = place.add(4)
    first, _ = begin(ids[0], 0), begin(ids[1], 0)
    for delivery_id in reversed(ids[2:]):
        assert try_claim(delivery_id, 0) is None
    following = succeed(first, 1) if accepted else fail(first, 1)[1]
    assert following == [(ids[2], 1)]
    assert row(ids[3])["parked"]
    begin(ids[2], 1)
    assert try_claim(ids[3], 1) is None


def test_a_turn_whose_message_gets_lost_is_found_by_the_clock(place: Place) -> None:
    ids = place.add(3)
    first, second = begin(ids[0], 0), begin(ids[1], 0)
    assert try_claim(ids[2], 0) is None
    succeed(first, 10)
    succeed(second, 10)
    assert due(12 - MICROSECOND) == []
    assert due(12) == [(ids[2], 1)]


def test_many_rows_for_one_endpoint_are_all_sent_one_turn_after_the_other(place: Place) -> None:
    ids = place.add(9)
    under_way = [claimed for claimed in (try_claim(i, 0) for i in ids) if claimed]
    order = [claimed.delivery.id for claimed in under_way]
    while under_way:
        for delivery_id, number in succeed(under_way.pop(0), 1):
            claimed = claim(delivery_id, number, after(1), POLICY)
            if claimed:
                under_way.append(claimed)
                order.append(delivery_id)
        assert len(under_way) <= 2
    assert order == ids
    assert set(place.states()) == {"delivered"}


def test_only_one_of_the_two_slots_is_for_recovery(place: Place) -> None:
    older, old = place.add(2, ManualReason.RECOVERY)
    fresh = place.add()[0]
    recovery = begin(older, 0)
    assert try_claim(old, 0) is None
    begin(fresh, 0)
    assert succeed(recovery, 1) == [(old, 1)]


def test_fresh_rows_have_their_turn_before_those_of_a_recovery_and_each_kind_oldest_first(
    place: Place,
) -> None:
    under_way = [begin(delivery_id, 0) for delivery_id in place.add(2)]
    recovered = place.add(2, ManualReason.RECOVERY)
    fresh = place.add(2)
    for delivery_id in (*recovered, *fresh):
        assert try_claim(delivery_id, 0) is None
    order = []
    while under_way:
        for delivery_id, _ in succeed(under_way.pop(0), 1):
            order.append(delivery_id)
            under_way.append(begin(delivery_id, 1))
    assert order == [*fresh, *recovered]


def test_two_parked_rows_of_a_recovery_do_not_have_their_turn_at_once(place: Place) -> None:
    for delivery_id in place.add(3, ManualReason.RECOVERY):
        with transaction():
            deliveries.park(delivery_id)
    with transaction():
        assert len(next_in_turn(endpoints.find(place.organization_id, place.id), T0, POLICY)) == 1
    assert place.states() == ["waiting", "parked", "parked"]


def test_what_is_sent_at_once_waits_for_no_slot_and_takes_none(place: Place) -> None:
    ids = place.add(3)
    first, second = begin(ids[0], 0), begin(ids[1], 0)
    assert try_claim(ids[2], 0) is None
    by_hand = begin(place.add(1, ManualReason.AT_ONCE)[0], 0)
    assert succeed(first, 1) == [(ids[2], 1)]
    assert succeed(by_hand, 1) == []
    succeed(second, 1)


def test_a_thousand_rows_for_an_endpoint_that_hangs_do_not_stand_before_another_ones(
    places: tuple[Place, Place],
) -> None:
    hanging, healthy = places
    for delivery_id in hanging.add(1_000):
        claim(delivery_id, 1, T0, POLICY)
    assert sorted(set(hanging.states())) == ["parked", "waiting"]
    [ours] = healthy.add()
    assert due(2) == [(ours, 1)]
    begin(ours, 2)
    assert probes(HOUR) == []
    waiting = due(LEASE.total_seconds())
    assert len(waiting) == 2, "the two under way, when their leases end"
    broken = [claim(delivery_id, number, after(60), POLICY) for delivery_id, number in waiting]
    assert all(broken)


# Messages that come twice


def test_a_repeated_message_makes_no_second_attempt_whatever_became_of_the_first(
    place: Place,
) -> None:
    accepted, refused, under_way = place.add(3)
    succeed(begin(accepted, 0), 0)
    fail(begin(refused, 0), 0)
    begin(under_way, 0)
    for delivery_id in (accepted, refused, under_way):
        before = row(delivery_id)
        assert claim(delivery_id, 1, after(1), POLICY) is None
        assert row(delivery_id) == before


def test_a_repeated_message_of_a_probe_makes_no_second_one(place: Place) -> None:
    break_circuit(place)
    [delivery_id] = place.add()
    fail(begin(delivery_id, 30), 30)
    before = place.health, row(delivery_id)
    assert row(delivery_id)["attempts"] == 0
    assert claim(delivery_id, 1, after(HOUR), POLICY) is None, (
        "its number is of the probe that was made"
    )
    assert (place.health, row(delivery_id)) == before


# Workers that are killed


def test_what_a_killed_worker_held_comes_due_after_its_lease_and_nothing_stays_parked(
    place: Place,
) -> None:
    ids = place.add(4)
    for delivery_id in ids:
        try_claim(delivery_id, 0)
    assert due(60 - MICROSECOND) == []
    assert due(60) == [(ids[0], 1), (ids[1], 1)]
    again = [begin(ids[0], 60), begin(ids[1], 60)]
    assert succeed(again[0], 61) == [(ids[2], 1)]
    assert succeed(again[1], 61) == [(ids[3], 1)]
    for delivery_id in ids[2:]:
        succeed(begin(delivery_id, 62), 62)
    assert set(place.states()) == {"delivered"}


def test_a_killed_worker_that_left_no_room_for_its_own_row_leaves_it_to_the_others(
    place: Place,
) -> None:
    killed, second, third = place.add(3)
    begin(killed, 0)
    under_way = [begin(second, 60), begin(third, 60)]
    assert try_claim(killed, 61) is None
    assert row(killed)["parked"]
    assert succeed(under_way[0], 62) == [(killed, 1)]


def test_a_worker_that_comes_back_after_its_lease_gives_no_turn_away(place: Place) -> None:
    ids = place.add(4)
    late, _ = begin(ids[0], 0), begin(ids[1], 0)
    quick = begin(ids[0], 60), begin(ids[1], 60)
    for delivery_id in ids[2:]:
        assert try_claim(delivery_id, 60) is None
    assert succeed(late, 61) == []
    assert fail(late, 61)[1] == []
    assert row(ids[0])["lease_token"] == quick[0].token


# The circuit


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


def test_a_success_in_between_starts_the_count_anew(place: Place) -> None:
    for delivery_id in place.add(4):
        fail(begin(delivery_id, 0), 0)
    succeed(begin(place.add()[0], 1), 1)
    assert (place.endpoint.failures, place.endpoint.failing_since) == (0, None)
    assert place.endpoint.last_success_at == after(1)
    for delivery_id in place.add(4):
        fail(begin(delivery_id, 2), 2)
    assert place.endpoint.probe_at is None


def test_a_failure_that_opens_the_circuit_gives_nobody_a_turn(place: Place) -> None:
    ids = place.add(7)
    for delivery_id in ids[:4]:
        fail(begin(delivery_id, 0), 0)
    fifth, _ = begin(ids[4], 0), begin(ids[5], 0)
    assert try_claim(ids[6], 0) is None
    assert fail(fifth, 0)[1] == []
    assert row(ids[6])["parked"]


def test_the_clock_asks_for_one_probe_of_each_open_circuit_the_oldest_fresh_row(
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


def test_an_accepted_probe_closes_the_circuit_and_gives_two_parked_rows_their_turn(
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
def test_what_was_under_way_when_the_circuit_opened_closes_it_if_accepted_and_else_moves_no_probe(
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


def test_a_probe_that_is_never_heard_of_is_made_again_after_its_lease(place: Place) -> None:
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


# By hand


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("broken", [True, False])
def test_what_is_sent_at_once_has_one_try_that_touches_nothing(
    place: Place, *, broken: bool, accepted: bool
) -> None:
    if broken:
        break_circuit(place)
    before = place.health
    [delivery_id] = place.add(1, ManualReason.AT_ONCE)
    claimed = begin(delivery_id, 1)
    assert not claimed.probe
    if accepted:
        succeed(claimed, 2)
    else:
        assert fail(claimed, 2, status=410)[0] == Result(State.FAILED, counts=False)
    stands = row(delivery_id)
    assert stands["state"] == ("delivered" if accepted else "failed")
    assert (stands["attempts"], stands["tries"], stands["by_hand"]) == (0, 1, None)
    assert stands["finished_at"] == after(2)
    assert stands["next_attempt_at"] is None
    assert place.health == before


def test_a_failed_recovery_has_one_try_and_touches_neither_failures_nor_circuit(
    place: Place,
) -> None:
    ids = place.add(6, ManualReason.RECOVERY)
    before = place.health
    for delivery_id in ids:
        assert fail(begin(delivery_id, 1), 1, status=410)[0].state is State.FAILED
        assert (row(delivery_id)["attempts"], row(delivery_id)["tries"]) == (0, 1)
    assert place.health == before


def test_a_recovery_waits_while_the_circuit_is_open(place: Place) -> None:
    break_circuit(place)
    [delivery_id] = place.add(1, ManualReason.RECOVERY)
    assert try_claim(delivery_id, 1) is None
    assert (row(delivery_id)["parked"], row(delivery_id)["by_hand"]) == (True, "recovery")
    assert probes(30) == [(delivery_id, 1)]


def test_what_is_sent_at_once_reaches_even_a_disabled_endpoint(place: Place) -> None:
    [before] = place.add(1, ManualReason.AT_ONCE)
    place.disable(0)
    [delivery_id] = place.add(1, ManualReason.AT_ONCE)
    succeed(begin(before, 1), 1)
    succeed(begin(delivery_id, 1), 1)
    assert place.endpoint.disabled_at == after(0)


# Disabled and enabled


def test_410_disables_at_once_and_all_that_waits_is_paused(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    ids = place.add(4)
    first, second = begin(ids[0], 0), begin(ids[1], 0)
    assert try_claim(ids[2], 0) is None
    assert fail(first, 1, status=410) == (Result(State.PAUSED, counts=True), [])
    assert place.states() == ["paused", "waiting", "paused", "paused"]
    assert place.endpoint.disabled_at == after(1)
    assert place.endpoint.disabled_because == "it answered 410 Gone"
    assert f"brazebee webhooks enable {place.id}" in caplog.text
    assert fail(second, 2, status=410)[0].state is State.PAUSED
    assert set(place.states()) == {"paused"}
    assert place.endpoint.disabled_at == after(1), "what was under way disables nothing twice"
    assert len(caplog.records) == 1
    assert due(1000 * HOUR) == probes(1000 * HOUR) == []


def test_what_was_under_way_and_is_accepted_leaves_its_endpoint_disabled(place: Place) -> None:
    first, second = (begin(delivery_id, 0) for delivery_id in place.add(2))
    fail(first, 1, status=410)
    assert succeed(second, 2) == []
    assert place.states() == ["paused", "delivered"]
    assert place.endpoint.disabled_at == after(1)


def test_a_row_that_comes_to_a_disabled_endpoint_is_paused(place: Place) -> None:
    place.disable(0)
    [raced] = place.add()
    assert try_claim(raced, 1) is None
    with transaction():
        new = NewDelivery(place.organization_id, place.id, None, "msg_1", "{}", paused=True)
        written = deliveries.add(new, T0)
    assert try_claim(written, 1) is None
    for delivery_id in (raced, written):
        stands = row(delivery_id)
        assert (stands["state"], stands["next_attempt_at"], stands["tries"]) == ("paused", None, 0)


def test_the_row_of_a_killed_worker_is_paused_when_its_lease_ends(place: Place) -> None:
    [delivery_id] = place.add()
    begin(delivery_id, 0)
    place.disable(1)
    assert due(60) == [(delivery_id, 1)]
    assert try_claim(delivery_id, 60) is None
    assert (row(delivery_id)["state"], row(delivery_id)["lease_token"]) == ("paused", None)


def test_an_endpoint_without_success_is_warned_of_twice_and_disabled_after_120_hours(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    break_circuit(place)
    [delivery_id, parked] = place.add(2)
    assert try_claim(parked, 1) is None
    told = {}
    for at in (23.9, 24, 30, 71.5, 72, 100, 119.5, 120):
        caplog.clear()
        result, _ = fail(begin(delivery_id, at * HOUR), at * HOUR)
        told[at] = [record.levelname for record in caplog.records]
        assert (place.endpoint.disabled_at is None) == (at < 120)
    assert told == {
        23.9: [], 24: ["WARNING"], 30: [], 71.5: [], 72: ["WARNING"], 100: [], 119.5: [],
        120: ["ERROR"],
    }  # fmt: skip
    assert result == Result(State.PAUSED, counts=False), "the last was a probe"
    assert place.states() == ["paused", "paused"]
    assert place.endpoint.disabled_because == "120 hours of failures"


def test_a_success_within_120_hours_keeps_an_endpoint_enabled(place: Place) -> None:
    first, second, third = place.add(3)
    fail(begin(first, 0), 0)
    succeed(begin(second, 119 * HOUR), 119 * HOUR)
    fail(begin(third, 121 * HOUR), 121 * HOUR)
    assert place.endpoint.disabled_at is None
    assert place.endpoint.failing_since == after(121 * HOUR)


def test_an_enabled_endpoint_begins_anew_with_what_was_kept_oldest_first(place: Place) -> None:
    break_circuit(place)
    ids = place.add(4)
    with transaction():
        execute("update deliveries set attempts = 3, tries = 5")
    place.disable(10)
    assert place.states() == ["paused"] * 4
    following = place.enable(20)
    assert sorted(following) == [(ids[0], 6), (ids[1], 6)]
    assert place.states() == ["waiting", "waiting", "parked", "parked"]
    assert place.health == (0, None, None, None, None, None, None)
    assert {row(delivery_id)["attempts"] for delivery_id in ids} == {3}
    assert try_claim(ids[2], 20) is not None, "whoever comes first has the slot"
    assert sorted(due(22)) == [(ids[0], 6), (ids[1], 6)]


def test_pausing_and_enabling_an_endpoint_leaves_others_alone(places: tuple[Place, Place]) -> None:
    ours, theirs = places
    ours.add(2)
    theirs.add(2)
    ours.disable(0)
    assert (ours.states(), theirs.states()) == (["paused"] * 2, ["waiting"] * 2)
    theirs.disable(1)
    ours.enable(2)
    assert (ours.states(), theirs.states()) == (["waiting"] * 2, ["paused"] * 2)


def test_pausing_leaves_alone_what_is_under_way_or_at_its_end(place: Place) -> None:
    accepted, under_way, parked, fresh = place.add(4)
    succeed(begin(accepted, 0), 0)
    begin(under_way, 0)
    with transaction():
        deliveries.park(parked)
        assert deliveries.pause_waiting(place.id) == 2
    assert place.states() == ["delivered", "waiting", "paused", "paused"]
    with transaction():
        assert deliveries.park_paused(place.id) == 2
    assert place.states() == ["delivered", "waiting", "parked", "parked"]
    assert row(fresh)["next_attempt_at"] is None


def test_a_disabled_endpoint_or_an_open_circuit_gives_nobody_a_turn(
    places: tuple[Place, Place],
) -> None:
    disabled, broken = places
    break_circuit(broken)
    disabled.disable(0)
    for place in places:
        for delivery_id in place.add(2):
            with transaction():
                deliveries.park(delivery_id)
                held = endpoints.find(place.organization_id, place.id)
                assert next_in_turn(held, after(HOUR), POLICY) == []
        assert place.states() == ["parked", "parked"]


# All together


class Weather:
    """Messages that get lost or come late and twice, killed workers, failures, people at work."""

    def __init__(self, places: tuple[Place, Place], seed: int) -> None:
        self.places = places
        self.chance = random.Random(seed)
        self.at = 0.0
        self.asked: list[Request] = []
        self.under_way: list[ClaimedDelivery] = []

    def blow(self) -> None:
        self.at += self.chance.choice([0, 0.1, 1, 6, 40, 400])
        for place in self.places:
            if self.chance.random() < 0.2:
                place.add(1, self.chance.choice([None, None, None, *ManualReason]))
        if self.chance.random() < 0.03:
            self.places[0].disable(self.at)
            self.asked += self.places[0].enable(self.at + self.chance.choice([0, 30]))
        self.asked += due(self.at) + probes(self.at)
        self.asked = [request for request in self.asked if self.chance.random() < 0.8]
        for delivery_id, number in self.chance.sample(self.asked, min(len(self.asked), 3)):
            claimed = claim(delivery_id, number, after(self.at), POLICY)
            self.under_way += [claimed] if claimed else []
        for claimed in [claimed for claimed in self.under_way if self.chance.random() < 0.5]:
            self.under_way.remove(claimed)
            self._end(claimed)

    def _end(self, claimed: ClaimedDelivery) -> None:
        end = self.chance.random()
        if end < 0.3:
            self.asked += succeed(claimed, self.at)
        elif end < 0.8:
            asks_for = self.chance.choice([None, "100"])
            self.asked += fail(claimed, self.at, retry_after=asks_for)[1]

    def clear_up(self) -> bool:
        """Accept everything, and let the clock alone ask; whether that comes to an end."""
        for _ in range(3_000):
            wanted = due(self.at) + probes(self.at)
            self.at += 1 if wanted else 60
            for delivery_id, number in wanted:
                if claimed := claim(delivery_id, number, after(self.at), POLICY):
                    succeed(claimed, self.at)
            if not any({"waiting", "parked"} & set(place.states()) for place in self.places):
                return True
        return False


@pytest.mark.parametrize("seed", range(6))
def test_whatever_fails_or_gets_lost_no_row_is_forgotten_and_no_slot_is_exceeded(
    places: tuple[Place, Place], seed: int
) -> None:
    weather = Weather(places, seed)
    for _ in range(200):
        weather.blow()
        for place in places:
            assert in_flight(place, weather.at) <= 2
    assert weather.clear_up()
    for place in places:
        assert set(place.states()) <= {"delivered", "failed"}


def in_flight(place: Place, at: float) -> int:
    """Attempts under way that are not made at once."""
    with transaction():
        made = deliveries.list_in_flight(place.id, after(at))
    assert made.count(ManualReason.RECOVERY) <= 1
    return len(made) - made.count(ManualReason.AT_ONCE)


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
