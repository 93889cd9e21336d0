"""What an edit certainly does to a company's flags, whatever was before."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.facts_in_memory import FactsInMemory, FieldChange, Occurrence
from rules.file.rule_file import read_rules
from rules.flags import Flag, FlagMemory
from rules.judging.edits import CertainEffect, RuleEdit, certain_verdict
from rules.phrases.condition import LevelsOnce, Situation
from tests.support.properties import effort
from tests.unit.rules.oracle.histories import BOOKS, HISTORIES, LAST, facts_of
from tests.unit.rules.oracle.recount import Sent, at

RULES = """\
version: 1
statuses: [Healthy, At Risk, Critical]
events:
  report: {name: Report created}
defaults: {new_company: judge at once}
flags:
  - flag: Reports
    event: report
    when:
      At Risk: less than 2 times in 7 days
  - flag: Renewal
    when:
      Critical:
        all:
          - company.plan is Pro
          - flag Reports is At Risk
"""
NOW = at(0)
FACTS = FactsInMemory(
    [Occurrence(NOW - timedelta(days=day), "report") for day in (1, 2, 3)],
    [FieldChange(NOW - timedelta(days=9), "plan", "Pro")],
)


def effect_of(written: str, instead: str) -> CertainEffect:
    """Return the effect of an edit on a company with three reports in a week, which is healthy."""
    edited = RULES.replace(written, instead)
    assert edited != RULES
    edit = RuleEdit(read_rules(RULES), read_rules(edited))
    return edit.effect("Healthy", {"Reports": 0, "Renewal": 0}, FACTS, NOW)


def test_what_an_edit_changes_includes_the_flags_that_refer_to_the_edited_one() -> None:
    effect = effect_of("less than 2 times", "less than 5 times")
    assert effect.transition is not None
    assert (effect.transition.before, effect.transition.after) == ("Healthy", "Critical")
    assert [(step.flag, step.after) for step in effect.transition.changes] == [
        ("Reports", 1),
        ("Renewal", 2),
    ]


def test_an_edit_that_leaves_every_level_as_it_is_changes_nothing() -> None:
    assert effect_of("less than 2 times", "less than 3 times") == CertainEffect(is_certain=True)


@pytest.mark.parametrize(
    "instead",
    [
        "less than 5 times in 7 days\n    for: 1 day",
        "less than 1 time in 7 days\n    recover: at least 9 times in 7 days",
    ],
)
def test_what_depends_on_the_past_is_not_certain(instead: str) -> None:
    effect = effect_of("less than 2 times in 7 days", instead)
    assert effect == CertainEffect(is_certain=False)


def test_what_a_flag_that_refers_to_the_edited_one_was_before_is_not_certain() -> None:
    lasting = RULES + "    for: 1 day\n"
    edit = RuleEdit(read_rules(lasting), read_rules(lasting.replace("than 2", "than 5")))
    effect = edit.effect("Healthy", {"Reports": 0, "Renewal": 0}, FACTS, NOW)
    assert effect == CertainEffect(is_certain=False, without_memory=frozenset({"Reports"}))


WITH_MEMORY = st.sampled_from(["for", "recover", "for and recover"]).flatmap(
    lambda kind: BOOKS[kind].map(lambda book: book.flags[0])
)
SECONDS = st.integers(0, LAST + 30)


@effort(10)
@given(
    WITH_MEMORY,
    HISTORIES,
    SECONDS,
    st.builds(
        FlagMemory,
        st.sampled_from([None, 0, 1, 2]),
        st.dictionaries(st.sampled_from([1, 2]), st.integers(-60, 0).map(at)),
    ),
)
def test_a_certain_level_is_that_of_any_memory(
    flag: Flag, sent: list[Sent], second: int, memory: FlagMemory
) -> None:
    situation = Situation(facts_of(sent), flag.selector, at(second), LevelsOnce({}))
    certain = certain_verdict(flag, situation.facts, situation.at, {})
    if certain is not None:
        assert flag.evaluate(situation, memory).level == certain.level
