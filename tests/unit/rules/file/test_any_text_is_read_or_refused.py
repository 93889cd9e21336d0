"""Whatever a text contains, it is read, or its faults are reported within it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.files import HEALTH_RULES
from rules.faults import Fault, RuleFileError
from rules.file.rule_file import read_rules
from tests.support.properties import effort
from tests.unit.rules.file.rule_texts import WHOLE, faults

HEALTH = HEALTH_RULES.read_text(encoding="utf-8")
WORDS = (
    "!!int !!float !!bool !!null !!map !!seq !!binary !!omap !x %YAML 1.2 %TAG --- ... &a *a <<"
    " | >- ? : - [ ] { } , # ' \" \\x \\ @ ` version statuses events flags flag event when where"
    " new_company enabled defaults At Risk data.x any login 0x1 0o9 1_ 1e999 .nan 1:30 ~ null yes"
)
UNREADABLE_CHARACTERS = ["\t", "\u2028", "\ufeff", "\x00", "\ud800", "\N{NO-BREAK SPACE}"]
YAML_LIKE = st.lists(
    st.tuples(
        st.sampled_from(WORDS.split() + UNREADABLE_CHARACTERS),
        st.sampled_from(["", " ", ": ", ", ", "\n", "\n  ", "\n    ", "\n  - ", ": { ", "\r\n"]),
    ).map("".join),
    max_size=12,
).map("".join)


def faults_outside_of(text: str) -> list[Fault]:
    """Return the faults of a text whose position is outside of it."""
    lines = [*text.splitlines(), ""]
    try:
        read_rules(text)
    except RuleFileError as error:
        return [
            fault
            for fault in error.faults
            if not (1 <= fault.line <= len(lines))
            or not (1 <= fault.column <= len(lines[fault.line - 1]) + 1)
        ]
    return []


@pytest.mark.parametrize(
    "phrase",
    [
        ">\n        no activity for 7 dayz",
        "|\n        no activity for 7 dayz",
        "no activity\n        for 7 dayz",
    ],
)
def test_a_fault_in_a_multiline_phrase_has_a_position_within_the_file(phrase: str) -> None:
    text = WHOLE.replace("no activity for 7 days", phrase)
    assert len(faults(text)) == 1
    assert faults_outside_of(text) == []


@pytest.mark.parametrize("part", ["", "version: ", "- ", "flags: ", "events:\n  login: "])
def test_a_fault_can_be_shown_if_it_quotes_what_is_no_character(part: str) -> None:
    found = faults(f'{part}"\\ud800"')
    assert found
    for fault in found:
        assert "\ud800" not in str(fault)


@effort(6)
@given(st.one_of(st.text(max_size=80), YAML_LIKE))
def test_any_text_is_read_or_refused(text: str) -> None:
    faults(text)


@effort(1.5)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(HEALTH)),
            st.integers(0, 12),
            st.one_of(st.text(max_size=3), YAML_LIKE),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_any_edit_of_the_shipped_file_is_read_or_refused(edits: list[tuple[int, int, str]]) -> None:
    text = HEALTH
    for at, cut, insertion in edits:
        text = text[:at] + insertion + text[at + cut :]
    faults(text)


@effort(1.5)
@given(st.data())
def test_faults_after_swapping_words_of_the_shipped_file_have_positions_within_it(
    data: st.DataObject,
) -> None:
    words = HEALTH.split(" ")
    for _ in range(data.draw(st.integers(1, 3))):
        first, other = (data.draw(st.integers(0, len(words) - 1)) for _ in range(2))
        words[first], words[other] = words[other], words[first]
    assert faults_outside_of(" ".join(words)) == []
