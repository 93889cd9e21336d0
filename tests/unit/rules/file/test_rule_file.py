from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.files import ROOT
from rules.book import EventSetting, RuleBook
from rules.facts import Selector
from rules.faults import Fault, RuleFileError
from rules.file.rule_file import read_rules
from rules.file.source import LARGEST_FILE
from rules.flags import Flag
from rules.phrases.counting import Absence, Comparison, Count
from rules.statuses import DEFAULT_STATUSES

CONFIG = ROOT / "config"
HEALTH = (CONFIG / "health.yaml").read_text(encoding="utf-8")

WHOLE = """\
version: 1
statuses: [Good, Poor, Bad]
events:
  login: {name: Signed in}
  export:
  old: {enabled: false}
defaults: {new_company: wait 1 hour}
flags:
  - flag: Logs in
    event: login
    when:
      Poor: less than 5 times in 7 days
      Bad: no activity for 7 days
    new_company: judge at once
    where: {data.source: web, data.size: [1, 2.5, true, null, "1"]}
    note: Five a week.
"""
ANY_PHRASE = (
    "write for example `less than 5 times in 7 days`, `no activity for 7 days`,"
    " `company.nps below 7`"
)
NEW_COMPANY = ": for example `judge at once` or `wait 7 days`"
FLAG_KEYS = (
    "`flag`, `event`, `when`, `recover`, `for`, `new_company`, `where`, `applies_to`,"
    " `if_missing`, `ignore_if`, `weight` and `note`"
)
INDENTATION = (
    "this line is not indented like the ones it belongs to, or a quote before it ends too soon"
)
PHRASE_FOR_EACH = (
    "`when` needs a phrase for each status; write for example"
    " `At Risk: less than 5 times in 7 days`"
)
BELL = "this is not plain text; save the file as text, in UTF-8"
MAPPING = "a mapping (`name: value` lines)"


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


def faults(text: str) -> list[str]:
    """The faults of a file as `line:column: message`; none when it reads."""
    try:
        read_rules(text, file="f")
    except RuleFileError as error:
        return [line.removeprefix("f:") for line in error.lines()]
    return []


def outside(text: str) -> list[Fault]:
    """The faults of a text that stand at no place of it."""
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


def test_the_shipped_health_file_reads() -> None:
    book = read_rules(HEALTH)
    assert book.flags
    assert {flag.selector.event_key for flag in book.flags} <= {None, *book.events}


def test_the_shipped_demo_file_reads() -> None:
    book = read_rules((CONFIG / "demo" / "story.yaml").read_text(encoding="utf-8"))
    assert book.statuses == ("Healthy", "At Risk")
    assert [(flag.name, flag.wait, flag.threshold(1)) for flag in book.flags] == [
        ("Creates reports", timedelta(seconds=5), "Less than 2 times in 10 seconds")
    ]


def test_every_setting_reaches_the_book() -> None:
    assert read_rules(WHOLE) == RuleBook(
        statuses=("Good", "Poor", "Bad"),
        events={
            "login": EventSetting("login", "Signed in"),
            "export": EventSetting("export", "export"),
            "old": EventSetting("old", "old", enabled=False),
        },
        flags=(
            Flag(
                "Logs in",
                Selector(
                    "login", ((("source",), ("web",)), (("size",), (1, 2.5, True, None, "1")))
                ),
                (
                    (2, Absence(timedelta(days=7))),
                    (1, Count(Comparison.LESS_THAN, 5, timedelta(days=7))),
                ),
                wait=timedelta(0),
                note="Five a week.",
                line=9,
            ),
        ),
    )


def test_a_flag_takes_the_default_wait_wherever_the_defaults_stand() -> None:
    text = WHOLE.replace("    new_company: judge at once\n", "")
    defaults = "defaults: {new_company: wait 1 hour}\n"
    below = text.replace(defaults, "") + defaults
    assert [read_rules(t).flags[0].wait for t in (text, below)] == [timedelta(hours=1)] * 2


def test_the_sections_may_stand_in_any_order() -> None:
    head, flags = WHOLE.split("flags:\n")
    assert read_rules("flags:\n" + flags + head).flags[0].name == "Logs in"


@pytest.mark.parametrize(
    "text",
    ["version: 1\n", "\ufeffversion: 1\n", "version: 1\nevents:\nflags:\n", "---\nversion: 1\n..."],
)
def test_a_file_without_flags_reads_with_the_default_statuses(text: str) -> None:
    assert read_rules(text) == RuleBook(DEFAULT_STATUSES, {}, ())


