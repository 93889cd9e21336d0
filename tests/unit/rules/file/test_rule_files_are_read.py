from datetime import timedelta

import pytest
from ruamel.yaml.nodes import MappingNode

from config.files import DEMO_RULES, HEALTH_RULES
from rules.book import EventSetting, RuleBook
from rules.edits.entries import root_of
from rules.edits.positions import entries_of
from rules.facts import Selector
from rules.file.rule_file import check_rules, read_rules
from rules.flags import Flag
from rules.phrases.counting import Absence, Comparison, Count
from rules.statuses import DEFAULT_STATUSES
from tests.unit.rules.file.rule_texts import WHOLE


def test_the_shipped_health_file_is_valid() -> None:
    book = read_rules(HEALTH_RULES.read_text(encoding="utf-8"))
    assert book.flags
    assert {flag.selector.event_key for flag in book.flags} <= {None, *book.events}


def test_the_shipped_demo_file_is_valid() -> None:
    book = read_rules(DEMO_RULES.read_text(encoding="utf-8"))
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


def test_a_flag_uses_the_default_wait_wherever_the_defaults_are_written() -> None:
    text = WHOLE.replace("    new_company: judge at once\n", "")
    defaults = "defaults: {new_company: wait 1 hour}\n"
    below = text.replace(defaults, "") + defaults
    assert [read_rules(t).flags[0].wait for t in (text, below)] == [timedelta(hours=1)] * 2


def test_sections_may_be_in_any_order() -> None:
    head, flags = WHOLE.split("flags:\n")
    assert read_rules("flags:\n" + flags + head).flags[0].name == "Logs in"


@pytest.mark.parametrize(
    "text",
    ["version: 1\n", "\ufeffversion: 1\n", "version: 1\nevents:\nflags:\n", "---\nversion: 1\n..."],
)
def test_a_file_without_flags_has_the_default_statuses(text: str) -> None:
    assert read_rules(text) == RuleBook(DEFAULT_STATUSES, {}, ())


def test_the_event_any_counts_events_of_every_key() -> None:
    assert read_rules(WHOLE.replace("event: login", "event: any")).flags[0].selector == Selector(
        None, read_rules(WHOLE).flags[0].selector.where
    )


def test_a_paused_flag_is_read_and_not_evaluated() -> None:
    book = read_rules(WHOLE)
    paused = read_rules(WHOLE.replace("flag: Logs in\n", "flag: Logs in\n    enabled: false\n"))
    assert (paused.flags, paused.paused) == ((), book.flags)
    assert (
        read_rules(WHOLE.replace("flag: Logs in\n", "flag: Logs in\n    enabled: true\n")) == book
    )


def test_no_flag_may_refer_to_a_paused_one() -> None:
    [fault] = check_rules(
        "version: 1\nflags:\n"
        "- {flag: A, enabled: false, when: {At Risk: company.nps below 7}}\n"
        "- {flag: B, when: {At Risk: flag A is At Risk}}\n"
    ).faults
    assert fault.message == "the flag `A` is paused, so no other flag can refer to it"


def test_a_folded_text_is_read_without_marks_of_its_lines() -> None:
    [flag] = read_rules(
        WHOLE.replace("note: Five a week.", "note: >-\n      Five\n      a week.")
    ).flags
    assert flag.note == "Five a week."


def test_a_check_leaves_the_places_at_which_a_text_is_edited() -> None:
    text = "version: 1\nevents:\n  login:\n  report: {name: Report}\nflags: []\n"

    def place() -> int:
        events = entries_of(root_of(text))["events"][1]
        assert isinstance(events, MappingNode)
        return int(entries_of(events)["login"][1].start_mark.index)

    before = place()
    check_rules(text)
    assert place() == before
