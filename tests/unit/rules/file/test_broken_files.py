"""The mistakes that people make who never programmed: each is shown at its place, with the cure."""
# ruff: noqa: E501 -- messages are compared as they are told

import pytest

from rules.file.rule_file import check_rules

GOOD = """\
version: 1
statuses: [Healthy, At Risk, Critical]
events:
  login: {name: Signed in}
  report: {name: Report created}
  old: {enabled: false}
defaults: {new_company: judge at once}
flags:
  - flag: Reports
    event: report
    when:
      At Risk: less than 5 times in 7 days
      Critical: less than 1 time in 7 days
    recover: at least 7 times in 7 days
    note: Five a week.
  - flag: Gone quiet
    event: any
    when: {At Risk: no activity for 14 days}
"""

BROKEN = {
    "tab": (
        "    event: report\n",
        "\tevent: report\n",
        [
            "10:1: a tab cannot indent YAML; use spaces",
        ],
    ),
    "less then": (
        "less than 5",
        "less then 5",
        [
            "12:21: `then` is not understood here; did you mean `than`?",
        ],
    ),
    "5 time": (
        "5 times in 7 days",
        "5 tims in 7 days",
        [
            "12:28: `tims` is not understood here; did you mean `times`?",
        ],
    ),
    "dayz": (
        "5 times in 7 days",
        "5 times in 7 dayz",
        [
            "12:39: `dayz` is not understood here; did you mean `days`?",
        ],
    ),
    "status": (
        "      At Risk: less",
        "      At risk: less",
        [
            "12:7: the status `At risk` is not known; did you mean `At Risk`?",
        ],
    ),
    "status2": (
        "      At Risk: less",
        "      Rot: less",
        [
            "12:7: the status `Rot` is not known; known are `At Risk` and `Critical`",
        ],
    ),
    "twice flag": (
        "flag: Gone quiet",
        "flag: Reports",
        [
            "16:11: the flag `Reports` is defined twice, first in line 9",
        ],
    ),
    "open quote": (
        "note: Five a week.",
        'note: "Five a week.',
        [
            "15:11: a quote is opened here and never closed",
        ],
    ),
    "open squote": (
        "note: Five a week.",
        "note: 'Five a week.",
        [
            "15:11: a quote is opened here and never closed",
        ],
    ),
    "list for mapping": (
        "    when:\n      At Risk: less than 5 times in 7 days\n      Critical: less than 1 time in 7 days\n",
        "    when:\n      - At Risk: less than 5 times in 7 days\n      - Critical: less than 1 time in 7 days\n",
        [
            "12:7: `when` needs a phrase for each status; write for example `At Risk: less than 5 times in 7 days`",
        ],
    ),
    "unlisted": (
        "event: report",
        "event: reports",
        [
            "10:12: the event `reports` is not listed under `events`; did you mean `report`?",
        ],
    ),
    "disabled": (
        "event: report",
        "event: old",
        [
            "10:12: the event `old` is disabled, so it can never be counted",
        ],
    ),
    "no colon": (
        "    event: report\n",
        "    event report\n",
        [
            "10:5: this line lacks a `:` with a space after it",
        ],
    ),
    "colon no space": (
        "    event: report\n",
        "    event:report\n",
        [
            "10:5: this line lacks a `:` with a space after it",
        ],
    ),
    "indent": (
        "    event: report\n",
        "   event: report\n",
        [
            "10:4: this line is not indented like the ones it belongs to, or a quote before it ends too soon",
        ],
    ),
    "gt unquoted": (
        "less than 5 times",
        ">= 5 times",
        [
            "12:17: put what starts with `>` or `|` in quotes",
        ],
    ),
    "unclosed bracket": (
        "[Healthy, At Risk, Critical]",
        "[Healthy, At Risk, Critical",
        [
            "2:11: a list is opened here with `[` and lacks its `]` or a comma",
        ],
    ),
    "unclosed brace": (
        "{name: Signed in}",
        "{name: Signed in",
        [
            "4:10: a mapping is opened here with `{` and lacks its `}` or a comma",
        ],
    ),
    "unknown key": (
        "    recover:",
        "    recovers:",
        [
            "14:5: `recovers` is not known in a flag; did you mean `recover`?",
        ],
    ),
    "month": (
        "7 days\n      Critical",
        "1 month\n      Critical",
        [
            "12:39: a month has no fixed length; use days or weeks, for example `30 days`",
        ],
    ),
    "per week": (
        "5 times in 7 days",
        "5 times per week",
        [
            "12:34: `per` is not understood here; write for example `in 7 days`",
        ],
    ),
    "five": (
        "5 times in 7 days",
        "five times in 7 days",
        [
            "12:26: write numbers in digits: `5` instead of `five`",
        ],
    ),
    "newco": (
        "judge at once",
        "7 days",
        [
            "7:25: write `wait 7 days`",
        ],
    ),
    "version": (
        "version: 1",
        "version: 2",
        [
            "1:10: `version` must be 1, the only one there is",
        ],
    ),
    "noversion": (
        "version: 1\n",
        "",
        [
            "1:1: the file lacks `version`",
        ],
    ),
    "colon in note": (
        "note: Five a week.",
        "note: Five: a week",
        [
            "15:15: a second `:` stands here; put the text in quotes, or start a new line",
        ],
    ),
    "percent note": (
        "note: Five a week.",
        "note: %five a week",
        [
            "15:11: put what starts with this character in quotes",
        ],
    ),
    "at note": (
        "note: Five a week.",
        "note: @anna says five",
        [
            "15:11: put what starts with this character in quotes",
        ],
    ),
    "hash": (
        "flag: Reports",
        "flag: #1 Reports",
        [
            "9:9: `flag` must not be empty; what follows ` #` is a comment, so put the text in quotes",
        ],
    ),
    "star": (
        "flag: Reports",
        "flag: *Reports*",
        [
            "9:11: put what starts with `*` in quotes",
        ],
    ),
    "empty when": (
        "    when: {At Risk: no activity for 14 days}",
        "    when:",
        [
            "18:9: `when` needs a phrase for each status; write for example `At Risk: less than 5 times in 7 days`",
        ],
    ),
    "when text": (
        "    when: {At Risk: no activity for 14 days}",
        "    when: no activity for 14 days",
        [
            "18:11: `when` needs a phrase for each status; write for example `At Risk: less than 5 times in 7 days`",
        ],
    ),
    "dash nospace": (
        "  - flag: Gone",
        "  -flag: Gone",
        [
            "16:3: this `-` is not indented like the list that it belongs to",
        ],
    ),
    "curly": (
        "5 times in 7 days",
        "“5” times in 7 days",
        [
            "12:26: `“` is a curly quote; use straight ones, or none",
        ],
    ),
    "key twice": (
        "    note: Five a week.",
        "    event: login",
        [
            "15:5: `event` stands twice in a flag, first in line 10",
        ],
    ),
    "healthy": (
        "      At Risk: less",
        "      Healthy: less",
        [
            "12:7: `Healthy` means that nothing is raised; it takes no phrase",
        ],
    ),
    "for": (
        "    note: Five a week.",
        "    for: a day",
        [
            "15:10: `a` is not understood here; write for example `1 day` or `12 hours`",
        ],
    ),
    "weight": (
        "    note: Five a week.",
        "    weight: high",
        [
            "15:13: `weight` must be a number from 0 to 1000, such as 2",
        ],
    ),
    "where": (
        "    note: Five a week.",
        "    where: {source: web}",
        [
            "15:13: `source` is not in the event's `data`; write for example `data.source`",
        ],
    ),
    "applies": (
        "    note: Five a week.",
        "    applies_to: {plan: Pro}",
        [
            "15:18: `plan` is not a field of the company; write for example `company.plan`",
        ],
    ),
    "applies2": (
        "    note: Five a week.",
        "    applies_to: Pro",
        [
            "15:17: `applies_to` must be a mapping (`name: value` lines), not `Pro`",
        ],
    ),
    "ignore": (
        "    note: Five a week.",
        "    ignore_if: below 20",
        [
            "15:16: `below` is not understood here, expected `previous`: for example `previous under 20`",
        ],
    ),
    "missing": (
        "    note: Five a week.",
        "    if_missing: Risky",
        [
            "15:17: the status `Risky` is not known; did you mean `At Risk`?",
        ],
    ),
    "ref": (
        "no activity for 14 days",
        "flag Report is At Risk",
        [
            "18:11: there is no flag `Report`; did you mean `Reports`?",
        ],
    ),
    "cycle": (
        "no activity for 14 days",
        "flag Gone quiet is At Risk",
        [
            "18:11: these flags refer to each other in a circle: `Gone quiet` -> `Gone quiet`",
        ],
    ),
    "comma phrase": (
        "{At Risk: no activity for 14 days}",
        "{At Risk: no activity for 14 days, less than 2 times in 1 day}",
        [
            "18:46: the status `less than 2 times in 1 day` is not known; known are `At Risk` and `Critical`",
        ],
    ),
    "and list": (
        "{At Risk: no activity for 14 days}",
        "{At Risk: {all: no activity for 14 days}}",
        [
            "18:27: `all` needs a list of phrases, each after a `-`",
        ],
    ),
    "-5": (
        "less than 5",
        "less than -5",
        [
            "12:26: `-5` is not a whole number",
        ],
    ),
    "equal": (
        "less than 5 times",
        "= 5 times",
        [
            "12:16: there is no `=`; join two phrases, such as `at least 2 times in 7 days and at most 5 times in 7 days`",
        ],
    ),
    "exactly": (
        "less than 5 times",
        "exactly 5 times",
        [
            "12:16: there is no `exactly`; join two phrases, such as `at least 2 times in 7 days and at most 5 times in 7 days`",
        ],
    ),
    "between": (
        "less than 5 times",
        "between 2 and 5 times",
        [
            "12:16: there is no `between`; join two phrases, such as `at least 2 times in 7 days and at most 5 times in 7 days`",
        ],
    ),
    "more or equal": (
        "less than 5 times",
        "5 or more times",
        [
            "12:16: say how it is compared: `at least 5 times`, `less than 5 times`",
        ],
    ),
    "no login": (
        "no activity for 14 days",
        "no login for 14 days",
        [
            "18:24: write `no activity for`; which event is meant stands under `event`",
        ],
    ),
    "end": (
        "less than 5 times in 7 days",
        "less than 5 times in 7 days.",
        [
            "12:43: `.` is not understood here, expected nothing more: for example `less than 5 times in 7 days`, `at least 2 times in 1 hour`",
        ],
    ),
}


