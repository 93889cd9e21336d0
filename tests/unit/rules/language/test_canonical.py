import pytest
from hypothesis import given, settings

from rules.language.parser import parse_condition
from rules.phrases.condition import Condition
from rules.phrases.fields import quote
from rules.phrases.logic import FlagIs
from tests.support.rules import VOCABULARY, conditions, names, phrases, texts


@settings(max_examples=200, deadline=None)
@given(phrases)
def test_the_canonical_form_of_every_kind_of_phrase_reads_back_as_the_same(
    phrase: Condition,
) -> None:
    assert parse_condition(str(phrase), VOCABULARY) == phrase


@pytest.mark.parametrize(
    "number",
    ["0", "-5", "0.5", "100", "12345678901234567890123456789", "-0.12345678901234567890123456"],
)
def test_every_digit_of_a_number_is_kept(number: str) -> None:
    assert str(parse_condition(f"company.nps below {number}")) == f"company.nps below {number}"


@settings(max_examples=200, deadline=None)
@given(conditions)
def test_the_canonical_form_of_phrases_together_reads_back_as_the_same(
    condition: Condition,
) -> None:
    assert parse_condition(str(condition), VOCABULARY) == condition


@settings(max_examples=200, deadline=None)
@given(texts)
def test_a_quoted_name_reads_back_as_the_same_flag(name: str) -> None:
    read = parse_condition(f"flag {quote(name)} is At Risk")
    assert read == FlagIs(name, "At Risk", 1)


@settings(max_examples=100, deadline=None)
@given(names)
def test_a_name_of_one_plain_word_needs_no_quotes(name: str) -> None:
    if not {name.casefold()} & {"and", "or", "is", "not", "missing"} and not {*name} & {*"“”"}:
        assert quote(name) == name
