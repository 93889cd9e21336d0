"""An edit changes one flag in the text of a rule file and nothing else."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.edits.entries import RuleEditError
from rules.edits.flag_edit import KEPT, FlagEdit, applies_to_of
from rules.edits.flags import add_flag, change_flag, read_flags, remove_flag, set_paused
from rules.file.rule_file import read_rules
from rules.flags import Flag
from rules.language.parser import parse_condition
from tests.support.properties import effort
from tests.unit.rules.edits.shipped_files import FILES

HEAD = """\
version: 1
statuses: [Healthy, At Risk, Critical]
events:
  login: {name: Signed in}   # the one that counts
  report:
"""
TEXT = (
    HEAD
    + """
flags:
  # Who is quiet
  - flag: Gone quiet
    event: login
    when:
      At Risk: "no activity for 7 days"   # a week
      Critical:
        all:
          - no activity for 20 days
          - company.nps below 7
    recover: at least twice in 7 days
    note: >-
      Call
      them.
    # the end

  - {flag: Few, event: report, when: {At Risk: less than 5 times in 7 days}}
"""
)
"""A text with a flag in each style."""

QUIET = FlagEdit(
    "Gone quiet",
    "login",
    {1: "no activity for 7 days"},
    recover="at least 2 times in 7 days",
    note="Call them.",
)
FEW = FlagEdit("Few", "report", {1: "fewer than 5 times in 1 week"})


def changed(edited: str, text: str = TEXT) -> list[tuple[str, str]]:
    """Return the lines that differ, before and after, of texts with as many lines."""
    before, after = text.splitlines(), edited.splitlines()
    assert len(before) == len(after)
    return [(a.strip(), b.strip()) for a, b in zip(before, after, strict=True) if a != b]


def test_an_edit_that_changes_nothing_leaves_the_text_as_it_is() -> None:
    assert change_flag(TEXT, "Gone quiet", QUIET) == TEXT
    assert change_flag(TEXT, "Few", FEW) == TEXT


@pytest.mark.parametrize(
    ("edit", "before", "after"),
    [
        (replace(QUIET, name="Silent"), "- flag: Gone quiet", "- flag: Silent"),
        (replace(QUIET, event="any"), "event: login", "event: any"),
        (
            replace(QUIET, phrases={1: "no activity for 9 days"}),
            'At Risk: "no activity for 7 days"   # a week',
            "At Risk: no activity for 9 days   # a week",
        ),
        (
            replace(QUIET, recover="at least 3 times in 7 days"),
            "recover: at least twice in 7 days",
            "recover: at least 3 times in 7 days",
        ),
    ],
)
def test_a_value_is_replaced_where_it_is_written(edit: FlagEdit, before: str, after: str) -> None:
    assert changed(change_flag(TEXT, "Gone quiet", edit)) == [(before, after)]


def test_new_keys_follow_those_before_them_and_removed_ones_take_their_lines() -> None:
    edit = replace(
        QUIET,
        recover=None,
        phrases={1: None},
        lasting="1 day",
        applies_to={"company.plan": ("Pro", "Team")},
        weight="2",
        note=None,
    )
    assert (
        change_flag(TEXT, "Gone quiet", edit).partition("flags:\n")[2]
        == """\
  # Who is quiet
  - flag: Gone quiet
    event: login
    when:
      Critical:
        all:
          - no activity for 20 days
          - company.nps below 7
    for: 1 day
    applies_to: {company.plan: [Pro, Team]}
    weight: 2
    # the end

  - {flag: Few, event: report, when: {At Risk: less than 5 times in 7 days}}
