"""Evaluating late, with events out of order or not stored yet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Settings
from tests.support.evaluations import FEW_LOGINS
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("settings")


def statuses_by_recount(times: list[float], until: float) -> list[tuple[float, str]]:
    """Return the crossings of `less than 2 times in 10 seconds`, recounted every half second."""
    crossings, status = [], "Healthy"
    for half in range(round(min(times) * 2), round(until * 2) + 1):
        at = half / 2
        count = sum(1 for time in times if at - 10 < time <= at)
        now = "At Risk" if count < 2 else "Healthy"
        if now != status:
            crossings.append((at, now))
            status = now
    return crossings


def test_an_evaluation_an_hour_late_records_every_crossing_at_its_instant_in_order(
    settings: Settings,
) -> None:
    world = World.create(FEW_LOGINS)
    first, second = world.subscribe(settings), world.subscribe(settings)
    times = [0, 3, 12.5, 20, 24, 600, 601, 602, 1800]
    world.track("acme", *times)

    delivery_ids = world.judge("acme", 3600)

    expected = statuses_by_recount(times, 3600)
    assert len(expected) > 5
    assert [(at, status) for at, status, _cause in world.crossings()] == expected
    recorded = world.transitions()
    assert [t.sequence for t in recorded] == list(range(1, len(expected) + 1))
    assert {t.recorded_at for t in recorded} == {world.at(3600)}
    written = world.rows("select id, endpoint_id, transition_id, message_id, state from deliveries")
    assert {row["id"] for row in written} > set(delivery_ids)
    assert len(delivery_ids) == 2, "the first of each endpoint"
    assert {(row["endpoint_id"], row["transition_id"]) for row in written} == {
        (endpoint, t.id) for endpoint in (first, second) for t in recorded
    }
    assert len({row["message_id"] for row in written}) == len(recorded)
    payloads = world.payloads()[::2]
    assert [p["sequence"] for p in payloads] == [t.sequence for t in recorded]
    assert [p["company"]["health_status"] for p in payloads] == [t.to_status for t in recorded]
    assert {p["event"] for p in payloads} == {"health_score_changed"}


@given(
    times=st.lists(st.integers(0, 120), min_size=1, max_size=8).map(
        lambda halves: [half / 2 for half in sorted(halves)]
    ),
    evaluations=st.lists(st.integers(0, 160).map(lambda half: half / 2), max_size=6),
)
def test_crossings_match_a_recount_whenever_a_company_is_evaluated(
    times: list[float], evaluations: list[float]
) -> None:
    world = World.create(FEW_LOGINS)
    for at, kind in sorted([(time, 0) for time in times] + [(at, 1) for at in evaluations]):
        if kind == 0:
            world.track("acme", at)
        elif at >= times[0]:
            world.judge("acme", at)
    world.judge("acme", 100)
    crossings = [(at, status) for at, status, _cause in world.crossings()]
    assert crossings == statuses_by_recount(times, 100)


def test_events_that_arrive_out_of_order_are_counted_at_their_own_times() -> None:
    world = World.create(FEW_LOGINS)
    world.track("acme", 0, 1, 9)
    world.judge("acme", 9)
    world.track("acme", 5, received=9.5)
    world.judge("acme", 60)
    assert world.crossings()[-1] == (15, "At Risk", "time")


def test_a_late_event_changes_health_only_from_its_arrival_on() -> None:
    world = World.create(FEW_LOGINS)
    world.track("acme", 0)
    world.judge("acme", 0)
    rules = FEW_LOGINS.replace("10 seconds", "1 hour")
    world.apply_rules(rules, 50)
    world.judge("acme", 50)
    world.track("acme", 10, received=100)
    world.judge("acme", 100)
    assert world.crossings() == [(0, "At Risk", "event"), (100, "Healthy", "event")]


def test_a_late_event_that_ends_the_wait_of_a_new_company_has_it_judged_at_once() -> None:
    rules = FEW_LOGINS + "    new_company: wait 20 seconds\n"
    world = World.create(rules)
    world.track("acme", 0)
    world.judge("acme", 0)
    world.track("acme", -1000, received=5)
    world.judge("acme", 5)
    assert world.crossings() == [(5, "At Risk", "event")]


def test_an_event_ahead_of_the_clock_of_the_worker_is_not_forgotten() -> None:
    rules = FEW_LOGINS.replace("less than 2", "at least 2")
    world = World.create(rules)
    world.track("acme", 0)
    world.judge("acme", 0)
    world.track("acme", 1)
    world.judge("acme", 0.9)
    assert world.crossings() == []
    assert world.company().unsettled_since == world.at(1), "the clock can find it again"
    world.judge("acme", 1)
    assert world.crossings() == [(1, "At Risk", "event")]


def test_an_event_after_the_backlog_is_judged_later_though_no_flag_is_due() -> None:
    often = FEW_LOGINS.replace("less than 2", "at least 1")
    world = World.create(often)
    world.track("acme", 5)
    world.judge("acme", 5)
    world.track("acme", 20)
    world.judge("acme", 21, stored_until=18)
    assert world.crossings()[-1] == (15, "Healthy", "time")
    assert world.company().unsettled_since == world.at(20)
    world.judge("acme", 25)
    assert world.crossings()[-1] == (20, "At Risk", "event")


def test_an_event_out_of_order_changes_a_comparison_with_the_past() -> None:
    world = World.create(FEW_LOGINS.replace("less than 2 times", "down 50%"))
    world.track("acme", 8, 21)
    world.judge("acme", 24)
    assert world.company().health_status == "Healthy"
    world.track("acme", 11.5, 12, received=24)
    world.judge("acme", 24)
    assert world.crossings()[-1][1] == "At Risk"