def test_the_file_that_is_broken_below_is_good() -> None:
    checked = check_rules(GOOD)
    assert (checked.faults, checked.warnings) == ((), ())


@pytest.mark.parametrize(("written", "instead", "told"), BROKEN.values(), ids=BROKEN)
def test_a_mistake_is_told_at_its_place_with_the_cure(
    written: str, instead: str, told: list[str]
) -> None:
    assert written in GOOD
    checked = check_rules(GOOD.replace(written, instead, 1))
    assert [f"{f.line}:{f.column}: {f.message}" for f in checked.faults] == told
    assert checked.book is None


DOUBTFUL = {
    "a recovery that holds whenever the rule does not": (
        "recover: at least 7 times",
        "recover: at least 3 times",
        "14:14: `recover` is no stricter than the rule",
    ),
    "a recovery that is the rule turned round": (
        "recover: at least 7 times",
        "recover: at least 5 times",
        "14:14: `recover` is no stricter than the rule",
    ),
    "a level that a worse one hides": (
        "Critical: less than 1 time in 7 days\n    recover: at least 7 times in 7 days",
        "Critical: less than 9 times in 7 days",
        "12:16: `At Risk` can never be reached",
    ),
    "a recovery that needs what raises the flag": (
        "recover: at least 7 times",
        "recover: less than 2 times",
        "14:14: `recover` can never end it",
    ),
    "phrases that exclude each other": (
        "no activity for 14 days",
        "no activity for 14 days and at least 1 time in 7 days",
        "18:21: `No activity for 14 days` and `At least 1 time in 7 days` can never both hold",
    ),
    "a word for missing": (
        "no activity for 14 days",
        "company.csm_name is empty",
        "18:21: did you mean `company.csm_name is missing`?",
    ),
    "ignore_if without a change": (
        "note: Five a week.",
        "ignore_if: previous under 20",
        "15:16: `ignore_if` is for phrases with `down` and `up`",
    ),
    "if_missing where nothing can be": (
        "note: Five a week.",
        "if_missing: At Risk",
        "15:17: `if_missing` says nothing here",
    ),
}


