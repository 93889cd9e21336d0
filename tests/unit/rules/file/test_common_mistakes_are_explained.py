"""Mistakes of people who have never programmed: each is reported at its position, with its cure."""
# ruff: noqa: E501 -- messages are compared to the letter

import pytest

from rules.file.rule_file import check_rules
from tests.unit.rules.file.rule_texts import TWO_FLAGS

BROKEN = {
    "tab": (
        "    event: report\n",
        "\tevent: report\n",
        "10:1: a tab cannot indent YAML; use spaces",
    ),
    "less then": (
        "less than 5",
        "less then 5",
        "12:21: `then` is not understood here; did you mean `than`?",
    ),
    "5 time": (
        "5 times in 7 days",
        "5 tims in 7 days",
        "12:28: `tims` is not understood here; did you mean `times`?",
    ),
    "dayz": (
        "5 times in 7 days",
        "5 times in 7 dayz",
        "12:39: `dayz` is not understood here; did you mean `days`?",
    ),
    "status": (
        "      At Risk: less",
        "      At risk: less",
        "12:7: the status `At risk` is not known; did you mean `At Risk`?",
    ),
    "status2": (
        "      At Risk: less",
        "      Rot: less",
        "12:7: the status `Rot` is not known; known are `At Risk` and `Critical`",
    ),
    "twice flag": (
        "flag: Gone quiet",
        "flag: Reports",
        "16:11: the flag `Reports` is defined twice, first on line 9",
    ),
    "open quote": (
        "note: Five a week.",
        'note: "Five a week.',
        "15:11: a quote is opened here and never closed",
    ),
    "open squote": (
        "note: Five a week.",
        "note: 'Five a week.",
        "15:11: a quote is opened here and never closed",
    ),
    "list for mapping": (
        "    when:\n      At Risk: less than 5 times in 7 days\n      Critical: less than 1 time in 7 days\n",
        "    when:\n      - At Risk: less than 5 times in 7 days\n      - Critical: less than 1 time in 7 days\n",
        "12:7: `when` needs a phrase for each status; write for example `At Risk: less than 5 times in 7 days`",
    ),
    "unlisted": (
        "event: report",
        "event: reports",
        "10:12: the event `reports` is not listed under `events`; did you mean `report`?",
    ),
    "disabled": (
        "event: report",
        "event: old",
        "10:12: the event `old` is disabled, so it can never be counted",
    ),
    "no colon": (
        "    event: report\n",
        "    event report\n",
        "10:5: this line lacks a `:` with a space after it",
    ),
    "colon no space": (
        "    event: report\n",
        "    event:report\n",
        "10:5: this line lacks a `:` with a space after it",
    ),
    "indent": (
        "    event: report\n",
        "   event: report\n",
        "10:4: this line is not indented like the ones it belongs to, or a quote before it ends too soon",
    ),
    "gt unquoted": (
        "less than 5 times",
        ">= 5 times",
        "12:17: put what starts with `>` or `|` in quotes",
    ),
    "unclosed bracket": (
        "[Healthy, At Risk, Critical]",
        "[Healthy, At Risk, Critical",
        "2:11: a list is opened here with `[` and lacks its `]` or a comma",
    ),
    "unclosed brace": (
        "{name: Signed in}",
        "{name: Signed in",
        "4:10: a mapping is opened here with `{` and lacks its `}` or a comma",
    ),
    "unknown key": (
        "    recover:",
        "    recovers:",
        "14:5: `recovers` is not known in a flag; did you mean `recover`?",
    ),
    "month": (
        "7 days\n      Critical",
        "1 month\n      Critical",
        "12:39: a month has no fixed length; use days or weeks, for example `30 days`",
    ),
    "per week": (
        "5 times in 7 days",
        "5 times per week",
        "12:34: `per` is not understood here; write for example `in 7 days`",
    ),
    "five": (
        "5 times in 7 days",
        "five times in 7 days",
        "12:26: write numbers in digits: `5` instead of `five`",
    ),
    "newco": (
        "judge at once",
        "7 days",
        "7:25: write `wait 7 days`",
    ),
    "version": (
        "version: 1",
        "version: 2",
        "1:10: `version` must be 1, the only version",
    ),
    "noversion": (
        "version: 1\n",
        "",
        "1:1: the file lacks `version`",
    ),
    "colon in note": (
        "note: Five a week.",
        "note: Five: a week",
        "15:15: there is a second `:` here; put the text in quotes, or start a new line",
    ),
    "percent note": (
        "note: Five a week.",
        "note: %five a week",
        "15:11: put what starts with this character in quotes",
    ),
    "at note": (
        "note: Five a week.",
        "note: @anna says five",
        "15:11: put what starts with this character in quotes",
    ),
    "hash": (
        "flag: Reports",
        "flag: #1 Reports",
        "9:9: `flag` must not be empty; what follows ` #` is a comment, so put the text in quotes",
    ),
    "star": (
        "flag: Reports",
        "flag: *Reports*",
        "9:11: put what starts with `*` in quotes",
    ),
    "empty when": (
        "    when: {At Risk: no activity for 14 days}",
        "    when:",
        "18:9: `when` needs a phrase for each status; write for example `At Risk: less than 5 times in 7 days`",
    ),
    "when text": (
        "    when: {At Risk: no activity for 14 days}",
        "    when: no activity for 14 days",
        "18:11: `when` needs a phrase for each status; write for example `At Risk: less than 5 times in 7 days`",
    ),
    "dash nospace": (
        "  - flag: Gone",
        "  -flag: Gone",
        "16:3: this `-` is not indented like the list that it belongs to",
    ),
    "curly": (
        "5 times in 7 days",
        "“5” times in 7 days",
        "12:26: `“` is a curly quote; use straight ones, or none",
    ),
    "key twice": (
        "    note: Five a week.",
        "    event: login",
        "15:5: `event` appears twice in a flag, first on line 10",
    ),
    "healthy": (
        "      At Risk: less",
        "      Healthy: less",
        "12:7: `Healthy` means that nothing is raised; it takes no phrase",
    ),
    "for": (
        "    note: Five a week.",
        "    for: a day",
        "15:10: `a` is not understood here; write for example `1 day` or `12 hours`",
    ),
    "weight": (
        "    note: Five a week.",
        "    weight: high",
        "15:13: `weight` must be a number from 0 to 1000, such as 2",
    ),
    "where": (
        "    note: Five a week.",
        "    where: {source: web}",
        "15:13: `source` is not in the event's `data`; write for example `data.source`",
    ),
    "applies": (
        "    note: Five a week.",
        "    applies_to: {plan: Pro}",
        "15:18: `plan` is not a field of the company; write for example `company.plan`",
    ),
    "applies2": (
        "    note: Five a week.",
        "    applies_to: Pro",
        "15:17: `applies_to` must be a mapping (`name: value` lines), not `Pro`",
    ),
    "ignore": (
        "    note: Five a week.",
        "    ignore_if: below 20",
        "15:16: `below` is not understood here, expected `previous`: for example `previous under 20`",
    ),
    "missing": (
        "    note: Five a week.",
        "    if_missing: Risky",
        "15:17: the status `Risky` is not known; did you mean `At Risk`?",
    ),
    "ref": (
        "no activity for 14 days",
        "flag Report is At Risk",
        "18:11: there is no flag `Report`; did you mean `Reports`?",
    ),
    "cycle": (
        "no activity for 14 days",
        "flag Gone quiet is At Risk",
        "18:11: these flags refer to each other in a circle: `Gone quiet` -> `Gone quiet`",
    ),
    "comma phrase": (
        "{At Risk: no activity for 14 days}",
        "{At Risk: no activity for 14 days, less than 2 times in 1 day}",
        "18:46: the status `less than 2 times in 1 day` is not known; known are `At Risk` and `Critical`",
    ),
    "and list": (
        "{At Risk: no activity for 14 days}",
        "{At Risk: {all: no activity for 14 days}}",
        "18:27: `all` needs a list of phrases, each after a `-`",
    ),
    "-5": (
        "less than 5",
        "less than -5",
        "12:26: `-5` is not a whole number",
    ),
    "equal": (
        "less than 5 times",
        "= 5 times",
        "12:16: there is no `=`; join two phrases, such as `at least 2 times in 7 days and at most 5 times in 7 days`",
    ),
    "exactly": (
        "less than 5 times",
        "exactly 5 times",
        "12:16: there is no `exactly`; join two phrases, such as `at least 2 times in 7 days and at most 5 times in 7 days`",
    ),
    "between": (
        "less than 5 times",
        "between 2 and 5 times",
        "12:16: there is no `between`; join two phrases, such as `at least 2 times in 7 days and at most 5 times in 7 days`",
    ),
    "more or equal": (
        "less than 5 times",
        "5 or more times",
        "12:16: say how it is compared: `at least 5 times`, `less than 5 times`",
    ),
    "no login": (
        "no activity for 14 days",
        "no login for 14 days",
        "18:24: write `no activity for`; the event is named under `event`",
    ),
    "end": (
        "less than 5 times in 7 days",
        "less than 5 times in 7 days.",
        "12:43: `.` is not understood here, expected nothing more: for example `less than 5 times in 7 days`, `at least 2 times in 1 hour`",
    ),
}


def test_the_unbroken_file_is_valid() -> None:
    checked = check_rules(TWO_FLAGS)
    assert (checked.faults, checked.warnings) == ((), ())


@pytest.mark.parametrize(("written", "replacement", "expected"), BROKEN.values(), ids=BROKEN)
def test_a_mistake_is_reported_at_its_position_with_its_cure(
    written: str, replacement: str, expected: str
) -> None:
    assert written in TWO_FLAGS
    checked = check_rules(TWO_FLAGS.replace(written, replacement, 1))
    assert [f"{f.line}:{f.column}: {f.message}" for f in checked.faults] == [expected]
    assert checked.book is None


def test_all_mistakes_of_a_file_are_reported_at_once() -> None:
    text = TWO_FLAGS
    for name in ("tab", "less then", "open quote", "twice flag", "unknown key"):
        written, replacement, _ = BROKEN[name]
        text = text.replace(written, replacement, 1)
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
    text = TWO_FLAGS.replace("less than 5", "less then 5")
    [fault] = check_rules(text).faults
    assert fault.in_context("health.yaml", text).splitlines() == [
        "health.yaml:12:21: `then` is not understood here; did you mean `than`?",
        "          At Risk: less then 5 times in 7 days",
        "                        ^",
    ]
