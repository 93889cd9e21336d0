"""Texts that would be costly to read or impossible to store are faults."""

import time

import pytest

from rules.faults import RuleFileError
from rules.file.bounds import DEEPEST, MOST_NODES
from rules.file.phrase import MAX_PHRASES
from rules.file.rule_file import MOST_STATUSES, check_rules
from rules.file.source import MOST_FAULTS, TOO_MANY_FAULTS
from rules.scenarios.file import read_scenarios
from tests.unit.rules.file.hostile_texts import hostile_texts
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


SECONDS = 1.0
"""Of CPU. The costliest takes a tenth of it; without bounds, some take many seconds."""


def test_any_hostile_text_is_read_or_refused_in_little_time() -> None:
    for number, text in enumerate(hostile_texts(seed=1, number=60)):
        began = time.process_time()
        check_rules(text)
        with pytest.raises(RuleFileError):
            read_scenarios(text, None)
        assert time.process_time() - began < SECONDS, (number, text[:200])


@pytest.mark.parametrize(
    "text",
    ["- " * 300, "[" * 2_000, "{a: " * 500, "? " * 300, "\n".join(["[" * 20] * 50)],
    ids=["dashes", "brackets", "braces", "question marks", "brackets on lines"],
)
def test_a_text_that_is_nested_deeply_is_refused_with_its_position(text: str) -> None:
    [fault] = check_rules(text).faults
    assert fault.message == f"this is nested more than {DEEPEST} deep"
    assert (fault.line, fault.column) != (1, 1)


def test_nesting_as_deep_as_phrases_may_be_is_read() -> None:
    phrase = "no activity for 14 days"
    for _ in range(20):
        phrase = f"{{all: [{phrase}, no activity for 15 days]}}"
    checked = check_rules(TWO_FLAGS.replace("no activity for 14 days", phrase))
    assert checked.faults == ()


def test_aliases_count_as_what_they_repeat() -> None:
    levels = "\n".join(f"  k{n}: &p{n} [{', '.join([f'*p{n - 1}'] * 10)}]" for n in range(1, 9))
    [fault] = check_rules(f"version: 1\ndefaults:\n  k0: &p0 [a]\n{levels}\n").faults
    assert (
        fault.message
        == f"a file has at most {MOST_NODES:,} names and values, counting what `*` repeats"
    )


def test_characters_that_aliases_repeat_are_counted() -> None:
    phrases = ", ".join(["*p"] * 500)
    text = f"version: 1\ndefaults: {{k: &p '{'x' * 1_900}'}}\nflags: [{phrases}]\n"
    [fault] = check_rules(text).faults
    assert "counting what `*` repeats" in fault.message


def test_a_node_that_is_a_part_of_itself_is_refused() -> None:
    text = TWO_FLAGS.replace("no activity for 14 days", "&a {all: [*a, *a]}")
    [fault] = check_rules(text).faults
    assert fault.message == "what starts with `*` is a part of itself here"


def test_an_ordinary_alias_is_read() -> None:
    text = TWO_FLAGS.replace("no activity for 14 days", "{any: [&p no activity for 9 days, *p]}")
    assert check_rules(text).faults == ()


def test_the_phrases_of_a_flag_are_counted_in_texts_too() -> None:
    joined = " or ".join(["no activity for 14 days"] * 40)
    text = TWO_FLAGS.replace("no activity for 14 days", f"{{any: [{joined}, {joined}, {joined}]}}")
    [fault] = check_rules(text).faults
    assert fault.message == f"a flag has at most {MAX_PHRASES} phrases"


def test_reading_ends_after_some_faults() -> None:
    faults = check_rules("version: 1\n" + "\n".join(f"wrong{n}: 1" for n in range(500))).faults
    assert len(faults) == MOST_FAULTS + 1
    assert TOO_MANY_FAULTS in [fault.message for fault in faults]


def test_statuses_are_limited() -> None:
    names = ", ".join(f"s{n}" for n in range(MOST_STATUSES + 1))
    [fault] = check_rules(f"version: 1\nstatuses: [{names}]\nflags: []\n").faults
    assert fault.message == f"`statuses` has at most {MOST_STATUSES}"


def test_the_events_of_a_test_file_are_limited() -> None:
    events = "\n".join(["      - {at: 0 days, event: a, times: 10000, user: [x, y]}"] * 6)
    text = (
        f"rules: a.yaml\ntests:\n  - test: a\n    events:\n{events}\n"
        "    expect: [{at: 1 day, status: Healthy}]\n"
    )
    with pytest.raises(RuleFileError, match="a file has at most 100,000 events"):
        read_scenarios(text, None)