@pytest.mark.parametrize(("written", "instead", "told"), DOUBTFUL.values(), ids=DOUBTFUL)
def test_what_is_legal_but_surely_not_meant_is_doubted(
    written: str, instead: str, told: str
) -> None:
    checked = check_rules(GOOD.replace(written, instead, 1))
    assert checked.book is not None
    [warn] = checked.warnings
    assert f"{warn.line}:{warn.column}: {warn.message}".startswith(told)


def test_all_mistakes_of_a_file_are_told_in_one_go() -> None:
    text = GOOD
    for name in ("tab", "less then", "open quote", "twice flag", "unknown key"):
        written, instead, _ = BROKEN[name]
        text = text.replace(written, instead, 1)
    text = text.replace("14 days", "14 dayz")
    assert [(fault.line, fault.column) for fault in check_rules(text).faults] == [
        (10, 1),
        (12, 21),
        (14, 5),
        (15, 11),
        (16, 11),
        (18, 40),
    ]


def test_a_fault_is_shown_with_its_line_and_a_caret() -> None:
    text = GOOD.replace("less than 5", "less then 5")
    [fault] = check_rules(text).faults
    assert fault.in_context("health.yaml", text).splitlines() == [
        "health.yaml:12:21: `then` is not understood here; did you mean `than`?",
        "          At Risk: less then 5 times in 7 days",
        "                        ^",
    ]


