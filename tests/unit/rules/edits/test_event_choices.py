"""An example with the events that are sent: what is renamed, what is left out, what stays."""

import itertools
from collections.abc import Collection
from pathlib import Path

import pytest

from config.files import HEALTH_RULES, RULE_EXAMPLES
from rules.edits.entries import RuleEditError
from rules.edits.event_choices import SentEvent, adapt
from rules.file.rule_file import read_rules

TEXT = """\
# yaml-language-server: $schema=../rules.schema.json
#
# Usage: what it is about.

version: 1
statuses: [Good, Poor, Bad]

events:
  login: {name: Signed in}   # by anybody
  report: {name: Report}
  ticket:

flags:
  # Nobody comes.
  - flag: Quiet
    event: login
    when: {Poor: no activity for 7 days}   # a week

  # Nobody reads.
  - flag: Few reports
    event: report
    when:
      Poor: less than 5 times in 7 days
    recover: at least 8 times in 7 days

  # Both, or many tickets.
  - flag: Trouble
    when:
      Poor: flag Quiet is Poor and flag Few reports is Poor
      Bad:
        any:
          - flag Few reports is Poor   # again
          - flag Quiet is Poor
"""
EVENTS = TEXT[TEXT.index("events:") : TEXT.index("\nflags:")]
EXAMPLES = [path for path in RULE_EXAMPLES.glob("*.yaml") if ".test." not in path.name]


def test_without_choices_only_the_hint_for_editors_is_left_out() -> None:
    adapted = adapt(TEXT, {})
    assert adapted.text == TEXT[TEXT.index("# Usage") :]
    assert adapted.left_out == ()


def test_an_event_is_listed_and_counted_by_the_key_that_is_sent() -> None:
    text = adapt(TEXT, {"login": SentEvent("signed_in")}).text
    assert "  signed_in: {name: Signed in}   # by anybody\n" in text
    assert "    event: signed_in\n" in text
    assert "login" not in text


def test_a_name_of_another_product_is_listed_beside_the_key() -> None:
    choices = {
        "login": SentEvent("login", ("User Logged In", "yes")),
        "ticket": SentEvent("case", ("Case: opened",)),
    }
    text = adapt(TEXT, choices).text
    assert '  login: {name: Signed in, called: [User Logged In, "yes"]}   # by anybody\n' in text
    assert '  case: {called: ["Case: opened"]}\n' in text
    assert read_rules(text).events["case"].called == ("Case: opened",)


def test_without_an_event_its_flags_and_what_needs_them_are_left_out() -> None:
    adapted = adapt(TEXT, {"report": None})
    assert adapted.left_out == ("Few reports",)
    assert adapted.text.endswith("""\
    when: {Poor: no activity for 7 days}   # a week

  # Both, or many tickets.
  - flag: Trouble
    when:
      Bad:
        any:
          - flag Quiet is Poor
""")
    assert "Nobody reads" not in adapted.text


def test_a_flag_of_which_nothing_remains_is_left_out() -> None:
    adapted = adapt(TEXT, {"login": None, "report": None})
    assert adapted.left_out == ("Quiet", "Few reports", "Trouble")
    assert adapted.text.endswith("events:\n  ticket:\n\nflags:\n")


@pytest.mark.parametrize(
    ("phrase", "remains"),
    [
        ("all: [flag Few reports is Poor, company.plan is Pro]", False),
        ("any: [flag Few reports is Poor, company.plan is Pro]", False),  # in braces
        ("not: flag Few reports is Poor", False),
        ("not: {any: [company.plan is Pro]}", True),
        ("flag Few reports is Poor or company.plan is Pro", False),
    ],
)
def test_a_level_that_cannot_do_without_a_flag_is_left_out(phrase: str, *, remains: bool) -> None:
    other = f"  - flag: Other\n    when:\n      Poor:\n        {phrase}\n"
    text = TEXT[: TEXT.index("  # Both")] + other
    assert ("Other" not in adapt(text, {"report": None}).left_out) is remains


def test_two_events_may_be_one_that_is_sent() -> None:
    text = adapt(TEXT, {"login": SentEvent("seen"), "report": SentEvent("seen")}).text
    assert [*read_rules(text).events] == ["seen", "ticket"]
    assert text.count("event: seen") == 2


def test_further_events_are_listed_after_those_of_the_example() -> None:
    others = [SentEvent("seen"), SentEvent("page_viewed", ("Page Viewed",), "Page Viewed")]
    text = adapt(TEXT, {}, [*others, SentEvent("login")]).text
    assert (
        f"{EVENTS}  seen:\n  page_viewed: {{name: Page Viewed, called: [Page Viewed]}}\n\n" in text
    )
    alone = adapt(TEXT, dict.fromkeys(("login", "report", "ticket")), others).text
    assert [*read_rules(alone).events] == ["seen", "page_viewed"]


def test_faults_and_invalid_keys_are_refused() -> None:
    with pytest.raises(RuleEditError, match="The rules have faults"):
        adapt("version: 2", {})
    with pytest.raises(RuleEditError, match="at most 200"):
        adapt(TEXT, {"login": SentEvent("x" * 201)})
    with pytest.raises(RuleEditError, match="another event key"):
        adapt(TEXT, {}, [SentEvent("any")])


def assert_can_do_without(text: str, missing: Collection[str]) -> None:
    """Adapt a text without these events, the others renamed, and check what remains."""
    book = read_rules(text)
    renamed = {key: SentEvent(f"sent_{key}", (f"Sent {key}",)) for key in book.events}
    adapted = adapt(text, renamed | dict.fromkeys(missing), [SentEvent("other")])
    result = read_rules(adapted.text)
    kept = [f"sent_{key}" for key in book.events if key not in missing]
    assert [*result.events] == [*kept, "other"]
    remaining = [flag.name for flag in result.flags]
    assert sorted([*remaining, *adapted.left_out]) == sorted(flag.name for flag in book.flags)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_can_do_without_each_of_its_events(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for missing in read_rules(text).events:
        assert_can_do_without(text, [missing])


@pytest.mark.thorough
@pytest.mark.parametrize("path", [*EXAMPLES, HEALTH_RULES], ids=lambda path: path.stem)
def test_every_example_can_do_without_any_of_its_events(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    events = read_rules(text).events
    for number in range(len(events) + 1):
        for missing in itertools.combinations(events, number):
            assert_can_do_without(text, missing)
