"""Examples of rules that replace others; random ones are in `test_settlement`."""

from rules.book import RuleBook
from rules.facts_in_memory import FactsInMemory
from rules.judging.settlement import settle
from rules.judging.state import (
    Cause,
    CompanyState,
    FlagState,
    NewRules,
    Settlement,
    Transition,
)
from tests.unit.rules.judging.companies import A_AT_0, BUSY, QUIET, book, evaluated_company, flag
from tests.unit.rules.oracle.settlement import at, crossings


def test_new_rules_apply_from_the_instant_at_which_they_took_effect() -> None:
    company = evaluated_company(book(QUIET), A_AT_0, now=5)
    strict = book(
        flag("Quiet", "a", (2, "no activity for 6 seconds"), (1, "no activity for 3 seconds"))
    )
    company.apply(strict, at(5))
    company.evaluate(at(7))
    assert [(t.at, t.after, t.cause) for t in company.transitions] == [
        (at(5), "At Risk", Cause.RULE_CHANGE),
        (at(6), "Critical", Cause.TIME),
    ]


def test_crossings_of_the_old_rules_are_recorded_before_those_of_the_new_ones() -> None:
    company = evaluated_company(book(QUIET), A_AT_0, now=5)
    company.apply(book(BUSY), at(25))
    company.evaluate(at(30))
    assert [
        (*crossing, t.cause)
        for crossing, t in zip(crossings(company.transitions), company.transitions, strict=True)
    ] == [
        (at(10), "Healthy", "At Risk", [("Quiet", 0, 1)], Cause.TIME),
        (at(20), "At Risk", "Critical", [("Quiet", 1, 2)], Cause.TIME),
        (at(25), "Critical", "Healthy", [("Quiet", 2, None)], Cause.RULE_CHANGE),
    ]
    assert company.levels == {"Busy": 0}


def test_dropping_a_flag_that_was_not_raised_records_nothing() -> None:
    company = evaluated_company(book(QUIET, BUSY), A_AT_0, now=5)
    company.apply(book(BUSY), at(6))
    company.evaluate(at(60))
    assert (company.transitions, company.levels) == ([], {"Busy": 0})


def test_new_rules_with_a_wait_clear_what_the_old_rules_had_raised() -> None:
    company = evaluated_company(book(QUIET), A_AT_0, now=15)
    company.apply(book(flag("Quiet", "a", (1, "no activity for 10 seconds"), wait=60)), at(16))
    company.evaluate(at(70))
    assert crossings(company.transitions)[1:] == [
        (at(16), "At Risk", "Healthy", [("Quiet", 1, None)]),
        (at(60), "Healthy", "At Risk", [("Quiet", None, 1)]),
    ]


def test_rules_that_change_nothing_record_nothing() -> None:
    company = evaluated_company(book(QUIET), A_AT_0, now=15)
    company.apply(book(QUIET), at(16))
    company.evaluate(at(17))
    assert [t.at for t in company.transitions] == [at(10)]


def test_a_renamed_status_is_a_rule_change_even_if_no_flag_changed() -> None:
    company = evaluated_company(book(QUIET), A_AT_0, now=15)
    company.apply(book(QUIET, statuses=("Healthy", "Wobbly", "Critical")), at(16))
    company.evaluate(at(17))
    assert company.transitions[-1] == Transition(
        at(16), "At Risk", "Wobbly", Cause.RULE_CHANGE, (), {"Quiet": 1}
    )
    assert company.state is not None
    assert (company.state.status, company.state.changed_at) == ("Wobbly", at(16))


FOUR = ("Healthy", "Watch", "At Risk", "Critical")


def test_a_flag_whose_level_has_another_name_changes_the_company() -> None:
    company = evaluated_company(book(QUIET), A_AT_0, now=15)
    watched = flag("Quiet", "a", (1, "no activity for 10 seconds"))
    company.apply(book(watched, statuses=FOUR), at(16))
    company.evaluate(at(17))
    assert company.levels == {"Quiet": 1}
    assert company.state is not None
    assert company.state.status == "Watch"


def test_a_flag_whose_level_keeps_its_name_under_new_rules_records_nothing() -> None:
    company = evaluated_company(book(QUIET), A_AT_0, now=15)
    kept = flag("Quiet", "a", (3, "no activity for 20 seconds"), (2, "no activity for 10 seconds"))
    company.apply(book(kept, statuses=FOUR), at(16))
    company.evaluate(at(17))
    assert crossings(company.transitions) == [(at(10), "Healthy", "At Risk", [("Quiet", 0, 1)])]


def test_every_level_in_a_rule_change_has_a_name_in_the_new_rules() -> None:
    company = evaluated_company(book(QUIET), A_AT_0, now=25)
    fewer = book(
        flag("Quiet", "a", (1, "no activity for 20 seconds")), statuses=("Healthy", "Critical")
    )
    company.apply(fewer, at(26))
    company.evaluate(at(27))
    for transition in company.transitions[2:]:
        for change in transition.changes:
            fewer.status_name(change.before)
            fewer.status_name(change.after)
    assert company.state is not None
    assert company.state.status == "Critical"


# The old rules recorded a change at 100, while the new rules were taking effect at 99.
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


def test_a_change_that_overtook_the_new_rules_is_evaluated_from_its_own_instant() -> None:
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


def test_fewer_statuses_are_not_an_error_if_a_change_overtook_the_new_rules() -> None:
    lost = flag("Quiet", "a", (1, "no activity for 20 seconds"))
    settlement = settled_late(book(lost, statuses=("Healthy", "Critical")))
    assert settlement.state.status == "Critical"


def test_fewer_statuses_with_other_names_are_not_an_error_either() -> None:
    lost = flag("Quiet", "a", (1, "no activity for 20 seconds"))
    settlement = settled_late(book(lost, statuses=("Fine", "Poor")))
    assert crossings(settlement.transitions) == [(at(100), "Critical", "Poor", [("Busy", 1, None)])]
