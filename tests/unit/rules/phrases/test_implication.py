from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rules.facts import USER
from rules.language.parser import parse_condition
from rules.phrases.amounts import Amount, Change, Measure
from rules.phrases.condition import Bound, Condition, Truth
from rules.phrases.counting import Absence, Comparison, Count, Never
from rules.phrases.distinct import Distinct, Share
from rules.phrases.fields import FieldCompared, FieldIs, FieldMissing, FieldWithin
from rules.phrases.implication import implies, opposite
from rules.phrases.logic import AllOf, AnyOf, FlagIs, Not
from tests.support.properties import effort
from tests.support.rules import NOON, event, facts_of, situation


@pytest.mark.parametrize(
    ("condition", "other", "implied"),
    [
        ("no activity for 7 days", "less than 5 times in 7 days", True),
        ("no activity for 7 days", "less than 5 times in 3 days", True),
        ("no activity for 3 days", "less than 5 times in 7 days", False),
        ("less than 1 time in 7 days", "no activity for 7 days", True),
        ("less than 5 times in 7 days", "no activity for 7 days", False),
        ("less than 5 times in 7 days", "at most 4 times in 7 days", True),
        ("at most 5 times in 7 days", "less than 5 times in 7 days", False),
        ("at least 5 times in 1 day", "at least 3 times in 7 days", True),
        ("at least 5 times in 7 days", "at least 3 times in 1 day", False),
        ("at least 5 times in 1 day", "less than 9 times in 1 day", False),
        ("fewer than 2 distinct users in 7 days", "at most 3 distinct users in 1 day", True),
        ("fewer than 2 distinct users in 7 days", "fewer than 2 times in 7 days", False),
        ("fewer than 2 distinct users in 7 days", "fewer than 2 distinct data.x in 7 days", False),
        ("company.nps below 5", "company.nps below 7", True),
        ("company.nps below 5", "company.nps at most 5", True),
        ("company.nps at most 5", "company.nps below 5", False),
        ("company.nps above 5", "company.nps at least 5", True),
        ("company.nps below 5", "company.score below 7", False),
        ("company.nps below 5", "company.nps above 3", False),
        ("sum of data.x above 9 in 1 day", "sum of data.x above 5 in 1 day", True),
        ("sum of data.x above 9 in 1 day", "sum of data.x above 5 in 7 days", False),
        ("sum of data.x above 9 in 1 day", "highest of data.x above 5 in 1 day", False),
        ("down 50% in 7 days", "down 40% in 7 days", True),
        ("down 40% in 7 days", "down 50% in 7 days", False),
        ("down 50% in 7 days", "up 40% in 7 days", False),
        ("company.renewal within 7 days", "company.renewal within 9 days", True),
        ("company.renewal within 9 days", "company.renewal within 7 days", False),
        ("company.a is 1 and company.b is 1", "company.b is 1", True),
        ("company.a is 1", "company.a is 1 and company.b is 1", False),
        ("company.a is 1", "company.a is 1 or company.b is 1", True),
        ("company.a is 1 or company.b is 1", "company.a is 1", False),
        ("not company.nps below 7", "not company.nps below 5", True),
        ("not company.nps below 5", "not company.nps below 7", False),
    ],
)
def test_one_phrase_implies_another_if_their_wording_shows_it(
    *, condition: str, other: str, implied: bool
) -> None:
    assert implies(parse_condition(condition), parse_condition(other)) is implied


seconds = st.integers(1, 12).map(lambda length: timedelta(seconds=length))
small = st.integers(-2, 4).map(Decimal)
bounds = st.sampled_from(Bound)
comparisons = st.sampled_from(Comparison)
simple: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Count, comparisons, st.integers(1, 3), seconds),
    st.builds(Absence, seconds),
    st.builds(Distinct, comparisons, st.integers(1, 3), st.just(USER), seconds),
    st.builds(
        Amount, st.sampled_from(Measure), st.just(("data", "amount")), bounds, small, seconds
    ),
    st.builds(Change, st.booleans(), st.sampled_from([Decimal(50), Decimal(100)]), seconds),
    st.builds(Share, bounds, st.sampled_from([Decimal(30), Decimal(60)]), st.just("x"), seconds),
    st.builds(Never, seconds, st.just("x")),
    st.builds(FieldCompared, st.just("x"), bounds, small),
    st.builds(FieldIs, st.just("x"), st.sampled_from("12a"), st.booleans()),
    st.builds(FieldMissing, st.just("x"), st.booleans()),
    st.builds(FieldWithin, st.just("x"), seconds),
    st.builds(lambda worse: FlagIs("A", "At Risk", 1, worse), st.booleans()),
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(AllOf, st.lists(inner, min_size=2, max_size=2).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=2, max_size=2).map(tuple)),
    ),
    max_leaves=3,
)
events = st.lists(
    st.builds(
        event,
        st.integers(-14, 0),
        st.none() | st.integers(-2, 3),
        user=st.none() | st.sampled_from("abc"),
    ),
    max_size=6,
)
values = st.sampled_from(
    [None, 0, 1, 2, 5, "1", "a", NOON.isoformat(), (NOON + timedelta(seconds=5)).isoformat()]
)


def holds(condition: Condition, sent: Any, value: Any, level: int | None) -> Truth:
    return condition.evaluate(situation(facts_of(sent, {"x": value}), 0, {"A": level})).holds


@effort(4)
@given(conditions, st.data(), events, values, st.sampled_from([None, 0, 1, 2]))
def test_an_implied_phrase_holds(
    condition: Condition, data: st.DataObject, sent: Any, value: Any, level: int | None
) -> None:
    related = [*condition, *(AnyOf((condition, part)) for part in condition)]
    other = data.draw(st.one_of(conditions, st.sampled_from(related)))
    assume(implies(condition, other))
    if holds(condition, sent, value, level):
        assert holds(other, sent, value, level)


@effort(6)
@given(conditions, events, values, st.sampled_from([None, 0, 1, 2]))
def test_the_opposite_of_a_phrase_holds_when_it_does_not(
    condition: Condition, sent: Any, value: Any, level: int | None
) -> None:
    result, opposed = (
        holds(condition, sent, value, level),
        holds(opposite(condition), sent, value, level),
    )
    assert opposed is (None if result is None else not result)
