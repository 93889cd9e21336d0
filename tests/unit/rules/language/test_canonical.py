import pytest
from hypothesis import given

from rules.language.parser import parse_condition
from rules.phrases.condition import Condition
from rules.phrases.fields import quote
from rules.phrases.logic import FlagIs
from tests.support.properties import effort
from tests.support.rules import VOCABULARY, conditions, names, phrases, texts


@effort(4)
@given(phrases)
def test_the_canonical_form_of_every_kind_of_phrase_parses_back_to_it(
    phrase: Condition,
) -> None:
    assert parse_condition(str(phrase), VOCABULARY) == phrase


@pytest.mark.parametrize(
    "number",
    ["0", "-5", "0.5", "100", "12345678901234567890123456789", "-0.12345678901234567890123456"],
)
def test_every_digit_of_a_number_is_kept(number: str) -> None:
    assert str(parse_condition(f"company.nps below {number}")) == f"company.nps below {number}"


@effort(4)
@given(conditions)
def test_the_canonical_form_of_combined_phrases_parses_back_to_them(
    condition: Condition,
) -> None:
    assert parse_condition(str(condition), VOCABULARY) == condition


@effort(4)
@given(texts)
def test_a_quoted_name_parses_back_to_the_same_flag(name: str) -> None:
    read = parse_condition(f"flag {quote(name)} is At Risk")
    assert read == FlagIs(name, "At Risk", 1)


@effort(2)
@given(names)
def test_a_name_that_is_one_plain_word_is_not_quoted(name: str) -> None:
    if not {name.casefold()} & {"and", "or", "is", "not", "missing"} and not {*name} & {*"“”"}:
        assert quote(name) == name
