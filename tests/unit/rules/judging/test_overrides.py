"""Examples of snoozed and overridden flags; random ones are in `oracle`."""

from datetime import timedelta

from rules.book import RuleBook
from rules.facts_in_memory import FactsInMemory, Occurrence
from rules.judging.overrides import effective_levels
from rules.judging.review import review
from rules.judging.state import Cause, EndedOverride, Override, Settlement
from tests.unit.rules.judging.companies import BUSY, QUIET, flag
from tests.unit.rules.oracle.overriding import add_override
from tests.unit.rules.oracle.settlement import STATUSES, Company, at

RecordedTransition = tuple[float, str, str, Cause, list[tuple[str, int | None, int | None]]]

BOTH = RuleBook(STATUSES, {}, (QUIET, BUSY))


def new_company(book: RuleBook = BOTH) -> Company:
    """Return a company with an event `a` at noon."""
    company = Company(book)
    company.store([Occurrence(at(0), "a")], at(0))
    company.evaluate(at(0))
    return company


def override(
    company: Company, flag: str, status: str | None, starts: float, ends: float | None = None
) -> None:
    """Override a flag in place of any override in force; nothing is evaluated yet."""
    assert company.state is not None
    ends_at = None if ends is None else at(ends)
    number = len(company.state.overrides) + 100
    new = Override(number, flag, status, at(starts), ends_at)
    company.state = add_override(company.state, new)


def history(company: Company) -> list[RecordedTransition]:
    return [
        (
            (t.at - at(0)) / timedelta(seconds=1),
            t.before,
            t.after,
            t.cause,
            [(c.flag, c.before, c.after) for c in t.changes],
        )
        for t in company.transitions
    ]


def ended(settlements: list[Settlement]) -> list[EndedOverride]:
    return [override for settlement in settlements for override in settlement.ended]


TIME, EVENT, OVERRIDE, RULES = Cause.TIME, Cause.EVENT, Cause.OVERRIDE, Cause.RULE_CHANGE


def test_a_snoozed_flag_does_not_count_until_the_snooze_ends() -> None:
    company = new_company()
    company.evaluate(at(12))
    override(company, "Quiet", None, 15, 40)
    company.evaluate(at(15))
    assert company.state is not None
    assert (company.state.status, effective_levels(BOTH, company.state)["Quiet"]) == (
        "Healthy",
        None,
    )
    company.evaluate(at(60))
    assert history(company) == [
        (10, "Healthy", "At Risk", TIME, [("Quiet", 0, 1)]),
        (15, "At Risk", "Healthy", OVERRIDE, [("Quiet", 1, None)]),
        (40, "Healthy", "Critical", OVERRIDE, [("Quiet", None, 2)]),
    ]
    assert company.levels["Quiet"] == 2
    assert company.state.flags["Quiet"].changed_at == at(20)


def test_a_snooze_of_a_flag_that_is_not_raised_records_nothing_until_it_ends() -> None:
    company = new_company()
    override(company, "Quiet", None, 5, 25)
    company.evaluate(at(24.999999))
    assert history(company) == []
    assert company.levels["Quiet"] == 2
    company.evaluate(at(25))
    assert history(company) == [(25, "Healthy", "Critical", OVERRIDE, [("Quiet", None, 2)])]


def test_a_snooze_that_makes_no_difference_records_nothing() -> None:
    company = new_company()
    override(company, "Quiet", None, 2, 8)
    company.evaluate(at(9))
    assert (history(company), company.state and company.state.overrides) == ([], ())


def test_an_overridden_flag_counts_as_its_status_whatever_its_own_level() -> None:
    company = new_company()
    override(company, "Quiet", "Critical", 5)
    company.evaluate(at(60))
    company.store([Occurrence(at(61), "a")], at(61))
    company.evaluate(at(61))
    assert history(company) == [(5, "Healthy", "Critical", OVERRIDE, [("Quiet", 0, 2)])]
    override(company, "Quiet", "Healthy", 75)
    company.evaluate(at(75))
    assert history(company)[1:] == [(75, "Critical", "Healthy", OVERRIDE, [("Quiet", 2, 0)])]


