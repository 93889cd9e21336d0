"""Texts that would be costly to read or impossible to store are faults."""

import pytest

from rules.file.rule_file import check_rules
from tests.unit.rules.file.rule_texts import TWO_FLAGS


def test_a_character_that_cannot_be_stored_is_a_fault() -> None:
    text = TWO_FLAGS.replace("note: Five a week.", 'where: {data.source: "a\\0b"}')
    [fault] = check_rules(text).faults
    assert "has a character that cannot be stored" in fault.message


def test_an_invalid_phrase_beside_a_duration_is_one_fault() -> None:
    text = TWO_FLAGS.replace("no activity for 14 days}", "no activity for 14 dayz}\n    for: 1 day")
    [fault] = check_rules(text).faults
    assert fault.message == "`dayz` is not understood here; did you mean `days`?"


def test_a_tab_in_a_text_block_and_a_form_feed_in_a_comment_are_not_faults() -> None:
    block = TWO_FLAGS.replace("note: Five a week.", "note: |\n      a\n      \tb")
    assert check_rules(block).faults == ()
    comment = TWO_FLAGS.replace("version: 1", "version: 1  # one\x0c two")
    assert [f.message for f in check_rules(comment).faults] in (
        [],
        ["this is not plain text; save the file as text, in UTF-8"],
    )


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "phrase",
    [
        "not " * 400 + "no activity for 1 day",
        "(" * 900 + "no activity for 1 day",
        "less than " + "1" * 1900 + ".5 times",
        "flag a" + " " * 1900,
        "x" * 200_000,
        "and (" * 300,
    ],
    ids=["not", "parentheses", "digits", "spaces", "long", "and"],
)
def test_a_hostile_phrase_is_refused_quickly(phrase: str) -> None:
    assert check_rules(TWO_FLAGS.replace("no activity for 14 days", phrase)).faults


@pytest.mark.timeout(20)
def test_aliases_that_expand_to_many_phrases_are_a_fault() -> None:
    nested = "\n".join(f"  k{n}: &p{n} {{all: [*p{n - 1}, *p{n - 1}]}}" for n in range(1, 30))
    text = (
        "version: 1\nevents: {login: }\ndefaults:\n  k0: &p0 no activity for 1 day\n"
        + nested
        + "\nflags:\n  - {flag: A, event: login, when: {At Risk: *p29}}\n"
    )
    assert check_rules(text).faults
