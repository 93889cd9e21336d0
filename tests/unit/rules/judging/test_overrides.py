"""Single stories of flags that are snoozed and overridden; random ones are in `oracle`."""

from dataclasses import replace
from datetime import timedelta

from rules.book import RuleBook
from rules.facts import Selector
from rules.facts_in_memory import FactsInMemory, Occurrence
from rules.flags import Flag
from rules.judging.overrides import effective_levels
from rules.judging.review import review
from rules.judging.state import Cause, EndedOverride, Override, Settlement
from rules.language.parser import parse_condition
from tests.unit.rules.oracle.settlement import STATUSES, Company, at

Told = tuple[float, str, str, Cause, list[tuple[str, int | None, int | None]]]


def flag(name: str, key: str | None, *phrases: tuple[int, str]) -> Flag:
    conditions = tuple((level, parse_condition(phrase)) for level, phrase in phrases)
    return Flag(name, Selector(key), conditions)


QUIET = flag("Quiet", "a", (2, "no activity for 20 seconds"), (1, "no activity for 10 seconds"))
BUSY = flag("Busy", "b", (1, "at least 2 times in 10 seconds"))
BOTH = RuleBook(STATUSES, {}, (QUIET, BUSY))


def company(book: RuleBook = BOTH) -> Company:
    """A company that did `a` at noon."""
    told = Company(book)
    told.store([Occurrence(at(0), "a")], at(0))
    told.evaluate(at(0))
    return told


def put(
    told: Company, flag: str, status: str | None, starts: float, ends: float | None = None
) -> None:
    """Override a flag; what was in force ends, and nothing is judged by it yet."""
    assert told.state is not None
    kept = [
        replace(one, ends_at=min(one.ends_at or at(starts), at(starts)))
        if one.flag == flag
        else one
        for one in told.state.overrides
    ]
    ends_at = None if ends is None else at(ends)
    new = Override(len(kept) + 100, flag, status, at(starts), ends_at)
    told.state = replace(told.state, overrides=(*kept, new))


def history(told: Company) -> list[Told]:
    return [
        (
            (t.at - at(0)) / timedelta(seconds=1),
            t.before,
            t.after,
            t.cause,
            [(c.flag, c.before, c.after) for c in t.changes],
        )
        for t in told.transitions
    ]


def ended(settlements: list[Settlement]) -> list[EndedOverride]:
    return [one for settlement in settlements for one in settlement.ended]


TIME, EVENT, OVERRIDE, RULES = Cause.TIME, Cause.EVENT, Cause.OVERRIDE, Cause.RULE_CHANGE


def test_a_snoozed_flag_does_not_count_from_its_start_and_counts_from_its_end_as_it_then_is() -> (
    None
):
    told = company()
    told.evaluate(at(12))
    put(told, "Quiet", None, 15, 40)
    told.evaluate(at(15))
    assert told.state is not None
    assert (told.state.status, effective_levels(BOTH, told.state)["Quiet"]) == ("Healthy", None)
    told.evaluate(at(60))
    assert history(told) == [
        (10, "Healthy", "At Risk", TIME, [("Quiet", 0, 1)]),
        (15, "At Risk", "Healthy", OVERRIDE, [("Quiet", 1, None)]),
        (40, "Healthy", "Critical", OVERRIDE, [("Quiet", None, 2)]),
    ]
    assert told.levels["Quiet"] == 2
    assert told.state.flags["Quiet"].changed_at == at(20)


def test_a_snooze_of_a_flag_that_is_not_raised_tells_nothing_until_it_ends() -> None:
    told = company()
    put(told, "Quiet", None, 5, 25)
    told.evaluate(at(24.999999))
    assert history(told) == []
    assert told.levels["Quiet"] == 2
    told.evaluate(at(25))
    assert history(told) == [(25, "Healthy", "Critical", OVERRIDE, [("Quiet", None, 2)])]


def test_a_snooze_that_makes_no_difference_is_not_told_at_all() -> None:
    told = company()
    put(told, "Quiet", None, 2, 8)
    told.evaluate(at(9))
    assert (history(told), told.state and told.state.overrides) == ([], ())


