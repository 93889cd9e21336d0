"""Evaluating companies: which transitions are recorded, and at which instants."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from config.settings import Settings
from services.rules.rule_books import RuleBooks
from tests.support.evaluations import FEW_LOGINS
from tests.support.in_transactions import evaluate
from tests.support.world import MICROSECOND, START, World

pytestmark = pytest.mark.usefixtures("settings")


def test_a_company_without_events_of_a_flag_is_judged_as_zero_times() -> None:
    world = World.create(FEW_LOGINS)
    world.track("acme", 0, key="report")
    world.judge("acme", 0)
    assert world.company().health_status == "At Risk"
    assert world.crossings() == [(0, "At Risk", "event")]


def test_a_company_that_does_not_exist_is_not_evaluated() -> None:
    assert evaluate([4711], RuleBooks(), START).written == []


def test_a_flag_is_raised_at_the_second_latest_event_plus_its_window_to_the_microsecond() -> None:
    world = World.create(FEW_LOGINS)
    world.track("acme", 0, 3.000001)
    world.judge("acme", 3.000001)
    assert world.company().health_status == "Healthy"
    before = world.crossings()

    world.judge("acme", 10 - MICROSECOND)
    assert world.crossings() == before
    world.judge("acme", 10)
    assert world.crossings() == [*before, (10, "At Risk", "time")]


def test_a_flag_is_lowered_at_the_event_that_is_enough_again() -> None:
    world = World.create(FEW_LOGINS)
    world.track("acme", 0, 3.000001)
    world.judge("acme", 10)
    before = world.crossings()
    world.track("acme", 12.5)
    world.judge("acme", 12.7)
    assert world.crossings() == [*before, (12.5, "Healthy", "event")]
    world.judge("acme", 13.000001 - MICROSECOND)
    assert world.company().health_status == "Healthy"
    world.judge("acme", 13.000001)
    assert world.crossings()[-1] == (13.000001, "At Risk", "time")


def test_the_recorded_instant_does_not_depend_on_when_a_company_is_evaluated() -> None:
    world = World.create(FEW_LOGINS)
    world.track("prompt", 0, 1)
    world.track("late", 0, 1)
    for at in (1, 10, 11, 20):
        world.judge("prompt", at)
    world.judge("late", 3600)
    assert world.crossings("late") == world.crossings("prompt")
    assert world.crossings("late")[-1] == (10, "At Risk", "time")


def test_a_company_remembers_its_status_the_one_before_and_since_when() -> None:
    world = World.create(FEW_LOGINS)
    world.track("acme", 0)
    world.judge("acme", 0)
    world.track("acme", 4)
    world.judge("acme", 60)
    company = world.company()
    assert (company.health_status, company.previous_status) == ("At Risk", "Healthy")
    assert company.changed_at == world.at(10)
    assert company.sequence == 3
    assert company.unsettled_since is None


def test_at_least_rules_are_raised_by_an_event_and_lowered_by_time() -> None:
    rules = FEW_LOGINS.replace("less than 2", "at least 2")
    world = World.create(rules)
    world.track("acme", 0, 4)
    world.judge("acme", 60)
    assert world.crossings() == [(4, "At Risk", "event"), (10, "Healthy", "time")]


def test_the_worst_flag_decides_and_a_change_below_it_sends_threshold_crossed(
    settings: Settings,
) -> None:
    world = World.create("""
version: 1
events: {login: , report: }
flags:
  - flag: Logs in
    event: login
    when: {Critical: less than 1 time in 10 seconds}
  - flag: Reports
    event: report
    when: {At Risk: less than 1 time in 5 seconds}
""")
    world.subscribe(settings)
    world.track("acme", 0, key="login")
    world.judge("acme", 0)
    world.judge("acme", 10)
    world.track("acme", 12, key="report")
    world.judge("acme", 12)
    assert world.crossings() == [
        (0, "At Risk", "event"),
        (10, "Critical", "time"),
        (12, "Critical", "event"),
    ]
    last = world.payloads()[-1]
    assert last["event"] == "threshold_crossed"
    assert last["company"]["health_status"] == last["company"]["previous_status"] == "Critical"
    assert last["triggers"] == [
        {"flag": "Reports", "status": "Healthy", "threshold": "Less than 1 time in 5 seconds"}
    ]
    assert world.company().changed_at == world.at(10)


def test_flags_that_cross_at_one_instant_make_one_transition() -> None:
    rules = """
version: 1
events: {login: }
flags:
  - {flag: A, event: login, when: {At Risk: no activity for 5 seconds}}
  - {flag: B, event: any, when: {Critical: less than 1 time in 5 seconds}}
"""
    world = World.create(rules)
    world.track("acme", 0)
    world.judge("acme", 60)
    [crossing] = world.transitions()
    assert crossing.to_status == "Critical"
    assert {change["flag"] for change in crossing.changes} == {"A", "B"}


def test_a_new_company_that_must_wait_is_judged_when_it_has_been_known_that_long() -> None:
    rules = FEW_LOGINS + "    new_company: wait 20 seconds\n"
    world = World.create(rules)
    world.track("acme", 0)
    world.judge("acme", 20 - MICROSECOND)
    assert world.crossings() == []
    world.judge("acme", 100)
    assert world.crossings() == [(20, "At Risk", "time")]


def test_judging_twice_changes_nothing_more(settings: Settings) -> None:
    world = World.create(FEW_LOGINS)
    world.subscribe(settings)
    world.track("acme", 0)
    assert len(world.judge("acme", 5)) == 1

    def stored() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        companies = world.rows("select * from companies")
        for company in companies:
            del company["evaluated_at"]  # when it was judged, of which nothing else follows
        return companies, world.rows("select * from flag_states")

    before = stored()
    assert world.judge("acme", 5) == []
    assert stored() == before
    assert len(world.transitions()) == len(world.payloads()) == 1


def test_four_workers_at_once_make_one_transition_and_one_delivery(settings: Settings) -> None:
    world = World.create(FEW_LOGINS)
    world.subscribe(settings)
    world.track("acme", 0)
    start = threading.Barrier(4)

    def work() -> list[UUID]:
        start.wait(5)
        return world.judge("acme", 60)

    with ThreadPoolExecutor(4) as workers:
        written = [future.result() for future in [workers.submit(work) for _ in range(4)]]
    assert sorted(len(ids) for ids in written) == [0, 0, 0, 1]
    assert len(world.transitions()) == len(world.payloads()) == 1