def test_the_event_any_counts_events_of_every_key() -> None:
    assert read_rules(WHOLE.replace("event: login", "event: any")).flags[0].selector == Selector(
        None, read_rules(WHOLE).flags[0].selector.where
    )


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        pytest.param(
            "    event: login",
            "\tevent: login",
            ["10:1: a tab cannot indent YAML; use spaces"],
            id="tab indentation",
        ),
        pytest.param(
            "note: Five a week.",
            "note: 'Five a week.",
            ["16:11: a quote is opened here and never closed"],
            id="unclosed single quote",
        ),
        pytest.param(
            "note: Five a week.",
            'note: "Five a week.',
            ["16:11: a quote is opened here and never closed"],
            id="unclosed double quote",
        ),
        pytest.param(
            "flag: Logs in",
            "flag: Logs: in",
            ["9:15: a second `:` stands here; put the text in quotes, or start a new line"],
            id="colon in a plain text",
        ),
        pytest.param(
            "    event: login",
            "   event: login",
            ["10:4: " + INDENTATION],
            id="uneven indentation",
        ),
        pytest.param(
            "event: login",
            "event: *login",
            ["10:12: put what starts with `*` in quotes"],
            id="unknown alias",
        ),
        pytest.param(WHOLE, "", ["1:1: the file is empty; start with `version: 1`"], id="empty"),
        pytest.param(
            WHOLE,
            "# only a comment\n",
            ["1:1: the file is empty; start with `version: 1`"],
            id="only a comment",
        ),
        pytest.param(
            WHOLE, "- version\n", [f"1:1: the file must be {MAPPING}, not a list"], id="a list"
        ),
        pytest.param(
            WHOLE, "hello\n", [f"1:1: the file must be {MAPPING}, not `hello`"], id="a word"
        ),
        pytest.param(
            "version: 1\n",
            "version: 1\n---\n",
            ["2:1: a second document starts here; leave out this line"],
            id="two documents",
        ),
        pytest.param(
            "Signed in",
            "Signed \x07 in",
            [f"1:1: {BELL}"],
            id="control character",
        ),
        pytest.param(
            "version: 1",
            "version: 2",
            ["1:10: `version` must be 1, the only one there is"],
            id="wrong version",
        ),
        pytest.param(
            "version: 1",
            "version: '1'",
            ["1:10: `version` must be 1, the only one there is"],
            id="quoted version",
        ),
        pytest.param("version: 1\n", "", ["1:1: the file lacks `version`"], id="no version"),
        pytest.param(
            "flags:\n",
            "flgas:\n",
            ["8:1: `flgas` is not known in the file; did you mean `flags`?"],
            id="misspelled section",
        ),
        pytest.param(
            "    note: Five",
            "    colour: Five",
            ["16:5: `colour` is not known in a flag; known are " + FLAG_KEYS],
            id="unknown key of a flag",
        ),
        pytest.param(
            "{enabled: false}",
            "{enable: false}",
            ["6:9: `enable` is not known in event `old`; did you mean `enabled`?"],
            id="misspelled key of an event",
        ),
        pytest.param(
            "{new_company: wait 1 hour}",
            "{newcompany: wait 1 hour}",
            ["7:12: `newcompany` is not known in `defaults`; did you mean `new_company`?"],
            id="misspelled key of the defaults",
        ),
        pytest.param(
            "    note: Five",
            "    event: export\n    note: Five",
            ["16:5: `event` stands twice in a flag, first in line 10"],
            id="duplicate key of a flag",
        ),
        pytest.param(
            "  export:\n",
            "  export:\n  login:\n",
            ["6:3: `login` stands twice in `events`, first in line 4"],
            id="duplicate event",
        ),
        pytest.param(
            "      Bad: no",
            "      Poor: no",
            ["13:7: `Poor` stands twice in `when`, first in line 12"],
            id="duplicate level",
        ),
        pytest.param(
            "flags:\n",
            "flags:\n  - {flag: Logs in, event: export, when: {Poor: no activity for 1 day}}\n",
            ["10:11: the flag `Logs in` is defined twice, first in line 9"],
            id="duplicate flag",
        ),
        pytest.param(
            "version: 1\n",
            "version: 1\n? [a]\n: b\n",
            ["2:3: a name in the file must be a text, not a list"],
            id="list as a key",
        ),
        pytest.param(
            "event: login",
            "event: logni",
            ["10:12: the event `logni` is not listed under `events`; did you mean `login`?"],
            id="misspelled event",
        ),
        pytest.param(
            "event: login",
            "event: payment",
            ["10:12: the event `payment` is not listed under `events`; add it there"],
            id="unknown event",
        ),
        pytest.param(
            "event: login",
            "event: old",
            ["10:12: the event `old` is disabled, so it can never be counted"],
            id="disabled event",
        ),
        pytest.param(
            "  export:\n",
            "  any:\n",
            ["5:3: `any` stands for all events; use another event key"],
            id="an event called any",
        ),
        pytest.param(
            "{enabled: false}",
            "{enabled: no}",
            ["6:18: `enabled` must be `true` or `false`, not `no`"],
            id="no for false",
        ),
        pytest.param(
            "{enabled: false}",
            "off",
            [f"6:8: event `old` must be {MAPPING}, not `off`"],
            id="a word where an event's settings belong",
        ),
        pytest.param(
            "{name: Signed in}",
            "{name: [Signed, in]}",
            ["4:17: `name` must be a text, not a list"],
            id="a list where a name belongs",
        ),
        pytest.param(
            "[Good, Poor, Bad]",
            "{Good: 1, Poor: 2, Bad: 3}",
            [f"2:11: `statuses` must be a list, not {MAPPING}"],
            id="a mapping where the statuses belong",
        ),
        pytest.param(
            "[Good, Poor, Bad]",
            "[Good, Poor, Sad, [Bad]]",
            ["2:29: a status must be a text, not a list"],
            id="a list where a status belongs",
        ),
        pytest.param(
            "statuses: [Good, Poor, Bad]\n",
            "statuses: [Good, Poor, Bad, bad]\n",
            ["2:29: the status `bad` is taken; give each its own name"],
            id="duplicate status",
        ),
        pytest.param(
            "statuses: [Good, Poor, Bad]\n",
            "statuses: [Good, Poor, Bad, n/a]\n",
            ["2:29: the status `n/a` is taken; give each its own name"],
            id="a status called N/A",
        ),
        pytest.param(
            WHOLE,
            "version: 1\nstatuses: [Good]\n",
            ["2:11: `statuses` needs at least two, from best to worst"],
            id="only one status",
        ),
        pytest.param(
            WHOLE,
            "version: 1\nevents: [login]\n",
            [f"2:9: `events` must be {MAPPING}, not a list"],
            id="a list where the events belong",
        ),
        pytest.param(
            WHOLE,
            "version: 1\nflags: {Logs in: login}\n",
            [f"2:8: `flags` must be a list, not {MAPPING}"],
            id="a mapping where the flags belong",
        ),
        pytest.param(
            WHOLE,
            "version: 1\nflags:\n  - Logs in\n",
            [f"3:5: a flag must be {MAPPING}, not `Logs in`"],
            id="a word where a flag belongs",
        ),
        pytest.param(
            WHOLE,
            "version: 1\nflags:\n  - note: nothing else\n",
            [
                "3:5: a flag lacks `flag`",
                "3:5: a flag lacks `when`",
            ],
            id="a flag without its keys",
        ),
        pytest.param(
            WHOLE,
            "version: 1\nflags: &a\n  - *a\n",
            [f"2:8: a flag must be {MAPPING}, not a list"],
            id="a list that holds itself",
        ),
        pytest.param(
            "flag: Logs in", "flag: ''", ["9:11: `flag` must not be empty"], id="empty name"
        ),
        pytest.param(
            "flag: Logs in",
            f"flag: {'x' * 201}",
            ["9:11: `flag` must be at most 200 characters on one line"],
            id="long name",
        ),
        pytest.param(
            "flag: Logs in",
            'flag: "Logs\\nin"',
            ["9:11: `flag` must be at most 200 characters on one line"],
            id="name of two lines",
        ),
        pytest.param(
            "note: Five a week.",
            "note: [Five]",
            ["16:11: `note` must be a text, not a list"],
            id="a list where a note belongs",
        ),
        pytest.param(
            "      Poor:",
            "      poor:",
            ["12:7: the status `poor` is not known; did you mean `Poor`?"],
            id="status in another case",
        ),
        pytest.param(
            "      Poor:",
            "      Dreadful:",
            ["12:7: the status `Dreadful` is not known; known are `Poor` and `Bad`"],
            id="unknown status",
        ),
        pytest.param(
            "      Poor:",
            "      Good:",
            ["12:7: `Good` means that nothing is raised; it takes no phrase"],
            id="a phrase for the best status",
        ),
        pytest.param(
            "Poor: less than 5 times in 7 days",
            "Poor: less then 5 times in 7 days",
            ["12:18: `then` is not understood here; did you mean `than`?"],
            id="bad phrase",
        ),
        pytest.param(
            "Poor: less than 5 times in 7 days",
            'Poor: "less then 5 times in 7 days"',
            ["12:19: `then` is not understood here; did you mean `than`?"],
            id="bad phrase in double quotes",
        ),
        pytest.param(
            "Poor: less than 5 times in 7 days",
            "Poor: 'less than 5 times in 7 dayz'",
            ["12:37: `dayz` is not understood here; did you mean `days`?"],
            id="bad phrase in single quotes",
        ),
        pytest.param(
            "Poor: less than 5 times in 7 days",
            "Poor: 5",
            [f"12:13: `5` is not understood here, {ANY_PHRASE}"],
            id="a number where a phrase belongs",
        ),
        pytest.param(
            "Poor: less than 5 times in 7 days",
            "Poor: [less than 5 times in 7 days]",
            ["12:13: the phrase for `Poor` must be a text, not a list"],
            id="a list where a phrase belongs",
        ),
        pytest.param(
            "new_company: judge at once",
            "new_company: later",
            ["14:18: `later` is not understood here, expected `judge` or `wait`" + NEW_COMPANY],
            id="bad new_company",
        ),
        pytest.param(
            "{new_company: wait 1 hour}",
            '{new_company: "wait 1 hoor"}',
            ["7:33: `hoor` is not understood here; did you mean `hours`?"],
            id="bad default of new_company",
        ),
        pytest.param(
            "{data.source: web,",
            "{source: web, data: web, data..x: 1, data.x.: 1, company.plan: Pro,",
            [
                f"15:{column}: `{field}` is not in the event's `data`;"
                " write for example `data.source`"
                for column, field in (
                    (13, "source"),
                    (26, "data"),
                    (37, "data..x"),
                    (49, "data.x."),
                    (61, "company.plan"),
                )
            ],
            id="where that names no field of the event",
        ),
        pytest.param(
            "data.source: web",
            "data.source: []",
            ["15:26: the list of `data.source` is empty, so nothing would match"],
            id="where with an empty list",
        ),
        pytest.param(
            "data.source: web",
            "data.source: {is: web}",
            [f"15:26: the value of `data.source` must be a single value, not {MAPPING}"],
            id="where with a mapping as value",
        ),
        pytest.param(
            "data.source: web",
            "data.source: [web, [api]]",
            ["15:32: the value of `data.source` must be a single value, not a list"],
            id="where with a list in a list",
        ),
        pytest.param(
            "{data.source: web,",
            "[data.source, web,",
            ["15:12: a list is opened here with `[` and lacks its `]` or a comma"],
            id="mismatched brackets",
        ),
        pytest.param(
            WHOLE,
            "version: 1\nflags:\n  - {flag: A, event: any, when: {At Risk: no activity for 1 day},"
            " where: [web]}\n",
            [f"3:74: `where` must be {MAPPING}, not a list"],
            id="a list where a where belongs",
        ),
        pytest.param(
            WHOLE,
            "version: 1\nflags:\n  - {flag: A, event: any, when: no activity for 1 day}\n",
            [
                "3:33: " + PHRASE_FOR_EACH,
            ],
            id="a phrase without its status",
        ),
        pytest.param(
            WHOLE,
            "#" * (LARGEST_FILE + 1),
            ["1:1: the file is larger than 200,000 characters"],
            id="too large",
        ),
    ],
)
def test_a_fault_is_told_at_its_place(good: str, bad: str, expected: list[str]) -> None:
    assert WHOLE.count(good) == 1
    assert faults(WHOLE.replace(good, bad)) == expected