def test_an_override_no_worse_than_another_flag_changes_no_status() -> None:
    company = new_company()
    company.store([Occurrence(at(1), "b"), Occurrence(at(2), "b")], at(2))
    company.evaluate(at(2))
    override(company, "Quiet", "At Risk", 5, 9)
    company.evaluate(at(9))
    assert history(company)[1:] == [
        (5, "At Risk", "At Risk", OVERRIDE, [("Quiet", 0, 1)]),
        (9, "At Risk", "At Risk", OVERRIDE, [("Quiet", 1, 0)]),
    ]


def test_a_flag_that_refers_to_an_overridden_flag_uses_its_own_level() -> None:
    refers = flag("Refers", None, (1, "flag Quiet is At Risk"))
    book = RuleBook(STATUSES, {}, (QUIET, refers))
    company = new_company(book)
    override(company, "Quiet", None, 1, 30)
    company.evaluate(at(31))
    assert history(company) == [
        (10, "Healthy", "At Risk", TIME, [("Refers", 0, 1)]),
        (20, "At Risk", "Healthy", TIME, [("Refers", 1, 0)]),
        (30, "Healthy", "Critical", OVERRIDE, [("Quiet", None, 2)]),
    ]


def test_an_override_replaces_another_with_one_change() -> None:
    company = new_company()
    company.evaluate(at(12))
    override(company, "Quiet", None, 13, 50)
    override(company, "Quiet", "Critical", 15, 18)
    override(company, "Quiet", "Critical", 16, 30)
    company.evaluate(at(40))
    assert history(company)[1:] == [
        (13, "At Risk", "Healthy", OVERRIDE, [("Quiet", 1, None)]),
        (15, "Healthy", "Critical", OVERRIDE, [("Quiet", None, 2)]),
    ], "at 30 the flag is Critical by itself"
    assert company.state is not None
    assert company.state.overrides == ()


def test_a_flag_that_changes_when_its_override_ends_counts_at_its_new_level() -> None:
    company = new_company()
    override(company, "Quiet", "At Risk", 5, 20)
    company.evaluate(at(21))
    assert history(company) == [
        (5, "Healthy", "At Risk", OVERRIDE, [("Quiet", 0, 1)]),
        (20, "At Risk", "Critical", OVERRIDE, [("Quiet", 1, 2)]),
    ]


def test_a_late_event_from_before_the_end_counts_from_the_end_on() -> None:
    company = new_company()
    override(company, "Busy", None, 1, 8)
    company.evaluate(at(8.5))
    company.store([Occurrence(at(6), "b"), Occurrence(at(7), "b")], at(9))
    company.evaluate(at(9))
    assert history(company) == [(8, "Healthy", "At Risk", EVENT, [("Busy", 0, 1)])]


def test_a_late_event_from_before_a_recorded_start_is_not_announced() -> None:
    company = new_company()
    override(company, "Busy", None, 5, 30)
    company.evaluate(at(5))
    company.store([Occurrence(at(3), "b"), Occurrence(at(4), "b")], at(6))
    company.evaluate(at(6))
    assert history(company) == []
    assert company.levels["Busy"] == 1


def test_a_company_whose_flags_are_all_snoozed_is_healthy_and_has_no_score() -> None:
    company = new_company(RuleBook(STATUSES, {}, (QUIET,)))
    override(company, "Quiet", None, 1, 100)
    company.evaluate(at(50))
    assert company.state is not None
    assert company.state.status == "Healthy"
    assert company.book.score(effective_levels(company.book, company.state)) is None


def test_a_transition_describes_overrides_and_the_phrases_of_other_flags() -> None:
    company = new_company()
    override(company, "Busy", "At Risk", 5)
    company.evaluate(at(10))
    manual, by_time = company.transitions
    assert [manual.describe(BOTH, change) for change in manual.changes] == [
        "Busy: At Risk (Set by hand)"
    ]
    assert [by_time.threshold(BOTH, name, 1) for name in ("Busy", "Quiet")] == [
        "Set by hand",
        "No activity for 10 seconds",
    ]
    override(company, "Busy", None, 11, 12)
    company.evaluate(at(12))
    assert [company.transitions[-1].describe(BOTH, c) for c in company.transitions[-1].changes] == [
        "Busy: N/A (Snoozed)"
    ]


