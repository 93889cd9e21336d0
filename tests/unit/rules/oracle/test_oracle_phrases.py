"""Each kind of phrase, compared with a recount."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.facts import Selector
from rules.facts_in_memory import Occurrence
from rules.phrases.condition import Condition, Finding, Level, Situation
from tests.support.properties import effort
from tests.unit.rules.oracle.histories import (
    ANY_LEAF,
    END,
    HISTORIES,
    LAST,
    LEAVES,
    SELECTORS,
    combined,
    facts_of,
    flag_is,
    occurrences,
)
from tests.unit.rules.oracle.recount import History, Sent, at, second_of


@dataclass(frozen=True)
class LevelsOverTime:
    """Other flags: the seconds at which each changes and the new levels, latest first."""

    steps: dict[str, list[tuple[int, Level]]]

    def at(self, flag: str, second: int) -> Level:
        return next((level for since, level in self.steps[flag] if since <= second), None)

    def level(self, flag: str, at: datetime) -> Level:
        return self.at(flag, second_of(at))

    def next_change(self, flag: str, after: datetime) -> datetime | None:
        return min((at(s) for s, _ in self.steps[flag] if at(s) > after), default=None)


LEVELS_OVER_TIME = st.dictionaries(st.integers(0, END), st.sampled_from([None, 0, 1, 2])).map(
    lambda steps: LevelsOverTime({"A": sorted(steps.items(), key=lambda step: -step[0])})
)
KINDS = LEAVES | {
    "flag is": flag_is("A"),
    "together": combined(ANY_LEAF),
    "together with flags": combined(st.one_of(flag_is("A"), ANY_LEAF)),
}
PREDICTED_EXACTLY = LEAVES
"""Kinds that certainly change when predicted; others may change then and are evaluated again."""

each_kind = pytest.mark.parametrize("kind", KINDS)
INSTANTS = st.one_of(st.integers(0, 40), st.integers(0, END))


def evaluate(
    phrase: Condition,
    selector: Selector,
    sent: Sequence[Sent],
    flag_levels: LevelsOverTime,
    second: int,
) -> Finding:
    return phrase.evaluate(Situation(facts_of(sent), selector, at(second), flag_levels))


def until(second: int, sent: Sequence[Sent]) -> list[Sent]:
    return [event for event in sent if event.second <= second]


@each_kind
@effort(0.5)
@given(
    st.data(), SELECTORS, HISTORIES, LEVELS_OVER_TIME, st.lists(INSTANTS, min_size=1, max_size=8)
)
def test_a_phrase_holds_exactly_when_a_recount_does(
    kind: str,
    data: st.DataObject,
    selector: Selector,
    sent: list[Sent],
    flag_levels: LevelsOverTime,
    seconds: list[int],
) -> None:
    phrase = data.draw(KINDS[kind])
    history = History(sent)
    for second in seconds:
        truth = history.truth(phrase, selector, second, flag_levels.at)
        assert evaluate(phrase, selector, sent, flag_levels, second).holds is truth


@each_kind
@effort(0.5)
@given(st.data(), SELECTORS, HISTORIES, LEVELS_OVER_TIME, INSTANTS)
def test_without_further_events_a_phrase_changes_when_predicted(
    kind: str,
    data: st.DataObject,
    selector: Selector,
    sent: list[Sent],
    flag_levels: LevelsOverTime,
    second: int,
) -> None:
    phrase = data.draw(KINDS[kind])
    sent = until(second, sent)
    finding = evaluate(phrase, selector, sent, flag_levels, second)
    changes_at = END + 70 if finding.changes_at is None else second_of(finding.changes_at)
    assert second < changes_at
    history = History(sent)
    truths = [
        history.truth(phrase, selector, s, flag_levels.at) for s in range(second, changes_at + 1)
    ]
    assert set(truths[:-1]) == {finding.holds}
    if kind in PREDICTED_EXACTLY:
        assert (truths[-1] != finding.holds) == (finding.changes_at is not None)


@each_kind
@effort(0.8)
@given(
    st.data(),
    SELECTORS,
    HISTORIES,
    LEVELS_OVER_TIME,
    INSTANTS,
    st.lists(occurrences(st.integers(0, LAST)), min_size=1, max_size=3),
)
def test_no_event_changes_a_phrase_that_awaits_none_before_the_predicted_change(  # noqa: PLR0917
    kind: str,
    data: st.DataObject,
    selector: Selector,
    sent: list[Sent],
    flag_levels: LevelsOverTime,
    second: int,
    further: list[Occurrence],
) -> None:
    phrase = data.draw(KINDS[kind])
    sent = until(second, sent)
    finding = evaluate(phrase, selector, sent, flag_levels, second)
    if finding.awaits_event:
        return
    later = [replace(e, occurred_at=e.occurred_at + (at(second) - at(0))) for e in further]
    history = History([*sent, *map(Sent, later)])
    changes_at = END + LAST + 70 if finding.changes_at is None else second_of(finding.changes_at)
    for instant in range(second, changes_at):
        assert history.truth(phrase, selector, instant, flag_levels.at) is finding.holds
