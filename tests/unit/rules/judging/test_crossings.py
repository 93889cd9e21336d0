"""Single stories of `settle`, told by clock times; the properties are in test_rules_settlement."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from rules.book import RuleBook, worst_level
from rules.facts import Selector
from rules.facts_in_memory import FactsInMemory, Occurrence
from rules.flags import Flag
from rules.judging.settlement import settle
from rules.judging.state import (
    Cause,
    CompanyState,
    FlagChange,
    FlagState,
    NewRules,
    Settlement,
    Transition,
)
from rules.language.parser import parse_condition
from tests.unit.rules.oracle.settlement import STATUSES, Company, at, crossings


def flag(name: str, key: str | None, *phrases: tuple[int, str], wait: int = 0) -> Flag:
    """A flag with a phrase for each level, worst first."""
    conditions = tuple((level, parse_condition(phrase)) for level, phrase in phrases)
    return Flag(name, Selector(key), conditions, timedelta(seconds=wait))


def book(*flags: Flag, statuses: tuple[str, ...] = STATUSES) -> RuleBook:
    return RuleBook(statuses, {}, flags)


def company(*flags: Flag) -> Company:
    return Company(book(*flags))


def arrive(company: Company, key: str, occurred: float, *, known: float | None = None) -> None:
    """An event arrives, and the company is evaluated if it asks for it."""
    now = at(occurred if known is None else known)
    if company.store([Occurrence(at(occurred), key)], now):
        company.evaluate(now)


QUIET = flag("Quiet", "a", (2, "no activity for 20 seconds"), (1, "no activity for 10 seconds"))
BUSY = flag("Busy", "b", (1, "at least 2 times in 10 seconds"))


def test_a_flag_is_raised_at_the_instant_at_which_time_crosses_its_rule() -> None:
    told = company(QUIET)
    arrive(told, "a", 0)
    told.evaluate(at(9.999999))
    assert told.transitions == []
    told.evaluate(at(10.7))
    assert told.transitions == [
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
    told = company(QUIET)
    arrive(told, "a", 0)
    told.evaluate(at(12))
    arrive(told, "a", 14, known=15)
    assert told.transitions[-1] == Transition(
        at(14),
        "At Risk",
        "Healthy",
        Cause.EVENT,
        (FlagChange(at(14), "Quiet", 1, 0, Cause.EVENT),),
        {"Quiet": 0},
    )


def test_a_clock_that_stood_still_finds_every_crossing_at_its_own_instant() -> None:
    told = company(QUIET)
    for second in (0, 35, 40):
        arrive(told, "a", second)
    told.evaluate(at(3600))
    assert [(t.at, t.after, t.cause) for t in told.transitions] == [
        (at(10), "At Risk", Cause.TIME),
        (at(20), "Critical", Cause.TIME),
        (at(35), "Healthy", Cause.EVENT),
        (at(50), "At Risk", Cause.TIME),
        (at(60), "Critical", Cause.TIME),
    ]


def test_a_company_without_any_matching_event_is_judged_from_its_first_event_on() -> None:
    told = company(QUIET)
    arrive(told, "b", 0)
    assert [(t.at, t.after, t.cause) for t in told.transitions] == [
        (at(0), "Critical", Cause.EVENT)
    ]


def test_an_event_that_cannot_matter_asks_for_no_evaluation() -> None:
    told = company(QUIET, BUSY)
    arrive(told, "a", 0)
    assert not told.store([Occurrence(at(1), "a")], at(1))
    assert told.store([Occurrence(at(2), "b")], at(2))


def test_a_waiting_flag_takes_no_part_until_its_wait_is_over() -> None:
    told = company(flag("Quiet", "a", (1, "no activity for 10 seconds"), wait=60))
    arrive(told, "b", 0)
    told.evaluate(at(59.999999))
    assert (told.levels, told.transitions) == ({"Quiet": None}, [])
    told.evaluate(at(61))
    assert crossings(told.transitions) == [(at(60), "Healthy", "At Risk", [("Quiet", None, 1)])]


def test_the_status_is_the_worst_level_among_the_flags() -> None:
    told = company(QUIET, BUSY)
    arrive(told, "a", 0)
    arrive(told, "b", 8)
    arrive(told, "b", 9)
    told.evaluate(at(30))
    assert crossings(told.transitions) == [
        (at(9), "Healthy", "At Risk", [("Busy", 0, 1)]),
        (at(10), "At Risk", "At Risk", [("Quiet", 0, 1)]),
        (at(18), "At Risk", "At Risk", [("Busy", 1, 0)]),
        (at(20), "At Risk", "Critical", [("Quiet", 1, 2)]),
    ]


def test_flags_that_change_at_one_instant_make_one_transition() -> None:
    told = company(QUIET, flag("Idle", None, (1, "less than 1 time in 10 seconds")))
    arrive(told, "a", 0)
    told.evaluate(at(11))
    assert crossings(told.transitions) == [
        (at(10), "Healthy", "At Risk", [("Quiet", 0, 1), ("Idle", 0, 1)])
    ]


def test_a_transition_by_time_and_by_an_event_at_once_is_told_as_by_an_event() -> None:
    told = company(QUIET, BUSY)
    arrive(told, "a", 0)
    arrive(told, "b", 9)
    arrive(told, "b", 10)
    assert [(t.at, t.cause) for t in told.transitions] == [(at(10), Cause.EVENT)]
    assert [change.cause for change in told.transitions[0].changes] == [Cause.TIME, Cause.EVENT]


def test_a_crossing_found_late_is_recorded_after_the_status_that_is_recorded() -> None:
    told = company(QUIET, flag("Busy", "b", (2, "at least 2 times in 60 seconds")))
    arrive(told, "a", 0)
    told.evaluate(at(11))
    told.store([Occurrence(at(5), "b"), Occurrence(at(6), "b")], at(12))
    told.evaluate(at(12))
    assert crossings(told.transitions) == [
        (at(10), "Healthy", "At Risk", [("Quiet", 0, 1)]),
        (at(10), "At Risk", "Critical", [("Busy", 0, 2)]),
    ]
    assert [change.at for change in told.transitions[1].changes] == [at(6)]


def test_an_event_at_the_instant_of_another_leaving_keeps_the_count() -> None:
    told = company(flag("Few", "a", (1, "less than 2 times in 10 seconds")))
    told.store([Occurrence(at(0), "a"), Occurrence(at(1), "a")], at(1))
    told.evaluate(at(1))
    told.store([Occurrence(at(10), "a")], at(10))
    told.evaluate(at(10))
    assert [t.at for t in told.transitions] == [at(0), at(1)]


def test_an_event_within_the_minute_is_judged_as_if_it_had_come_at_once() -> None:
    told = company(QUIET)
    arrive(told, "a", 0)
    told.evaluate(at(70))
    arrive(told, "a", 30, known=90)
    assert crossings(told.transitions)[2:] == [
        (at(30), "Critical", "Healthy", [("Quiet", 2, 0)]),
        (at(40), "Healthy", "At Risk", [("Quiet", 0, 1)]),
        (at(50), "At Risk", "Critical", [("Quiet", 1, 2)]),
    ]


def test_a_late_event_counts_at_its_own_time_but_changes_nothing_before_it_was_known() -> None:
    told = company(flag("Busy", "a", (1, "at least 2 times in 200 seconds")))
    arrive(told, "a", 100)
    told.evaluate(at(150))
    arrive(told, "a", 80, known=160)
    told.evaluate(at(400))
    assert crossings(told.transitions) == [
        (at(160), "Healthy", "At Risk", [("Busy", 0, 1)]),
        (at(280), "At Risk", "Healthy", [("Busy", 1, 0)]),
    ]


def test_an_event_from_before_the_last_change_moves_no_change_that_is_recorded() -> None:
    told = company(QUIET)
    arrive(told, "a", 0)
    told.evaluate(at(11))
    arrive(told, "a", 5, known=12)
    told.evaluate(at(16))
    assert crossings(told.transitions) == [
        (at(10), "Healthy", "At Risk", [("Quiet", 0, 1)]),
        (at(10), "At Risk", "Healthy", [("Quiet", 1, 0)]),
        (at(15), "Healthy", "At Risk", [("Quiet", 0, 1)]),
    ]


def test_an_event_of_the_future_is_not_judged_before_its_time() -> None:
    told = company(BUSY)
    arrive(told, "b", 0)
    facts = FactsInMemory([Occurrence(at(0), "b"), Occurrence(at(5), "b")])
    assert told.state is not None
    early = settle(told.book, told.state, facts, now=at(4), unsettled_since=at(1))
    assert early.transitions == ()
    later = settle(told.book, early.state, facts, now=at(6), unsettled_since=at(1))
    assert [t.at for t in later.transitions] == [at(5)]


class UnreadFacts(FactsInMemory):
    def latest(
        self, selector: Selector, limit: int, since: datetime, until: datetime
    ) -> Sequence[datetime]:
        raise AssertionError(f"{limit} of {selector} in {since} to {until} were read")

    def next_after(self, selector: Selector, after: datetime, until: datetime) -> datetime | None:
        raise AssertionError(f"{selector} were read in {after} to {until}")


def test_of_a_flag_that_cannot_have_changed_no_event_is_read() -> None:
    told = company(QUIET)
    arrive(told, "a", 0)
    assert told.state is not None
    settlement = settle(told.book, told.state, UnreadFacts([]), now=at(9), unsettled_since=at(1))
    assert (settlement.state, settlement.transitions) == (told.state, ())


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


def test_a_busy_healthy_company_costs_one_probe_per_phrase_when_due_however_many_events_came() -> (
    None
):
    told = company(QUIET)
    arrive(told, "a", 0)
    assert told.state is not None
    facts = CountedFacts([Occurrence(at(number / 100), "a") for number in range(1000)])
    settlement = settle(told.book, told.state, facts, now=at(10), unsettled_since=None)
    assert settlement.transitions == ()
    assert settlement.state.flags["Quiet"].due_at == at(19.99)
    assert facts.probes == 2


def test_the_worst_of_no_level_is_the_best_status() -> None:
    assert worst_level([]) == worst_level([None]) == worst_level([0, None]) == 0
    assert worst_level([1, None, 2, 0]) == 2


# Rule changes


def judged(by: RuleBook, *events: Occurrence, now: float) -> Company:
    """A company judged by a book up to `now`."""
    told = Company(by)
    told.store(events, at(0))
    told.evaluate(at(now))
    return told


A_AT_0 = Occurrence(at(0), "a")


def test_new_rules_judge_from_the_instant_at_which_they_came_into_force() -> None:
    told = judged(book(QUIET), A_AT_0, now=5)
    strict = book(
        flag("Quiet", "a", (2, "no activity for 6 seconds"), (1, "no activity for 3 seconds"))
    )
    told.apply(strict, at(5))
    told.evaluate(at(7))
    assert [(t.at, t.after, t.cause) for t in told.transitions] == [
        (at(5), "At Risk", Cause.RULE_CHANGE),
        (at(6), "Critical", Cause.TIME),
    ]


def test_crossings_of_the_old_rules_are_recorded_before_those_of_the_new_ones() -> None:
    told = judged(book(QUIET), A_AT_0, now=5)
    told.apply(book(BUSY), at(25))
    told.evaluate(at(30))
    assert [
        (*crossing, t.cause)
        for crossing, t in zip(crossings(told.transitions), told.transitions, strict=True)
    ] == [
        (at(10), "Healthy", "At Risk", [("Quiet", 0, 1)], Cause.TIME),
        (at(20), "At Risk", "Critical", [("Quiet", 1, 2)], Cause.TIME),
        (at(25), "Critical", "Healthy", [("Quiet", 2, None)], Cause.RULE_CHANGE),
    ]
    assert told.levels == {"Busy": 0}


def test_a_flag_that_was_not_raised_is_dropped_in_silence() -> None:
    told = judged(book(QUIET, BUSY), A_AT_0, now=5)
    told.apply(book(BUSY), at(6))
    told.evaluate(at(60))
    assert (told.transitions, told.levels) == ([], {"Busy": 0})


def test_new_rules_with_a_wait_clear_what_the_old_ones_had_raised() -> None:
    told = judged(book(QUIET), A_AT_0, now=15)
    told.apply(book(flag("Quiet", "a", (1, "no activity for 10 seconds"), wait=60)), at(16))
    told.evaluate(at(70))
    assert crossings(told.transitions)[1:] == [
        (at(16), "At Risk", "Healthy", [("Quiet", 1, None)]),
        (at(60), "Healthy", "At Risk", [("Quiet", None, 1)]),
    ]


def test_rules_that_change_nothing_record_nothing() -> None:
    told = judged(book(QUIET), A_AT_0, now=15)
    told.apply(book(QUIET), at(16))
    told.evaluate(at(17))
    assert [t.at for t in told.transitions] == [at(10)]


def test_a_renamed_status_is_a_change_by_rule_even_where_no_flag_moved() -> None:
    told = judged(book(QUIET), A_AT_0, now=15)
    told.apply(book(QUIET, statuses=("Healthy", "Wobbly", "Critical")), at(16))
    told.evaluate(at(17))
    assert told.transitions[-1] == Transition(
        at(16), "At Risk", "Wobbly", Cause.RULE_CHANGE, (), {"Quiet": 1}
    )
    assert told.state is not None
    assert (told.state.status, told.state.changed_at) == ("Wobbly", at(16))


FOUR = ("Healthy", "Watch", "At Risk", "Critical")


def test_a_flag_whose_new_level_has_another_name_moves_the_company() -> None:
    told = judged(book(QUIET), A_AT_0, now=15)
    watched = flag("Quiet", "a", (1, "no activity for 10 seconds"))
    told.apply(book(watched, statuses=FOUR), at(16))
    told.evaluate(at(17))
    assert told.levels == {"Quiet": 1}
    assert told.state is not None
    assert told.state.status == "Watch"


def test_a_flag_that_keeps_the_name_of_its_level_under_new_rules_records_nothing() -> None:
    told = judged(book(QUIET), A_AT_0, now=15)
    kept = flag("Quiet", "a", (3, "no activity for 20 seconds"), (2, "no activity for 10 seconds"))
    told.apply(book(kept, statuses=FOUR), at(16))
    told.evaluate(at(17))
    assert crossings(told.transitions) == [(at(10), "Healthy", "At Risk", [("Quiet", 0, 1)])]


def test_every_level_in_a_change_of_rules_has_a_name_in_the_new_rules() -> None:
    told = judged(book(QUIET), A_AT_0, now=25)
    fewer = book(
        flag("Quiet", "a", (1, "no activity for 20 seconds")), statuses=("Healthy", "Critical")
    )
    told.apply(fewer, at(26))
    told.evaluate(at(27))
    for transition in told.transitions[2:]:
        for change in transition.changes:
            fewer.status_name(change.before)
            fewer.status_name(change.after)
    assert told.state is not None
    assert told.state.status == "Critical"


# The old rules recorded a change at 100, while the new ones were being put in force at 99.
OVERTAKEN = CompanyState(
    "Critical",
    at(0),
    at(100),
    {
        "Quiet": FlagState(2, at(100), None, awaits_event=True),
        "Busy": FlagState(1, at(50), None, awaits_event=False),
    },
    recorded_until=at(100),
)


def settled_late(by: RuleBook) -> Settlement:
    return settle(
        by,
        OVERTAKEN,
        FactsInMemory([A_AT_0]),
        now=at(110),
        unsettled_since=None,
        new_rules=NewRules(at(99), previous=book(QUIET, BUSY)),
    )


def test_a_change_that_overtook_the_new_rules_is_judged_from_its_own_instant_on() -> None:
    mild = flag("Quiet", "a", (1, "no activity for 10 seconds"))
    settlement = settled_late(book(mild, flag("Busy", "b", (1, "no activity for 9 seconds"))))
    assert crossings(settlement.transitions) == [
        (at(100), "Critical", "At Risk", [("Quiet", 2, 1)])
    ]
    assert [change.at for change in settlement.transitions[0].changes] == [at(100)]


def test_a_renamed_status_is_recorded_after_the_change_that_overtook_the_new_rules() -> None:
    unmoved = (QUIET, flag("Busy", "b", (1, "no activity for 9 seconds")))
    settlement = settled_late(book(*unmoved, statuses=("Healthy", "At Risk", "Lost")))
    assert crossings(settlement.transitions) == [(at(100), "Critical", "Lost", [])]
    assert settlement.state.changed_at == at(100)


def test_fewer_statuses_are_no_error_where_a_change_overtook_the_new_rules() -> None:
    lost = flag("Quiet", "a", (1, "no activity for 20 seconds"))
    settlement = settled_late(book(lost, statuses=("Healthy", "Critical")))
    assert settlement.state.status == "Critical"


def test_fewer_statuses_with_other_names_are_no_error_either() -> None:
    lost = flag("Quiet", "a", (1, "no activity for 20 seconds"))
    settlement = settled_late(book(lost, statuses=("Fine", "Poor")))
    assert crossings(settlement.transitions) == [(at(100), "Critical", "Poor", [("Busy", 1, None)])]


# What is said of a transition


def test_a_transition_tells_the_level_of_every_flag() -> None:
    told = company(QUIET, BUSY)
    arrive(told, "a", 0)
    told.evaluate(at(11))
    told.evaluate(at(21))
    assert [t.levels for t in told.transitions] == [
        {"Quiet": 1, "Busy": 0},
        {"Quiet": 2, "Busy": 0},
    ]


def test_a_transition_does_not_tell_of_flags_that_the_rules_no_longer_have() -> None:
    told = judged(book(QUIET, BUSY), A_AT_0, now=15)
    told.apply(book(BUSY), at(16))
    told.evaluate(at(17))
    assert told.transitions[-1].levels == {"Busy": 0}


@pytest.mark.parametrize("pauses", [(31,), (5, 31)])
def test_the_levels_told_do_not_depend_on_how_often_the_clock_called(pauses: list[int]) -> None:
    told = Company(book(QUIET, flag("Idle", None, (1, "no activity for 30 seconds"), wait=3)))
    told.store([A_AT_0], at(0))
    for second in pauses:
        told.evaluate(at(second))
    assert [t.levels for t in told.transitions] == [
        {"Quiet": 1, "Idle": 0},
        {"Quiet": 2, "Idle": 0},
        {"Quiet": 2, "Idle": 1},
    ]


def test_a_flag_that_was_never_judged_to_apply_is_told_as_not_applicable() -> None:
    told = company(QUIET, flag("Idle", None, (1, "no activity for 30 seconds"), wait=60))
    told.store([A_AT_0], at(0))
    told.evaluate(at(11))
    assert [t.levels for t in told.transitions] == [{"Quiet": 1, "Idle": None}]


@pytest.mark.parametrize("evaluated", [(20, 99), (99,)])
def test_a_crossing_by_an_event_is_not_blamed_on_the_time_that_was_due_at_that_instant(
    evaluated: list[int],
) -> None:
    told = company(QUIET)
    arrive(told, "a", 0)
    told.evaluate(at(11))
    told.store([Occurrence(at(20), "a")], at(20))
    for second in evaluated:
        told.evaluate(at(second))
    assert [(t.at, t.after, t.cause) for t in told.transitions[1:]] == [
        (at(20), "Healthy", Cause.EVENT),
        (at(30), "At Risk", Cause.TIME),
        (at(40), "Critical", Cause.TIME),
    ]


@pytest.mark.parametrize("judged_before", [True, False])
def test_the_end_of_a_wait_is_told_as_time_even_where_an_event_comes_at_that_instant(
    *, judged_before: bool
) -> None:
    told = company(flag("Few", "a", (1, "less than 9 times in 10 seconds"), wait=5), BUSY)
    told.store([A_AT_0], at(0))
    if judged_before:
        told.evaluate(at(0))
    told.store([Occurrence(at(5), "a"), Occurrence(at(5), "b")], at(5))
    told.evaluate(at(99))
    assert [(t.at, t.cause) for t in told.transitions] == [(at(5), Cause.TIME)]


def test_a_crossing_by_time_is_not_blamed_on_an_event_of_another_key_at_that_instant() -> None:
    fading = flag("Fading", "b", (2, "no activity for 20 seconds"), (1, "< 2 times in 10 seconds"))
    told = company(flag("Busy", "a", (1, "at least 9 times in 10 seconds")), fading)
    arrive(told, "b", 0)
    arrive(told, "a", 20)
    assert [(t.at, t.cause) for t in told.transitions] == [
        (at(0), Cause.EVENT),
        (at(20), Cause.TIME),
    ]


def test_the_history_of_a_company_does_not_run_backwards_over_a_flag_that_left_its_status() -> None:
    told = company(
        flag("First", "a", (1, "no activity for 10 seconds")),
        flag("Second", "b", (1, "no activity for 10 seconds")),
    )
    told.store([A_AT_0, Occurrence(at(0), "b"), Occurrence(at(5), "b")], at(5))
    told.evaluate(at(16))
    arrive(told, "a", 12, known=17)
    assert [(t.at, t.before, t.after) for t in told.transitions] == [
        (at(10), "Healthy", "At Risk"),
        (at(15), "At Risk", "At Risk"),
        (at(15), "At Risk", "At Risk"),
    ]


# A company that turns out to be older than it seemed


def test_a_wait_ends_when_an_older_event_shows_that_the_company_was_known_long_enough() -> None:
    told = company(flag("Quiet", "a", (1, "no activity for 10 seconds"), wait=1000))
    arrive(told, "b", 5000)
    arrive(told, "b", 100, known=5100)
    told.evaluate(at(5200))
    assert told.levels == told.recounted_levels(at(5200)) == {"Quiet": 1}


def test_a_wait_begins_at_the_earliest_event_whatever_the_order_of_arrival() -> None:
    told = company(flag("Quiet", "a", (1, "no activity for 10 seconds"), wait=50))
    arrive(told, "b", 40)
    arrive(told, "b", 0, known=45)
    told.evaluate(at(60))
    assert told.levels == told.recounted_levels(at(60)) == {"Quiet": 1}
