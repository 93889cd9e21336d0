"""Examples of `settle` by clock times; the properties are in `test_settlement`."""

from collections.abc import Sequence
from datetime import datetime

from rules.book import worst_level
from rules.facts import Selector
from rules.facts_in_memory import FactsInMemory, Occurrence
from rules.judging.settlement import settle
from rules.judging.state import (
    Cause,
    FlagChange,
    Transition,
)
from tests.unit.rules.judging.companies import (
    BUSY,
    QUIET,
    arrive,
    flag,
    new_company,
)
from tests.unit.rules.oracle.settlement import at, crossings


def test_a_flag_is_raised_at_the_instant_at_which_time_crosses_its_rule() -> None:
    company = new_company(QUIET)
    arrive(company, "a", 0)
    company.evaluate(at(9.999999))
    assert company.transitions == []
    company.evaluate(at(10.7))
    assert company.transitions == [
        Transition(
            at(10),
            "Healthy",
            "At Risk",
            Cause.TIME,
            (FlagChange(at(10), "Quiet", 0, 1, Cause.TIME),),
            {"Quiet": 1},
        )
    ]


def test_a_flag_is_cleared_at_the_instant_of_the_event_that_clears_it() -> None:
    company = new_company(QUIET)
    arrive(company, "a", 0)
    company.evaluate(at(12))
    arrive(company, "a", 14, arrived=15)
    assert company.transitions[-1] == Transition(
        at(14),
        "At Risk",
        "Healthy",
        Cause.EVENT,
        (FlagChange(at(14), "Quiet", 1, 0, Cause.EVENT),),
        {"Quiet": 0},
    )


def test_a_clock_that_was_stopped_finds_every_crossing_at_its_own_instant() -> None:
    company = new_company(QUIET)
    for second in (0, 35, 40):
        arrive(company, "a", second)
    company.evaluate(at(3600))
    assert [(t.at, t.after, t.cause) for t in company.transitions] == [
        (at(10), "At Risk", Cause.TIME),
        (at(20), "Critical", Cause.TIME),
        (at(35), "Healthy", Cause.EVENT),
        (at(50), "At Risk", Cause.TIME),
        (at(60), "Critical", Cause.TIME),
    ]


def test_a_company_without_matching_events_is_evaluated_from_its_first_event() -> None:
    company = new_company(QUIET)
    arrive(company, "b", 0)
    assert [(t.at, t.after, t.cause) for t in company.transitions] == [
        (at(0), "Critical", Cause.EVENT)
    ]


def test_an_event_that_cannot_matter_needs_no_evaluation() -> None:
    company = new_company(QUIET, BUSY)
    arrive(company, "a", 0)
    assert not company.store([Occurrence(at(1), "a")], at(1))
    assert company.store([Occurrence(at(2), "b")], at(2))


def test_a_waiting_flag_does_not_count_until_its_wait_is_over() -> None:
    company = new_company(flag("Quiet", "a", (1, "no activity for 10 seconds"), wait=60))
    arrive(company, "b", 0)
    company.evaluate(at(59.999999))
    assert (company.levels, company.transitions) == ({"Quiet": None}, [])
    company.evaluate(at(61))
    assert crossings(company.transitions) == [(at(60), "Healthy", "At Risk", [("Quiet", None, 1)])]


def test_the_status_is_the_worst_level_among_the_flags() -> None:
    company = new_company(QUIET, BUSY)
    arrive(company, "a", 0)
    arrive(company, "b", 8)
    arrive(company, "b", 9)
    company.evaluate(at(30))
    assert crossings(company.transitions) == [
        (at(9), "Healthy", "At Risk", [("Busy", 0, 1)]),
        (at(10), "At Risk", "At Risk", [("Quiet", 0, 1)]),
        (at(18), "At Risk", "At Risk", [("Busy", 1, 0)]),
        (at(20), "At Risk", "Critical", [("Quiet", 1, 2)]),
    ]


def test_flags_that_change_at_the_same_instant_make_one_transition() -> None:
    company = new_company(QUIET, flag("Idle", None, (1, "less than 1 time in 10 seconds")))
    arrive(company, "a", 0)
    company.evaluate(at(11))
    assert crossings(company.transitions) == [
        (at(10), "Healthy", "At Risk", [("Quiet", 0, 1), ("Idle", 0, 1)])
    ]


def test_a_transition_by_time_and_by_an_event_has_the_cause_event() -> None:
    company = new_company(QUIET, BUSY)
    arrive(company, "a", 0)
    arrive(company, "b", 9)
    arrive(company, "b", 10)
    assert [(t.at, t.cause) for t in company.transitions] == [(at(10), Cause.EVENT)]
    assert [change.cause for change in company.transitions[0].changes] == [Cause.TIME, Cause.EVENT]