def test_all_faults_of_a_file_are_told_together_in_file_order() -> None:
    text = (
        "version: 3\n"
        "flags:\n"
        "  - flag: A\n"
        "    event: lgoin\n"
        "    when: {At Risk: no activity for 0 days, Awful: at least 0 times in 1 day}\n"
        "    new_company: soon\n"
        "  - flag: A\n"
        "    event: off\n"
        "    when: {Healthy: no activity for 1 day}\n"
        "    where: {data.x: []}\n"
        "    colour: red\n"
        "events: {login: , off: {enabled: false, nmae: Off}}\n"
        "statuses: [Healthy, At Risk, Critical]\n"
        "defaults: {new_company: wait}\n"
    )
    assert faults(text) == [
        "1:10: `version` must be 1, the only one there is",
        "4:12: the event `lgoin` is not listed under `events`; did you mean `login`?",
        "5:37: a window of 0 is empty; use at least 1",
        "5:45: the status `Awful` is not known; known are `At Risk` and `Critical`",
        "5:61: `At least 0 times in 1 day` always holds; use a number of at least 1",
        "6:18: `soon` is not understood here, expected `judge` or `wait`" + NEW_COMPANY,
        "7:11: the flag `A` is defined twice, first in line 3",
        "8:12: the event `off` is disabled, so it can never be counted",
        "9:12: `Healthy` means that nothing is raised; it takes no phrase",
        "10:21: the list of `data.x` is empty, so nothing would match",
        "11:5: `colour` is not known in a flag; known are " + FLAG_KEYS,
        "12:41: `nmae` is not known in event `off`; did you mean `name`?",
        "14:29: the phrase ends too soon, expected a number" + NEW_COMPANY,
    ]


