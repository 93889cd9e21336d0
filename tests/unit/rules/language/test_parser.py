from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.durations import MAX_WINDOW, UNITS, format_duration
from rules.language.mistakes import PhraseError
from rules.language.parser import parse_condition, parse_new_company
from rules.language.tree import MAX_TIMES
from rules.phrases.condition import Condition
from rules.phrases.counting import Absence, Comparison, Count

ANY_PHRASE = (
    "write for example `less than 5 times in 7 days`, `no activity for 7 days`,"
    " `company.nps below 7`"
)
FOR_COUNT = ": for example `less than 5 times in 7 days`, `at least 2 times in 1 hour`"
FOR_ABSENCE = ": for example `no activity for 7 days`"
FOR_NEW_COMPANY = ": for example `judge at once` or `wait 7 days`"
A_TIMES = "a number or `once` or `twice`"
A_UNIT = "`seconds` or `minutes` or `hours` or `days` or `weeks`"

WINDOWS = st.builds(
    lambda unit, share: max(1, round(share * (MAX_WINDOW // unit))) * unit,
    st.sampled_from(list(UNITS.values())),
    st.one_of(st.floats(0, 1), st.floats(0, 1e-4)),
)
COUNTS = st.builds(Count, st.sampled_from(Comparison), st.integers(0, MAX_TIMES), WINDOWS).filter(
    lambda count: count.depth > 0
)
CONDITIONS: st.SearchStrategy[Condition] = st.one_of(COUNTS, st.builds(Absence, WINDOWS))

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


def refusal(text: str, parse: Callable[[str], object] = parse_condition) -> PhraseError | None:
    try:
        parse(text)
    except PhraseError as error:
        return error
    return None


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
def test_a_phrase_means_what_it_says(phrase: str, condition: Condition) -> None:
    assert parse_condition(phrase) == condition


@settings(max_examples=150, deadline=None)
@given(CONDITIONS)
def test_the_canonical_form_reads_back_as_the_same_condition(condition: Condition) -> None:
    assert parse_condition(str(condition)) == condition


@settings(max_examples=150, deadline=None)
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
def test_a_new_company_is_judged_at_once_or_after_a_wait(phrase: str, wait: timedelta) -> None:
    assert parse_new_company(phrase) == wait


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
            "write `no activity for`; which event is meant stands under `event`",
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
            "`Less than 0 times in 7 days` can never hold; use a number of at least 1",
        ),
        (
            "at least 0 times in 1 week",
            9,
            "`At least 0 times in 7 days` always holds; use a number of at least 1",
        ),
        (
            "at least 10001 times in 1 day",
            9,
            "`10001` is too many; a count goes up to 10,000",
        ),
        (
            f"at least {'9' * 5000} times in 1 day",
            9,
            f"`{'9' * 5000}` has too many digits",
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
            f"no activity for {'9' * 5000} Seconds",
            16,
            f"`{'9' * 5000} Seconds` is too long; a window goes up to 520 weeks",
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
def test_a_wrong_phrase_is_told_with_its_place_and_cure(
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
def test_a_wrong_wait_is_told_with_its_place_and_cure(
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
def test_words_after_the_phrase_are_told_to_be_too_many(
    phrase: str, offset: int, word: str, example: str
) -> None:
    with pytest.raises(PhraseError) as raised:
        parse_condition(phrase)
    assert raised.value.offset == offset
    assert raised.value.message == (
        f"`{word}` is not understood here, expected nothing more{example}"
    )


def test_a_no_break_space_is_read_as_a_space_or_told_at_its_place() -> None:
    phrase = "less than\N{NO-BREAK SPACE}5 times in 7 days"
    error = refusal(phrase)
    assert error is None or error.offset == phrase.index("\N{NO-BREAK SPACE}")
    assert error is None or "ends too soon" not in error.message


def test_leading_zeros_do_not_change_a_number() -> None:
    assert str(parse_condition("at least 005 times in 001 day")) == "At least 5 times in 1 day"


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=60), PHRASE_LIKE, EDITED))
def test_any_text_is_read_or_refused_at_a_place_within_it(text: str) -> None:
    for parse in (parse_condition, parse_new_company):
        error = refusal(text, parse)
        assert error is None or (0 <= error.offset <= len(text) and error.message)


@settings(max_examples=150, deadline=None)
@given(WINDOWS)
def test_a_duration_is_spelled_in_the_largest_unit_that_divides_it(window: timedelta) -> None:
    number, unit = format_duration(window).split()
    spelled = UNITS[unit.removesuffix("s")]
    assert int(number) * spelled == window
    assert (number == "1") != unit.endswith("s")
    assert not any(
        larger > spelled and window % larger == timedelta(0)
        for noun, larger in UNITS.items()
        if noun != "week"
    )


def test_a_duration_that_is_no_whole_number_of_seconds_cannot_be_spelled() -> None:
    with pytest.raises(ValueError, match="not a whole number of seconds"):
        format_duration(timedelta(milliseconds=1))
