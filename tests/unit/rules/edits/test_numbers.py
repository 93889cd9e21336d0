"""The numbers of phrases are changed where they are written."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.edits.entries import RuleEditError
from rules.edits.flags import read_flags
from rules.edits.numbers import (
    STARTS,
    Combination,
    Number,
    Words,
    change_numbers,
    number_of,
    words_of,
)
from rules.edits.positions import entries_of
from tests.support.properties import effort
from tests.unit.rules.edits.shipped_files import FILES

TEXT = """\
version: 1
events: {login: }
flags:
  - flag: Quiet in 7 days
    event: login
    when:
      At Risk: "fewer than 2 distinct users in 1 week"  # 1 of 2
      Critical:
        any: [no activity for 20 days, not: company.v2.x is 5, 'less than once in 1 day']
    recover: at least twice in 7 days
    for: 1 day
    weight: 2
"""


def numbers_in(part: Words | Combination) -> Iterator[Number]:
    if isinstance(part, Combination):
        for inner in part.parts:
            yield from numbers_in(inner)
    else:
        yield from (piece for piece in part.pieces if isinstance(piece, Number))


def list_numbers(text: str) -> list[Number]:
    """All numbers of a text in their order."""
    found = []
    for written in read_flags(text):
        for key, node in written.entries.items():
            if key == "when":
                phrases = [value for _, value in entries_of(node).values()]
                found += [number for n in phrases for number in numbers_in(words_of(text, n))]
            elif key in STARTS:
                found += numbers_in(words_of(text, node, STARTS[key]))
            elif key == "weight":
                found += [number for number in [number_of(text, node)] if number]
    return found


def change(*values: tuple[int, str], text: str = TEXT) -> str:
    """Change numbers by their place in the text."""
    numbers = list_numbers(text)
    return change_numbers(text, numbers, {numbers[place].start: value for place, value in values})


def test_the_numbers_of_phrases_are_found_and_those_in_names_and_values_are_not() -> None:
    assert [n.value for n in list_numbers(TEXT)] == ["2", "1", "20", "1", "1", "2", "7", "1", "2"]


@pytest.mark.parametrize(
    ("place", "value", "before", "after"),
    [
        (0, "1", "fewer than 2 distinct users in", "fewer than 1 distinct user in"),
        (1, "3", "in 1 week", "in 3 weeks"),
        (3, "4", "less than once in", "less than 4 times in"),
        (5, "1", "at least twice", "at least 1 time"),
        (7, "2", "for: 1 day\n", "for: 2 days\n"),
        (8, "0.5", "weight: 2", "weight: 0.5"),
    ],
)
def test_a_number_is_replaced_and_the_word_after_it_agrees(
    place: int, value: str, before: str, after: str
) -> None:
    assert change((place, value)) == TEXT.replace(before, after, 1)


def test_several_numbers_are_changed_at_once() -> None:
    expected = TEXT.replace("twice", "11 times").replace("20 days", "1 day")
    assert change((2, "1"), (5, "11"), (8, "2")) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "A number is missing"),
        ("2 or less", "is not a number"),
        ("0", "can never be met"),
        ("2.5", "whole number"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(value: str, message: str) -> None:
    with pytest.raises(RuleEditError, match=message):
        change((0, value))


@given(st.sampled_from(FILES), st.data())
@effort(3)
def test_only_the_line_of_a_number_changes(text: str, data: st.DataObject) -> None:
    numbers = list_numbers(text)
    place = data.draw(st.integers(0, len(numbers) - 1))
    value = str(int(float(numbers[place].value)) + 1)
    edited = change((place, value), text=text)
    assert [n.value for n in list_numbers(edited)] == [
        value if other == place else number.value for other, number in enumerate(numbers)
    ]
    lines = zip(text.splitlines(), edited.splitlines(), strict=True)
    assert sum(before != after for before, after in lines) == 1