def test_each_fault_is_told_once_in_order_with_the_name_of_the_file() -> None:
    error = RuleFileError(
        [Fault(2, 1, "b"), Fault(10, 1, "d"), Fault(2, 1, "b"), Fault(2, 1, "a"), Fault(1, 9, "c")],
        file="config/health.yaml",
    )
    assert error.lines() == [
        "config/health.yaml:1:9: c",
        "config/health.yaml:2:1: a",
        "config/health.yaml:2:1: b",
        "config/health.yaml:10:1: d",
    ]
    assert str(error) == "\n".join(error.lines())


def test_two_flags_of_one_name_in_one_line_are_a_fault() -> None:
    flag = "{flag: A, event: any, when: {At Risk: no activity for 1 day}}"
    assert faults(f"version: 1\nflags: [{flag}, {flag}]\n") == [
        "2:79: the flag `A` is defined twice, first in line 2"
    ]


@pytest.mark.parametrize("version", ["true", "yes", "01", "'1'", "1.5", "~"])
def test_only_the_number_1_is_a_version(version: str) -> None:
    assert faults(f"version: {version}\n") == ["1:10: `version` must be 1, the only one there is"]


def test_an_empty_value_is_told_in_the_line_of_its_key() -> None:
    text = WHOLE.replace("event: login", "event:")
    assert [fault.split(":")[0] for fault in faults(text)] == ["10"]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_a_fault(opening: str) -> None:
    assert faults(opening * 600)