def test_an_overridden_flag_counts_as_its_status_whatever_it_comes_to() -> None:
    told = company()
    put(told, "Quiet", "Critical", 5)
    told.evaluate(at(60))
    told.store([Occurrence(at(61), "a")], at(61))
    told.evaluate(at(61))
    assert history(told) == [(5, "Healthy", "Critical", OVERRIDE, [("Quiet", 0, 2)])]
    put(told, "Quiet", "Healthy", 75)
    told.evaluate(at(75))
    assert history(told)[1:] == [(75, "Critical", "Healthy", OVERRIDE, [("Quiet", 2, 0)])]


def test_an_override_of_a_flag_that_is_no_worse_than_another_changes_no_status() -> None:
    told = company()
    told.store([Occurrence(at(1), "b"), Occurrence(at(2), "b")], at(2))
    told.evaluate(at(2))
    put(told, "Quiet", "At Risk", 5, 9)
    told.evaluate(at(9))
    assert history(told)[1:] == [
        (5, "At Risk", "At Risk", OVERRIDE, [("Quiet", 0, 1)]),
        (9, "At Risk", "At Risk", OVERRIDE, [("Quiet", 1, 0)]),
    ]


def test_other_flags_are_told_as_ever_and_one_that_refers_to_it_sees_what_it_comes_to() -> None:
    refers = flag("Refers", None, (1, "flag Quiet is At Risk"))
    book = RuleBook(STATUSES, {}, (QUIET, refers))
    told = company(book)
    put(told, "Quiet", None, 1, 30)
    told.evaluate(at(31))
    assert history(told) == [
        (10, "Healthy", "At Risk", TIME, [("Refers", 0, 1)]),
        (20, "At Risk", "Healthy", TIME, [("Refers", 1, 0)]),
        (30, "Healthy", "Critical", OVERRIDE, [("Quiet", None, 2)]),
    ]


def test_another_override_takes_over_at_one_instant_with_one_change() -> None:
    told = company()
    told.evaluate(at(12))
    put(told, "Quiet", None, 13, 50)
    put(told, "Quiet", "Critical", 15, 18)
    put(told, "Quiet", "Critical", 16, 30)
    told.evaluate(at(40))
    assert history(told)[1:] == [
        (13, "At Risk", "Healthy", OVERRIDE, [("Quiet", 1, None)]),
        (15, "Healthy", "Critical", OVERRIDE, [("Quiet", None, 2)]),
    ], "at 30 the flag is Critical by itself"
    assert told.state is not None
    assert told.state.overrides == ()


def test_a_flag_that_changes_in_the_instant_of_an_end_counts_as_it_then_is() -> None:
    told = company()
    put(told, "Quiet", "At Risk", 5, 20)
    told.evaluate(at(21))
    assert history(told) == [
        (5, "Healthy", "At Risk", OVERRIDE, [("Quiet", 0, 1)]),
        (20, "At Risk", "Critical", OVERRIDE, [("Quiet", 1, 2)]),
    ]


def test_an_event_from_before_the_end_that_comes_after_it_counts_from_the_end_on() -> None:
    told = company()
    put(told, "Busy", None, 1, 8)
    told.evaluate(at(8.5))
    told.store([Occurrence(at(6), "b"), Occurrence(at(7), "b")], at(9))
    told.evaluate(at(9))
    assert history(told) == [(8, "Healthy", "At Risk", EVENT, [("Busy", 0, 1)])]


def test_an_event_from_before_a_recorded_start_that_comes_after_it_is_told_to_nobody() -> None:
    told = company()
    put(told, "Busy", None, 5, 30)
    told.evaluate(at(5))
    told.store([Occurrence(at(3), "b"), Occurrence(at(4), "b")], at(6))
    told.evaluate(at(6))
    assert history(told) == []
    assert told.levels["Busy"] == 1


def test_a_company_of_which_every_flag_is_snoozed_is_well_and_has_no_score() -> None:
    told = company(RuleBook(STATUSES, {}, (QUIET,)))
    put(told, "Quiet", None, 1, 100)
    told.evaluate(at(50))
    assert told.state is not None
    assert told.state.status == "Healthy"
    assert told.book.score(effective_levels(told.book, told.state)) is None


