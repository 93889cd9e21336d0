"""Each kind of phrase has a form, which leads back to the same phrase."""

import pytest
from hypothesis import assume, given

from rules.language.examples import PHRASES
from rules.language.mistakes import PhraseError
from rules.language.parser import parse_condition
from rules.language.templates import TEMPLATES, agree, take_apart
from rules.language.tree import Vocabulary
from rules.phrases.condition import Condition
from rules.phrases.logic import AllOf, AnyOf, FlagIs, Not
from tests.support.rules import IGNORED_UNDER, phrases


@given(phrases)
def test_a_phrase_is_the_same_after_it_was_taken_apart_and_filled_in(phrase: Condition) -> None:
    taken = take_apart(phrase)
    assert (taken is None) == isinstance(phrase, FlagIs)
    assume(taken is not None)
    assert taken is not None
    kind, parts = taken
    text = TEMPLATES[kind].fill_in(parts)
    assert parse_condition(text, Vocabulary(ignore_previous_under=IGNORED_UNDER)) == phrase


def test_the_examples_of_the_language_have_a_form_each_except_combinations() -> None:
    without = {
        type(condition)
        for condition in map(parse_condition, PHRASES)
        if take_apart(condition) is None
    }
    assert without == {AllOf, AnyOf, Not, FlagIs}
    kinds = [take_apart(parse_condition(phrase)) for phrase in PHRASES]
    assert {kind for kind, _ in filter(None, kinds)} == {*TEMPLATES}


@pytest.mark.parametrize(
    ("kind", "parts", "phrase"),
    [
        (
            "count",
            {"comparison": "less than", "number": "1", "length": "1", "unit": "weeks"},
            "less than 1 time in 1 week",
        ),
        (
            "users",
            {"comparison": "at most", "number": " 1 ", "length": "2", "unit": "days"},
            "at most 1 distinct user in 2 days",
        ),
        ("compared", {"field": "nps", "bound": "below", "limit": "7"}, "company.nps below 7"),
        ("is", {"field": "company.plan", "is": "is not", "value": "not it"},
         'company.plan is not "not it"'),
    ],
)  # fmt: skip
def test_a_form_is_filled_in(kind: str, parts: dict[str, str], phrase: str) -> None:
    assert TEMPLATES[kind].fill_in(parts) == phrase


@pytest.mark.parametrize(
    ("kind", "parts", "message"),
    [
        ("absence", {"unit": "days"}, "a whole number such as 14 is missing"),
        ("absence", {"length": "1 day and 2", "unit": "days"}, "`1 day and 2` is not a whole"),
        ("absence", {"length": "1", "unit": "months"}, "choose one of"),
        ("compared", {"field": "a b", "bound": "below", "limit": "7"}, "is not a field"),
    ],
)
def test_a_part_that_is_missing_or_invalid_is_refused(
    kind: str, parts: dict[str, str], message: str
) -> None:
    with pytest.raises(PhraseError, match=message):
        TEMPLATES[kind].fill_in(parts)


def test_words_agree_with_the_numbers_before_them() -> None:
    assert agree("less than 2 time in 1 days") == "less than 2 times in 1 day"
    assert agree("sum of data.day 1 days below 1.1 days") == "sum of data.day 1 day below 1.1 days"
