"""Examples of the levels, causes and instants that transitions are recorded with."""

import pytest

from rules.facts_in_memory import Occurrence
from rules.judging.state import (
    Cause,
)
from tests.unit.rules.judging.companies import (
    A_AT_0,
    BUSY,
    QUIET,
    arrive,
    book,
    evaluated_company,
    flag,
    new_company,
)
from tests.unit.rules.oracle.settlement import Company, at


def test_a_transition_has_the_level_of_every_flag() -> None:
    company = new_company(QUIET, BUSY)
    arrive(company, "a", 0)
    company.evaluate(at(11))
    company.evaluate(at(21))
    assert [t.levels for t in company.transitions] == [
        {"Quiet": 1, "Busy": 0},
        {"Quiet": 2, "Busy": 0},
    ]


def test_a_transition_has_no_levels_of_flags_that_the_rules_no_longer_have() -> None:
    company = evaluated_company(book(QUIET, BUSY), A_AT_0, now=15)
    company.apply(book(BUSY), at(16))
    company.evaluate(at(17))
    assert company.transitions[-1].levels == {"Busy": 0}


@pytest.mark.parametrize("pauses", [(31,), (5, 31)])
def test_the_levels_do_not_depend_on_how_often_the_clock_ran(pauses: list[int]) -> None:
    company = Company(book(QUIET, flag("Idle", None, (1, "no activity for 30 seconds"), wait=3)))
    company.store([A_AT_0], at(0))
    for second in pauses:
        company.evaluate(at(second))
    assert [t.levels for t in company.transitions] == [
        {"Quiet": 1, "Idle": 0},
        {"Quiet": 2, "Idle": 0},
        {"Quiet": 2, "Idle": 1},
    ]


def test_a_flag_that_never_applied_is_not_applicable() -> None:
    company = new_company(QUIET, flag("Idle", None, (1, "no activity for 30 seconds"), wait=60))
    company.store([A_AT_0], at(0))
    company.evaluate(at(11))
    assert [t.levels for t in company.transitions] == [{"Quiet": 1, "Idle": None}]


@pytest.mark.parametrize("evaluated", [(20, 99), (99,)])
def test_a_crossing_by_an_event_has_the_cause_event_even_if_time_was_due_then(
    evaluated: list[int],
) -> None:
    company = new_company(QUIET)
    arrive(company, "a", 0)
    company.evaluate(at(11))
    company.store([Occurrence(at(20), "a")], at(20))
    for second in evaluated:
        company.evaluate(at(second))
    assert [(t.at, t.after, t.cause) for t in company.transitions[1:]] == [
        (at(20), "Healthy", Cause.EVENT),
        (at(30), "At Risk", Cause.TIME),
        (at(40), "Critical", Cause.TIME),
    ]


@pytest.mark.parametrize("judged_before", [True, False])
def test_the_end_of_a_wait_has_the_cause_time_even_if_an_event_occurs_then(
    *, judged_before: bool
) -> None:
    company = new_company(flag("Few", "a", (1, "less than 9 times in 10 seconds"), wait=5), BUSY)
    company.store([A_AT_0], at(0))
    if judged_before:
        company.evaluate(at(0))
    company.store([Occurrence(at(5), "a"), Occurrence(at(5), "b")], at(5))
    company.evaluate(at(99))
    assert [(t.at, t.cause) for t in company.transitions] == [(at(5), Cause.TIME)]


def test_a_crossing_by_time_has_the_cause_time_despite_an_event_of_another_key() -> None:
    fading = flag("Fading", "b", (2, "no activity for 20 seconds"), (1, "< 2 times in 10 seconds"))
    company = new_company(flag("Busy", "a", (1, "at least 9 times in 10 seconds")), fading)
    arrive(company, "b", 0)
    arrive(company, "a", 20)
    assert [(t.at, t.cause) for t in company.transitions] == [
        (at(0), Cause.EVENT),
        (at(20), Cause.TIME),
    ]


def test_history_does_not_run_backwards_when_a_flag_changes_without_a_change_of_status() -> None:
    company = new_company(
        flag("First", "a", (1, "no activity for 10 seconds")),
        flag("Second", "b", (1, "no activity for 10 seconds")),
    )
    company.store([A_AT_0, Occurrence(at(0), "b"), Occurrence(at(5), "b")], at(5))
    company.evaluate(at(16))
    arrive(company, "a", 12, arrived=17)
    assert [(t.at, t.before, t.after) for t in company.transitions] == [
        (at(10), "Healthy", "At Risk"),
        (at(15), "At Risk", "At Risk"),
        (at(15), "At Risk", "At Risk"),
    ]


# A company that is older than first known


def test_a_wait_ends_when_an_older_event_shows_that_the_company_is_not_new() -> None:
    company = new_company(flag("Quiet", "a", (1, "no activity for 10 seconds"), wait=1000))
    arrive(company, "b", 5000)
    arrive(company, "b", 100, arrived=5100)
    company.evaluate(at(5200))
    assert company.levels == company.recounted_levels(at(5200)) == {"Quiet": 1}


def test_a_wait_starts_at_the_earliest_event_whatever_the_order_of_arrival() -> None:
    company = new_company(flag("Quiet", "a", (1, "no activity for 10 seconds"), wait=50))
    arrive(company, "b", 40)
    arrive(company, "b", 0, arrived=45)
    company.evaluate(at(60))
    assert company.levels == company.recounted_levels(at(60)) == {"Quiet": 1}
