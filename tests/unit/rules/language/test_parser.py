from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.durations import MAX_WINDOW, UNITS, format_duration
from rules.language.mistakes import PhraseError
from rules.language.parser import (
    parse_condition,
    parse_duration,
    parse_new_company,
    parse_offset,
)
from rules.phrases.condition import Condition
from rules.phrases.counting import Absence, Comparison, Count
from tests.support.properties import effort
from tests.support.rules import counts, windows

CONDITIONS: st.SearchStrategy[Condition] = st.one_of(counts, st.builds(Absence, windows))


@pytest.mark.parametrize(
    ("phrase", "canonical"),
    [
        ("less than 5 times in 7 days", "Less than 5 times in 7 days"),
        ("fewer than 5 times in 7 days", "Less than 5 times in 7 days"),
        ("at least 2 times in 1 hour", "At least 2 times in 1 hour"),
        ("more than 3 times in 2 hours", "More than 3 times in 2 hours"),
        ("at most 3 times in 90 minutes", "At most 3 times in 90 minutes"),
        ("< 5 times in 7 days", "Less than 5 times in 7 days"),
        ("<= 5 times in 7 days", "At most 5 times in 7 days"),
        (">= 5 times in 7 days", "At least 5 times in 7 days"),
        ("> 5 times in 7 days", "More than 5 times in 7 days"),
        ("<5times in 7days", "Less than 5 times in 7 days"),
        ("less than once in 1 day", "Less than 1 time in 1 day"),
        ("at least twice in 1 week", "At least 2 times in 7 days"),
        ("less than 1 times in 1 days", "Less than 1 time in 1 day"),
        ("less than 5 time in 7 day", "Less than 5 times in 7 days"),
        ("at most 0 times in 1 day", "At most 0 times in 1 day"),
        ("more than 0 times in 1 day", "More than 0 times in 1 day"),
        ("LESS THAN 5 Times IN 7 dAyS", "Less than 5 times in 7 days"),
        ("  less \t than\n5   times in\r\n7 days ", "Less than 5 times in 7 days"),
        ("no activity for 7 days", "No activity for 7 days"),
        ("No Activity For 1 Week", "No activity for 7 days"),
        ("no activity for 1 second", "No activity for 1 second"),
        ("no activity for 60 seconds", "No activity for 1 minute"),
        ("no activity for 61 seconds", "No activity for 61 seconds"),
        ("no activity for 60 minutes", "No activity for 1 hour"),
        ("no activity for 24 hours", "No activity for 1 day"),
        ("no activity for 25 hours", "No activity for 25 hours"),
        ("no activity for 520 weeks", "No activity for 3640 days"),
        ("at least 10000 times in 1 day", "At least 10000 times in 1 day"),
    ],
)
def test_every_spelling_has_one_canonical_form(phrase: str, canonical: str) -> None:
    assert str(parse_condition(phrase)) == canonical


@pytest.mark.parametrize(
    ("phrase", "condition"),
    [
        (
            "less than 5 times in 7 days",
            Count(Comparison.LESS_THAN, 5, timedelta(days=7)),
        ),
        (
            "fewer than once in 3 hours",
            Count(Comparison.LESS_THAN, 1, timedelta(hours=3)),
        ),
        (
            "at most twice in 2 weeks",
            Count(Comparison.AT_MOST, 2, timedelta(weeks=2)),
        ),
        (
            ">= 4 times in 30 minutes",
            Count(Comparison.AT_LEAST, 4, timedelta(minutes=30)),
        ),
        (
            "more than 10 times in 10 seconds",
            Count(Comparison.MORE_THAN, 10, timedelta(seconds=10)),
        ),
        ("no activity for 2 days", Absence(timedelta(days=2))),
    ],
)
def test_a_phrase_parses_to_its_condition(phrase: str, condition: Condition) -> None:
    assert parse_condition(phrase) == condition


@effort(3)
@given(CONDITIONS)
def test_the_canonical_form_parses_back_to_the_same_condition(condition: Condition) -> None:
    assert parse_condition(str(condition)) == condition


@effort(3)
@given(CONDITIONS, st.data())
def test_case_and_spacing_do_not_matter(condition: Condition, data: st.DataObject) -> None:
    spaces = st.text(" \t\r\n", min_size=1, max_size=3)
    written = "".join(
        data.draw(st.sampled_from([word.lower(), word.upper(), word.title()])) + data.draw(spaces)
        for word in str(condition).split()
    )
    assert parse_condition(data.draw(st.text(" \t\r\n", max_size=2)) + written) == condition


@pytest.mark.parametrize(
    ("phrase", "wait"),
    [
        ("judge at once", timedelta(0)),
        (" Judge  AT Once ", timedelta(0)),
        ("wait 7 days", timedelta(days=7)),
        ("Wait 1 week", timedelta(days=7)),
        ("wait 1 second", timedelta(seconds=1)),
        ("wait 520 weeks", MAX_WINDOW),
    ],
)
def test_a_new_company_is_evaluated_at_once_or_after_a_wait(phrase: str, wait: timedelta) -> None:
    assert parse_new_company(phrase) == wait


def test_leading_zeros_do_not_change_a_number() -> None:
    assert str(parse_condition("at least 005 times in 001 day")) == "At least 5 times in 1 day"


@effort(3)
@given(windows)
def test_a_duration_is_formatted_in_the_largest_unit_that_divides_it(window: timedelta) -> None:
    number, unit = format_duration(window).split()
    spelled = UNITS[unit.removesuffix("s")]
    assert int(number) * spelled == window
    assert (number == "1") != unit.endswith("s")
    assert not any(
        larger > spelled and window % larger == timedelta(0)
        for noun, larger in UNITS.items()
        if noun != "week"
    )


def test_a_duration_that_is_not_in_whole_seconds_cannot_be_formatted() -> None:
    with pytest.raises(ValueError, match="not a whole number of seconds"):
        format_duration(timedelta(milliseconds=1))


@pytest.mark.parametrize("parse", [parse_condition, parse_duration, parse_offset])
def test_a_phrase_is_at_most_2000_characters_long(parse: Callable[[str], object]) -> None:
    with pytest.raises(PhraseError, match="longer than 2,000 characters"):
        parse("1 day " * 400)
