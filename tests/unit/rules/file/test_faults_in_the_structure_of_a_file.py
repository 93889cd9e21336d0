"""Faults of YAML, of sections, and of events and statuses."""

import pytest

from rules.faults import Fault, RuleFileError
from rules.file.rule_file import read_rules
from tests.unit.rules.file.rule_texts import (
    FLAG_KEYS,
    MAPPING,
    NEW_COMPANY,
    WHOLE,
    assert_faults,
    faults,
)

INDENTATION = (
    "this line is not indented like the ones it belongs to, or a quote before it ends too soon"
)
BELL = "this is not plain text; save the file as text, in UTF-8"


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
            ["9:15: there is a second `:` here; put the text in quotes, or start a new line"],
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
            ["1:10: `version` must be 1, the only version"],
            id="wrong version",
        ),
        pytest.param(
            "version: 1",
            "version: '1'",
            ["1:10: `version` must be 1, the only version"],
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
            ["16:5: `event` appears twice in a flag, first on line 10"],
            id="duplicate key of a flag",
        ),
        pytest.param(
            "  export:\n",
            "  export:\n  login:\n",
            ["6:3: `login` appears twice in `events`, first on line 4"],
            id="duplicate event",
        ),
        pytest.param(
            "      Bad: no",
            "      Poor: no",
            ["13:7: `Poor` appears twice in `when`, first on line 12"],
            id="duplicate level",
        ),
        pytest.param(
            "flags:\n",
            "flags:\n  - {flag: Logs in, event: export, when: {Poor: no activity for 1 day}}\n",
            ["10:11: the flag `Logs in` is defined twice, first on line 9"],
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
    ],
)
def test_a_fault_is_reported_at_its_position(good: str, bad: str, expected: list[str]) -> None:
    assert_faults(good, bad, expected)


def test_all_faults_of_a_file_are_reported_together_in_file_order() -> None:
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
        "1:10: `version` must be 1, the only version",
        "4:12: the event `lgoin` is not listed under `events`; did you mean `login`?",
        "5:37: a window of 0 is empty; use at least 1",
        "5:45: the status `Awful` is not known; known are `At Risk` and `Critical`",
        "5:61: `At least 0 times in 1 day` is always met; use a number of at least 1",
        "6:18: `soon` is not understood here, expected `judge` or `wait`" + NEW_COMPANY,
        "7:11: the flag `A` is defined twice, first on line 3",
        "8:12: the event `off` is disabled, so it can never be counted",
        "9:12: `Healthy` means that nothing is raised; it takes no phrase",
        "10:21: the list of `data.x` is empty, so nothing would match",
        "11:5: `colour` is not known in a flag; known are " + FLAG_KEYS,
        "12:41: `nmae` is not known in event `off`; did you mean `name`?",
        "14:29: the phrase ends too soon, expected a number" + NEW_COMPANY,
    ]


def test_each_fault_is_reported_once_in_order_with_the_file_name() -> None:
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


def test_two_flags_with_the_same_name_on_one_line_are_a_fault() -> None:
    flag = "{flag: A, event: any, when: {At Risk: no activity for 1 day}}"
    assert faults(f"version: 1\nflags: [{flag}, {flag}]\n") == [
        "2:79: the flag `A` is defined twice, first on line 2"
    ]


@pytest.mark.parametrize("version", ["true", "yes", "01", "'1'", "1.5", "~"])
def test_only_the_number_1_is_a_version(version: str) -> None:
    assert faults(f"version: {version}\n") == ["1:10: `version` must be 1, the only version"]


def test_an_empty_value_is_reported_on_the_line_of_its_key() -> None:
    text = WHOLE.replace("event: login", "event:")
    assert [fault.split(":")[0] for fault in faults(text)] == ["10"]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_a_fault(opening: str) -> None:
    assert faults(opening * 600)


@pytest.mark.parametrize("text", ["%YAML 1.3\n---\nversion: 1\n", "a: b\n%YAML 9.9\n...\n"])
def test_an_unknown_yaml_version_is_a_fault(text: str) -> None:
    assert faults(text)


def test_yes_never_disables_an_event() -> None:
    try:
        book = read_rules("%YAML 1.1\n---\nversion: 1\nevents: {login: {enabled: yes}}\n")
    except RuleFileError:
        return
    assert book.events["login"].enabled


def test_an_anchor_that_is_defined_twice_emits_no_warning() -> None:
    assert faults("version: 1\nevents: {login: &a , export: &a }\n") == []