def test_a_status_that_another_flag_can_never_have_is_doubted() -> None:
    text = GOOD + "  - flag: Both\n    when: {Critical: flag Gone quiet is Critical}\n"
    [warn] = check_rules(text).warnings
    assert (warn.line, warn.message) == (
        20,
        "`Gone quiet` can never be `Critical`, so this never holds",
    )


def test_a_character_that_cannot_be_stored_is_a_fault() -> None:
    text = GOOD.replace("note: Five a week.", 'where: {data.source: "a\\0b"}')
    [fault] = check_rules(text).faults
    assert "has a character that cannot be stored" in fault.message


def test_a_misread_phrase_beside_a_duration_is_one_fault() -> None:
    text = GOOD.replace("no activity for 14 days}", "no activity for 14 dayz}\n    for: 1 day")
    [fault] = check_rules(text).faults
    assert fault.message == "`dayz` is not understood here; did you mean `days`?"


def test_a_tab_within_a_text_block_and_a_strange_line_break_in_a_comment_are_no_faults() -> None:
    block = GOOD.replace("note: Five a week.", "note: |\n      a\n      \tb")
    assert check_rules(block).faults == ()
    comment = GOOD.replace("version: 1", "version: 1  # one\x0c two")
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
def test_a_hostile_phrase_is_a_fault_at_once(phrase: str) -> None:
    assert check_rules(GOOD.replace("no activity for 14 days", phrase)).faults


@pytest.mark.timeout(20)
def test_aliases_that_stand_for_many_phrases_end_in_a_fault() -> None:
    nested = "\n".join(f"  k{n}: &p{n} {{all: [*p{n - 1}, *p{n - 1}]}}" for n in range(1, 30))
    text = (
        "version: 1\nevents: {login: }\ndefaults:\n  k0: &p0 no activity for 1 day\n"
        + nested
        + "\nflags:\n  - {flag: A, event: login, when: {At Risk: *p29}}\n"
    )
    assert check_rules(text).faults