@pytest.mark.parametrize("text", ["%YAML 1.3\n---\nversion: 1\n", "a: b\n%YAML 9.9\n...\n"])
def test_an_unknown_version_of_yaml_is_a_fault(text: str) -> None:
    assert faults(text)


def test_yes_never_disables_an_event() -> None:
    try:
        book = read_rules("%YAML 1.1\n---\nversion: 1\nevents: {login: {enabled: yes}}\n")
    except RuleFileError:
        return
    assert book.events["login"].enabled


def test_an_anchor_that_is_set_twice_warns_nobody() -> None:
    faults("version: 1\nevents: {login: &a , export: &a }\n")


@pytest.mark.parametrize(
    "phrase",
    [
        ">\n        no activity for 7 dayz",
        "|\n        no activity for 7 dayz",
        "no activity\n        for 7 dayz",
    ],
)
def test_a_fault_in_a_phrase_of_several_lines_stands_within_the_file(phrase: str) -> None:
    text = WHOLE.replace("no activity for 7 days", phrase)
    assert len(faults(text)) == 1
    assert outside(text) == []


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=80), YAML_LIKE))
def test_any_text_is_read_or_refused(text: str) -> None:
    faults(text)


@settings(max_examples=60, deadline=None)
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


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_exchange_of_words_in_the_shipped_file_is_refused_at_a_place_in_it(
    data: st.DataObject,
) -> None:
    words = HEALTH.split(" ")
    for _ in range(data.draw(st.integers(1, 3))):
        one, other = (data.draw(st.integers(0, len(words) - 1)) for _ in range(2))
        words[one], words[other] = words[other], words[one]
    assert outside(" ".join(words)) == []
