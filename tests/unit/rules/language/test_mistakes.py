"""Phrases that cannot be parsed: each is explained at its position."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.language.mistakes import PhraseError
from rules.language.parser import parse_condition, parse_new_company
from rules.phrases.condition import Condition
from rules.phrases.counting import Absence
from tests.support.properties import effort
from tests.support.rules import counts, windows

ANY_PHRASE = (
    "write for example `less than 5 times in 7 days`, `no activity for 7 days`,"
    " `company.nps below 7`"
)
FOR_COUNT = ": for example `less than 5 times in 7 days`, `at least 2 times in 1 hour`"
FOR_ABSENCE = ": for example `no activity for 7 days`"
FOR_NEW_COMPANY = ": for example `judge at once` or `wait 7 days`"
A_TIMES = "a number or `once` or `twice`"
A_UNIT = "`seconds` or `minutes` or `hours` or `days` or `weeks`"

CONDITIONS: st.SearchStrategy[Condition] = st.one_of(counts, st.builds(Absence, windows))

WORDS = (
    "less fewer more than at least most no activity for in once twice times time judge wait"
    " second seconds minute hour day days week month then dayz 0 1 5 10001 521 99999999999"
    " < <= >= > = . , % §"
)
UNREADABLE = ["\N{NO-BREAK SPACE}", "\N{ZERO WIDTH SPACE}", "\x00", "\x85", "\ud800"]
PHRASE_LIKE = st.lists(st.sampled_from(WORDS.split() + UNREADABLE), max_size=10).map(" ".join)
EDITED = st.builds(
    lambda condition, at, cut, text: str(condition)[:at] + text + str(condition)[at + cut :],
    CONDITIONS,
    st.integers(0, 40),
    st.integers(0, 6),
    st.text(max_size=4),
)


def parse_error(text: str, parse: Callable[[str], object] = parse_condition) -> PhraseError | None:
    try:
        parse(text)
    except PhraseError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("phrase", "offset", "message"),
    [
        (
            "less then 5 times in 7 days",
            5,
            "`then` is not understood here; did you mean `than`?",
        ),
        (
            "less than 5 times in 7 dayz",
            23,
            "`dayz` is not understood here; did you mean `days`?",
        ),
        (
            "at leats 3 times in 1 day",
            3,
            "`leats` is not understood here; did you mean `least`?",
        ),
        (
            "no activities for 7 days",
            3,
            "write `no activity for`; the event is named under `event`",
        ),
        (
            "lessthan 5 times in 1 day",
            0,
            "`lessthan` is not understood here; did you mean `less`?",
        ),
        (
            "less than 5 times in 2 months",
            23,
            "a month has no fixed length; use days or weeks, for example `30 days`",
        ),
        (
            "no activity for 1 month",
            18,
            "a month has no fixed length; use days or weeks, for example `30 days`",
        ),
        (
            "no activity for 3 years",
            18,
            "a year has no fixed length; use days or weeks, for example `30 days`",
        ),
        (
            "no activity for 2 quarters",
            18,
            "a quarter has no fixed length; use days or weeks, for example `30 days`",
        ),
        (
            "less than 0 times in 7 days",
            10,
            "`Less than 0 times in 7 days` can never be met; use a number of at least 1",
        ),
        (
            "at least 0 times in 1 week",
            9,
            "`At least 0 times in 7 days` is always met; use a number of at least 1",
        ),
        (
            "distinct users in 7 days below 0% of company.seats",
            31,
            (
                "`Distinct users in 7 days below 0% of company.seats` can never be met; use a share"
                " above 0%"
            ),
        ),
        (
            "distinct users in 7 days at least 0% of company.seats",
            34,
            (
                "`Distinct users in 7 days at least 0% of company.seats` is always met; use a share"
                " above 0%"
            ),
        ),
        (
            "at least 10001 times in 1 day",
            9,
            "`10001` is too many; a count goes up to 10,000",
        ),
        (
            f"at least {'9' * 1900} times in 1 day",
            9,
            f"`{'9' * 1900}` has too many digits",
        ),
        ("at least 5 times in 0 days", 20, "a window of 0 is empty; use at least 1"),
        (
            "at least 1 time in 521 weeks",
            19,
            "`521 weeks` is too long; a window goes up to 520 weeks",
        ),
        (
            "no activity for 3641 days",
            16,
            "`3641 days` is too long; a window goes up to 520 weeks",
        ),
        (
            f"no activity for {'9' * 1900} Seconds",
            16,
            f"`{'9' * 1900} Seconds` is too long; a window goes up to 520 weeks",
        ),
        ("", 0, f"the phrase ends too soon, {ANY_PHRASE}"),
        ("   ", 3, f"the phrase ends too soon, {ANY_PHRASE}"),
        ("less", 4, f"the phrase ends too soon, expected `than`{FOR_COUNT}"),
        ("less than ", 10, f"the phrase ends too soon, expected {A_TIMES}{FOR_COUNT}"),
        ("less than 5", 11, f"the phrase ends too soon, expected `distinct` or `times`{FOR_COUNT}"),
        ("less than 5 times", 17, f"the phrase ends too soon, expected `in`{FOR_COUNT}"),
        (
            "less than 5 times in",
            20,
            f"the phrase ends too soon, expected a number{FOR_COUNT}",
        ),
        (
            "less than 5 times in 7",
            22,
            f"the phrase ends too soon, expected {A_UNIT}{FOR_COUNT}",
        ),
        ("no activity", 11, f"the phrase ends too soon, expected `for`{FOR_ABSENCE}"),
        (
            "5 times in 7 days",
            0,
            "say how it is compared: `at least 5 times`, `less than 5 times`",
        ),
        (
            "less than five times in 7 days",
            10,
            "write numbers in digits: `5` instead of `five`",
        ),
        (
            "less than -5 times in 7 days",
            10,
            "`-5` is not a whole number",
        ),
        (
            "less than 1.5 times in 7 days",
            10,
            "`1.5` is not a whole number",
        ),
        (
            "less than 5 times per 7 days",
            18,
            "`per` is not understood here; write for example `in 7 days`",
        ),
        (
            "less than 5 times in a week",
            21,
            "`a` is not understood here; write for example `in 7 days`",
        ),
        (
            "no activity for 3 fortnights",
            18,
            f"`fortnights` is not understood here, expected {A_UNIT}{FOR_ABSENCE}",
        ),
        (
            "=> 5 times in 1 day",
            0,
            f"`=` is not understood here, {ANY_PHRASE}",
        ),
        (
            "§",
            0,
            f"`§` is not understood here, {ANY_PHRASE}",
        ),
        (
            "less than \N{ARABIC-INDIC DIGIT FIVE} times in 7 days",
            10,
            f"`\N{ARABIC-INDIC DIGIT FIVE}` is not understood here, expected {A_TIMES}{FOR_COUNT}",
        ),
        (
            "less than 5 times\N{ZERO WIDTH SPACE} in 7 days",
            17,
            f"`\N{ZERO WIDTH SPACE}` is not understood here, expected `in`{FOR_COUNT}",
        ),
    ],
)
def test_an_invalid_phrase_is_reported_with_its_position_and_cure(
    phrase: str, offset: int, message: str
) -> None:
    with pytest.raises(PhraseError) as raised:
        parse_condition(phrase)
    assert (raised.value.offset, raised.value.message) == (offset, message)


@pytest.mark.parametrize(
    ("phrase", "offset", "message"),
    [
        ("", 0, f"the phrase ends too soon, expected `judge` or `wait`{FOR_NEW_COMPANY}"),
        ("judge at", 8, f"the phrase ends too soon, expected `once`{FOR_NEW_COMPANY}"),
        ("wait", 4, f"the phrase ends too soon, expected a number{FOR_NEW_COMPANY}"),
        (
            "7 days",
            0,
            "write `wait 7 days`",
        ),
        (
            "wait for 7 days",
            5,
            f"`for` is not understood here, expected a number{FOR_NEW_COMPANY}",
        ),
        ("wait 7 dayz", 7, "`dayz` is not understood here; did you mean `days`?"),
        ("wait 0 days", 5, "a window of 0 is empty; use at least 1"),
        (
            "wait 521 weeks",
            5,
            "`521 weeks` is too long; a window goes up to 520 weeks",
        ),
        (
            "wait 2 months",
            7,
            "a month has no fixed length; use days or weeks, for example `30 days`",
        ),
    ],
)
def test_an_invalid_wait_is_reported_with_its_position_and_cure(
    phrase: str, offset: int, message: str
) -> None:
    with pytest.raises(PhraseError) as raised:
        parse_new_company(phrase)
    assert (raised.value.offset, raised.value.message) == (offset, message)


@pytest.mark.parametrize(
    ("phrase", "offset", "word", "example"),
    [
        ("less than 5 times in 7 days please", 28, "please", FOR_COUNT),
        ("no activity for 7 days.", 22, ".", FOR_ABSENCE),
        ("no activity for 7 days 3", 23, "3", FOR_ABSENCE),
        ("less than 5 times in 7 days\x00", 27, "\x00", FOR_COUNT),
    ],
)
def test_words_after_a_complete_phrase_are_reported_as_unexpected(
    phrase: str, offset: int, word: str, example: str
) -> None:
    with pytest.raises(PhraseError) as raised:
        parse_condition(phrase)
    assert raised.value.offset == offset
    assert raised.value.message == (
        f"`{word}` is not understood here, expected nothing more{example}"
    )


def test_a_no_break_space_is_read_as_a_space_or_reported_at_its_position() -> None:
    phrase = "less than\N{NO-BREAK SPACE}5 times in 7 days"
    error = parse_error(phrase)
    assert error is None or error.offset == phrase.index("\N{NO-BREAK SPACE}")
    assert error is None or "ends too soon" not in error.message


@effort(6)
@given(st.one_of(st.text(max_size=60), PHRASE_LIKE, EDITED))
def test_any_text_is_parsed_or_refused_at_a_position_within_it(text: str) -> None:
    for parse in (parse_condition, parse_new_company):
        error = parse_error(text, parse)
        assert error is None or (0 <= error.offset <= len(text) and error.message)