def test_a_transition_says_which_flags_are_set_by_hand_and_which_phrase_is_behind_the_others() -> (
    None
):
    told = company()
    put(told, "Busy", "At Risk", 5)
    told.evaluate(at(10))
    by_hand, by_time = told.transitions
    assert [by_hand.describe(BOTH, change) for change in by_hand.changes] == [
        "Busy: At Risk (Set by hand)"
    ]
    assert [by_time.threshold(BOTH, name, 1) for name in ("Busy", "Quiet")] == [
        "Set by hand",
        "No activity for 10 seconds",
    ]
    put(told, "Busy", None, 11, 12)
    told.evaluate(at(12))
    assert [told.transitions[-1].describe(BOTH, c) for c in told.transitions[-1].changes] == [
        "Busy: N/A (Snoozed)"
    ]


def test_what_will_change_includes_the_end_and_not_what_a_snoozed_flag_comes_to() -> None:
    told = company()
    put(told, "Quiet", None, 5, 15)
    told.evaluate(at(6))
    assert told.state is not None
    found = review(BOTH, told.state, FactsInMemory(told.events), now=at(6), until=at(60))
    assert [(t.at, t.after, t.cause) for t in found.upcoming] == [
        (at(15), "At Risk", OVERRIDE),
        (at(20), "Critical", TIME),
    ]
    assert [(c.at, c.before, c.after) for c in found.changes] == [(at(10), 0, 1), (at(20), 1, 2)]


# New rules


def test_rules_without_the_flag_end_its_override() -> None:
    told = company()
    put(told, "Quiet", "Critical", 5)
    told.evaluate(at(6))
    told.apply(RuleBook(STATUSES, {}, (BUSY,)), at(9))
    [end] = ended(told.evaluate(at(10)))
    assert (end.at, end.missing) == (at(9), "the flag Quiet")
    assert history(told)[1:] == [(9, "Critical", "Healthy", RULES, [("Quiet", 2, None)])]
    assert told.state is not None
    assert told.state.overrides == ()


def test_an_override_keeps_its_status_wherever_new_rules_have_it_in_their_list() -> None:
    told = company()
    put(told, "Quiet", "Critical", 5, 100)
    told.evaluate(at(6))
    more = RuleBook(("Healthy", "Watch", "At Risk", "Critical"), {}, (QUIET, BUSY))
    told.apply(more, at(9))
    assert ended(told.evaluate(at(10))) == []
    assert len(told.transitions) == 1
    assert told.state is not None
    assert (told.state.status, effective_levels(more, told.state)["Quiet"]) == ("Critical", 3)


def test_an_override_ends_where_new_rules_have_no_such_status_and_a_snooze_goes_on() -> None:
    told = company()
    put(told, "Quiet", "Critical", 5, 100)
    put(told, "Busy", None, 5, 100)
    told.evaluate(at(6))
    told.apply(RuleBook(("Healthy", "At Risk", "Lost"), {}, (QUIET, BUSY)), at(9))
    [end] = ended(told.evaluate(at(10)))
    assert (end.override.flag, end.at, end.missing) == ("Quiet", at(9), "the status Critical")
    assert history(told)[1:] == [
        (9, "Critical", "Healthy", RULES, [("Quiet", 2, 0)]),
        (10, "Healthy", "At Risk", TIME, [("Quiet", 0, 1)]),
    ]
    assert told.state is not None
    assert [one.flag for one in told.state.overrides] == ["Busy"]


def test_an_edit_of_the_flag_leaves_its_override_in_force() -> None:
    told = company()
    put(told, "Quiet", None, 5, 30)
    told.evaluate(at(6))
    stricter = flag("Quiet", "a", (1, "no activity for 3 seconds"))
    told.apply(RuleBook(STATUSES, {}, (stricter, BUSY)), at(9))
    assert ended(told.evaluate(at(10))) == []
    assert (history(told), told.levels["Quiet"]) == ([], 1)
    told.evaluate(at(30))
    assert history(told) == [(30, "Healthy", "At Risk", OVERRIDE, [("Quiet", None, 1)])]


def test_what_the_rules_in_force_lack_when_it_begins_ends_it_in_that_instant() -> None:
    told = company(RuleBook(STATUSES, {}, (BUSY,)))
    put(told, "Quiet", "Critical", 5, 30)
    put(told, "Busy", "Lost", 6, 30)
    found = ended(told.evaluate(at(7)))
    assert [(one.at, one.missing) for one in found] == [
        (at(5), "the flag Quiet"),
        (at(6), "the status Lost"),
    ]
    assert history(told) == []