"""
    )


def test_a_combination_is_kept_or_replaced_by_a_phrase() -> None:
    edited = change_flag(TEXT, "Gone quiet", replace(QUIET, phrases={2: "no activity for 9 days"}))
    assert "      Critical: no activity for 9 days\n    recover: at least twice" in edited


def test_a_flag_in_braces_is_edited_in_its_braces() -> None:
    edit = replace(
        FEW,
        phrases={1: None, 2: "no activity for 9 days"},
        weight="0.5",
        applies_to={"company.plan": ("Free",), "company.seats": ("5",)},
        new_company="wait 7 days",
    )
    assert changed(change_flag(TEXT, "Few", edit)) == [
        (
            "- {flag: Few, event: report, when: {At Risk: less than 5 times in 7 days}}",
            (
                "- {flag: Few, event: report, when: {Critical: no activity for 9 days},"
                " new_company: wait 7 days, applies_to: {company.plan: Free, company.seats: 5},"
                " weight: 0.5}"
            ),
        )
    ]


def test_fields_of_applies_to_are_edited_one_by_one() -> None:
    text = TEXT.replace(
        "    recover:",
        "    applies_to:\n      company.plan: [Pro]  # payers\n      company.x: 1\n    recover:",
    )
    edit = replace(QUIET, applies_to={"company.plan": ("Pro",), "company.seats": ("5", "a: b")})
    assert (
        '      company.plan: [Pro]  # payers\n      company.seats: [5, "a: b"]\n    recover:'
        in change_flag(text, "Gone quiet", edit)
    )


def test_a_flag_is_removed_with_its_comment() -> None:
    assert remove_flag(TEXT, "Few") == TEXT[: TEXT.index("\n  - {flag: Few")]
    rest = remove_flag(TEXT, "Gone quiet")
    assert rest.startswith(HEAD)
    assert "Who is quiet" not in rest
    assert [written.flag.name for written in read_flags(rest)] == ["Few"]
    assert read_rules(remove_flag(rest, "Few")).flags == ()
    braces = HEAD + "flags: [{flag: A, event: any, when: {At Risk: no activity for 1 day}}]\n"
    assert remove_flag(braces, "A") == HEAD + "flags: []\n"


def test_a_flag_is_paused_and_evaluated_again() -> None:
    paused = set_paused(TEXT, "Gone quiet", paused=True)
    assert "  - flag: Gone quiet\n    enabled: false\n    event: login\n" in paused
    assert set_paused(paused, "Gone quiet", paused=False) == TEXT
    assert "{flag: Few, enabled: false, event" in set_paused(TEXT, "Few", paused=True)


@pytest.mark.parametrize(
    ("rest", "added"),
    [
        ("", "\nflags:\n  - flag: New\n    event: login\n    when:\n      At Risk: {}\n"),
        ("flags:\n", "flags:\n  - flag: New\n    event: login\n    when:\n      At Risk: {}\n"),
        ("flags: []\n", "flags: [{flag: New, event: login, when: {At Risk: {}}}]\n"),
        ("flags: ~\n", "flags: [{flag: New, event: login, when: {At Risk: {}}}]\n"),
    ],
)
def test_the_first_flag_is_added(rest: str, added: str) -> None:
    phrase = "no activity for 3 days"
    edited = add_flag(HEAD + rest, FlagEdit("New", "login", {1: phrase}))
    assert edited == HEAD + added.replace("{}", phrase)


def test_a_new_flag_follows_the_others_in_their_layout() -> None:
    edit = FlagEdit("N: 1", None, {2: "company.nps below 7"}, note='Why: "so"\nand so', weight="2")
    assert (
        add_flag(TEXT, edit)
        == TEXT
        + """
  - flag: "N: 1"
    when:
      Critical: company.nps below 7
    weight: 2
    note: "Why: \\"so\\"\\nand so"