def test_a_crossing_found_late_is_recorded_after_the_recorded_status() -> None:
    company = new_company(QUIET, flag("Busy", "b", (2, "at least 2 times in 60 seconds")))
    arrive(company, "a", 0)
    company.evaluate(at(11))
    company.store([Occurrence(at(5), "b"), Occurrence(at(6), "b")], at(12))
    company.evaluate(at(12))
    assert crossings(company.transitions) == [
        (at(10), "Healthy", "At Risk", [("Quiet", 0, 1)]),
        (at(10), "At Risk", "Critical", [("Busy", 0, 2)]),
    ]
    assert [change.at for change in company.transitions[1].changes] == [at(6)]


def test_an_event_at_the_instant_at_which_another_expires_keeps_the_count() -> None:
    company = new_company(flag("Few", "a", (1, "less than 2 times in 10 seconds")))
    company.store([Occurrence(at(0), "a"), Occurrence(at(1), "a")], at(1))
    company.evaluate(at(1))
    company.store([Occurrence(at(10), "a")], at(10))
    company.evaluate(at(10))
    assert [t.at for t in company.transitions] == [at(0), at(1)]


def test_an_event_less_than_a_minute_late_is_evaluated_as_if_it_were_on_time() -> None:
    company = new_company(QUIET)
    arrive(company, "a", 0)
    company.evaluate(at(70))
    arrive(company, "a", 30, arrived=90)
    assert crossings(company.transitions)[2:] == [
        (at(30), "Critical", "Healthy", [("Quiet", 2, 0)]),
        (at(40), "Healthy", "At Risk", [("Quiet", 0, 1)]),
        (at(50), "At Risk", "Critical", [("Quiet", 1, 2)]),
    ]


def test_a_late_event_counts_at_its_own_time_but_changes_nothing_before_its_arrival() -> None:
    company = new_company(flag("Busy", "a", (1, "at least 2 times in 200 seconds")))
    arrive(company, "a", 100)
    company.evaluate(at(150))
    arrive(company, "a", 80, arrived=160)
    company.evaluate(at(400))
    assert crossings(company.transitions) == [
        (at(160), "Healthy", "At Risk", [("Busy", 0, 1)]),
        (at(280), "At Risk", "Healthy", [("Busy", 1, 0)]),
    ]


def test_an_event_from_before_the_last_change_moves_no_recorded_change() -> None:
    company = new_company(QUIET)
    arrive(company, "a", 0)
    company.evaluate(at(11))
    arrive(company, "a", 5, arrived=12)
    company.evaluate(at(16))
    assert crossings(company.transitions) == [
        (at(10), "Healthy", "At Risk", [("Quiet", 0, 1)]),
        (at(10), "At Risk", "Healthy", [("Quiet", 1, 0)]),
        (at(15), "Healthy", "At Risk", [("Quiet", 0, 1)]),
    ]


def test_a_future_event_is_not_evaluated_before_its_time() -> None:
    company = new_company(BUSY)
    arrive(company, "b", 0)
    facts = FactsInMemory([Occurrence(at(0), "b"), Occurrence(at(5), "b")])
    assert company.state is not None
    early = settle(company.book, company.state, facts, now=at(4), unsettled_since=at(1))
    assert early.transitions == ()
    later = settle(company.book, early.state, facts, now=at(6), unsettled_since=at(1))
    assert [t.at for t in later.transitions] == [at(5)]


class UnreadFacts(FactsInMemory):
    def latest(
        self, selector: Selector, limit: int, since: datetime, until: datetime
    ) -> Sequence[datetime]:
        raise AssertionError(f"{limit} of {selector} in {since} to {until} were read")

    def next_after(self, selector: Selector, after: datetime, until: datetime) -> datetime | None:
        raise AssertionError(f"{selector} were read in {after} to {until}")


def test_no_events_are_read_for_a_flag_that_cannot_have_changed() -> None:
    company = new_company(QUIET)
    arrive(company, "a", 0)
    assert company.state is not None
    settlement = settle(
        company.book, company.state, UnreadFacts([]), now=at(9), unsettled_since=at(1)
    )
    assert (settlement.state, settlement.transitions) == (company.state, ())


class CountedFacts(FactsInMemory):
    probes = 0

    def latest(
        self, selector: Selector, limit: int, since: datetime, until: datetime
    ) -> Sequence[datetime]:
        self.probes += 1
        return super().latest(selector, limit, since, until)

    def next_after(self, selector: Selector, after: datetime, until: datetime) -> datetime | None:
        self.probes += 1
        return super().next_after(selector, after, until)


def test_a_due_flag_costs_one_query_per_phrase_however_many_events_there_are() -> None:
    company = new_company(QUIET)
    arrive(company, "a", 0)
    assert company.state is not None
    facts = CountedFacts([Occurrence(at(number / 100), "a") for number in range(1000)])
    settlement = settle(company.book, company.state, facts, now=at(10), unsettled_since=None)
    assert settlement.transitions == ()
    assert settlement.state.flags["Quiet"].due_at == at(19.99)
    assert facts.probes == 2


def test_the_worst_of_no_level_is_the_best_status() -> None:
    assert worst_level([]) == worst_level([None]) == worst_level([0, None]) == 0
    assert worst_level([1, None, 2, 0]) == 2