def test_upcoming_transitions_include_the_end_of_a_snooze_but_no_overridden_changes() -> None:
    company = new_company()
    override(company, "Quiet", None, 5, 15)
    company.evaluate(at(6))
    assert company.state is not None
    reviewed = review(BOTH, company.state, FactsInMemory(company.events), now=at(6), until=at(60))
    assert [(t.at, t.after, t.cause) for t in reviewed.upcoming] == [
        (at(15), "At Risk", OVERRIDE),
        (at(20), "Critical", TIME),
    ]
    assert [(c.at, c.before, c.after) for c in reviewed.changes] == [(at(10), 0, 1), (at(20), 1, 2)]


# New rules


def test_rules_without_the_flag_end_its_override() -> None:
    company = new_company()
    override(company, "Quiet", "Critical", 5)
    company.evaluate(at(6))
    company.apply(RuleBook(STATUSES, {}, (BUSY,)), at(9))
    [end] = ended(company.evaluate(at(10)))
    assert (end.at, end.missing) == (at(9), "the flag Quiet")
    assert history(company)[1:] == [(9, "Critical", "Healthy", RULES, [("Quiet", 2, None)])]
    assert company.state is not None
    assert company.state.overrides == ()


def test_an_override_keeps_its_status_when_new_rules_reorder_statuses() -> None:
    company = new_company()
    override(company, "Quiet", "Critical", 5, 100)
    company.evaluate(at(6))
    more = RuleBook(("Healthy", "Watch", "At Risk", "Critical"), {}, (QUIET, BUSY))
    company.apply(more, at(9))
    assert ended(company.evaluate(at(10))) == []
    assert len(company.transitions) == 1
    assert company.state is not None
    assert (company.state.status, effective_levels(more, company.state)["Quiet"]) == ("Critical", 3)


def test_an_override_ends_if_new_rules_lack_its_status_and_a_snooze_continues() -> None:
    company = new_company()
    override(company, "Quiet", "Critical", 5, 100)
    override(company, "Busy", None, 5, 100)
    company.evaluate(at(6))
    company.apply(RuleBook(("Healthy", "At Risk", "Lost"), {}, (QUIET, BUSY)), at(9))
    [end] = ended(company.evaluate(at(10)))
    assert (end.override.flag, end.at, end.missing) == ("Quiet", at(9), "the status Critical")
    assert history(company)[1:] == [
        (9, "Critical", "Healthy", RULES, [("Quiet", 2, 0)]),
        (10, "Healthy", "At Risk", TIME, [("Quiet", 0, 1)]),
    ]
    assert company.state is not None
    assert [override.flag for override in company.state.overrides] == ["Busy"]


def test_editing_the_flag_leaves_its_override_in_force() -> None:
    company = new_company()
    override(company, "Quiet", None, 5, 30)
    company.evaluate(at(6))
    stricter = flag("Quiet", "a", (1, "no activity for 3 seconds"))
    company.apply(RuleBook(STATUSES, {}, (stricter, BUSY)), at(9))
    assert ended(company.evaluate(at(10))) == []
    assert (history(company), company.levels["Quiet"]) == ([], 1)
    company.evaluate(at(30))
    assert history(company) == [(30, "Healthy", "At Risk", OVERRIDE, [("Quiet", None, 1)])]


def test_an_override_that_the_rules_do_not_support_ends_as_it_starts() -> None:
    company = new_company(RuleBook(STATUSES, {}, (BUSY,)))
    override(company, "Quiet", "Critical", 5, 30)
    override(company, "Busy", "Lost", 6, 30)
    reviewed = ended(company.evaluate(at(7)))
    assert [(override.at, override.missing) for override in reviewed] == [
        (at(5), "the flag Quiet"),
        (at(6), "the status Lost"),
    ]
    assert history(company) == []