"""
    )


@pytest.mark.parametrize(
    ("name", "edit", "message"),
    [
        ("Gone", QUIET, "There is no flag `Gone`"),
        ("Few", replace(FEW, name="Gone quiet"), "defined twice"),
        ("Few", replace(FEW, event="nope"), "is not listed"),
        ("Few", replace(FEW, event=None), "lacks `event`"),
        ("Few", replace(FEW, phrases={1: None}), "one status at least"),
        ("Few", replace(FEW, weight="many"), "`weight` must be a number"),
        ("Few", replace(FEW, name=""), "flag"),
    ],
)
def test_an_edit_that_would_be_a_fault_is_refused(name: str, edit: FlagEdit, message: str) -> None:
    with pytest.raises(RuleEditError, match=message):
        change_flag(TEXT, name, edit)


def test_a_flag_whose_parts_another_one_repeats_is_refused() -> None:
    text = HEAD + (
        "flags:\n"
        "- {flag: A, event: any, when: &w {At Risk: no activity for 1 day}}\n"
        "- {flag: B, event: any, when: *w}\n"
    )
    with pytest.raises(RuleEditError, match="unusual"):
        change_flag(text, "A", FlagEdit("A", "any", {1: "no activity for 2 days"}))


PHRASES = ("no activity for 3 days", "less than 4 times in 5 weeks", "company.nps below 7")


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, Flag, FlagEdit]:
    """Draw a shipped file, one of its flags, and an edit of it."""
    text = draw(st.sampled_from(FILES))
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    written = draw(st.sampled_from(read_flags(text)))
    flag, levels = written.flag, range(1, len(read_rules(text).statuses))
    fields = applies_to_of(flag)
    if draw(st.booleans()):
        fields = {**fields, draw(st.sampled_from(["company.plan", "company.x.y"])): ("A b", "3")}
    kept = dict(flag.conditions)
    phrases: dict[int, str | None] = draw(
        st.dictionaries(st.sampled_from(levels), st.sampled_from(PHRASES), max_size=2)
    )
    if len(kept.keys() | phrases.keys()) > 1 and draw(st.booleans()):
        phrases = {**phrases, draw(st.sampled_from(sorted(kept.keys() | phrases.keys()))): None}
    return (
        text,
        flag,
        FlagEdit(
            draw(st.sampled_from([flag.name, "Entirely: new", "Zoë's"])),
            str(written.entries["event"].value) if "event" in written.entries else "any",
            phrases,
            recover=draw(st.sampled_from([KEPT, None, PHRASES[1]])),
            lasting=draw(st.sampled_from([None, "2 days"])),
            new_company=draw(st.sampled_from([None, "judge at once", "wait 2 weeks"])),
            applies_to=fields,
            weight=draw(st.sampled_from([None, "1", "2.5"])),
            note=draw(st.sampled_from([None, flag.note, "# no: comment", "two\nlines"])),
        ),
    )


@given(edits())
@effort(1.5)
def test_the_edited_text_means_the_edit_and_all_other_lines_stay(
    drawn: tuple[str, Flag, FlagEdit],
) -> None:
    text, flag, edit = drawn
    before = read_rules(text)
    if edit.name != flag.name and any(flag.name in known.other_flags for known in before.flags):
        with pytest.raises(RuleEditError, match=r"refers? to the flag"):
            change_flag(text, flag.name, edit)
        return
    edited = change_flag(text, flag.name, edit)
    book = read_rules(edited)
    number = [known.name for known in before.flags].index(flag.name)
    after = book.flags[number]
    conditions = dict(flag.conditions) | {
        level: parse_condition(phrase) for level, phrase in edit.phrases.items() if phrase
    }
    for level, phrase in edit.phrases.items():
        if phrase is None:
            conditions.pop(level, None)
    recover = parse_condition(edit.recover) if isinstance(edit.recover, str) else None
    assert dict(after.conditions) == conditions
    assert after.recover == (flag.recover if edit.recover is KEPT else recover)
    assert (after.name, after.note) == (edit.name, edit.note)
    assert after.weight == Decimal(edit.weight or 1)
    assert applies_to_of(after) == {key: tuple(values) for key, values in edit.applies_to.items()}
    others = [known for known in before.flags if known.name != flag.name]
    assert [known for known in book.flags if known.name != edit.name] == [
        replace(other, line=other.line) for other in others
    ]
    lines, edited_lines = text.split("\n"), edited.split("\n")
    first = flag.line - 1
    following = [other.line - 1 for other in others if other.line > flag.line]
    end = len(lines) - min(following, default=len(lines))
    assert edited_lines[:first] == lines[:first]
    assert edited_lines[len(edited_lines) - end :] == lines[len(lines) - end :]
    comments = [line.strip() for line in lines if line.strip().startswith("#")]
    assert [line.strip() for line in edited_lines if line.strip().startswith("#")] == comments


@given(edits(), st.data())
def test_a_flag_that_is_added_and_removed_leaves_the_text_as_it_was(
    drawn: tuple[str, Flag, FlagEdit], data: st.DataObject
) -> None:
    text, _, edit = drawn
    phrase = data.draw(st.sampled_from(PHRASES))
    new = replace(edit, name="Another one", event="any", phrases={1: phrase}, recover=None)
    added = add_flag(text, new)
    assert read_rules(added).flags[:-1] == read_rules(text).flags
    assert remove_flag(added, "Another one") == text
