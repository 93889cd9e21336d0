"""An edit changes one event in the text of a rule file and nothing else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.files import HEALTH_RULES
from rules.book import EventSetting
from rules.edits.entries import RuleEditError
from rules.edits.events import add, add_name, key_for, rename, set_enabled
from rules.file.rule_file import check_rules, read_rules
from tests.support.properties import effort

FLAGS = """\
flags:  # who is in trouble
  - {flag: Quiet, event: any, when: {At Risk: no activity for 7 days}}
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("events:\n  a:\n", "events:\n  a: {enabled: false}\n"),
        ("events:\n  a:   # why\n", "events:\n  a: {enabled: false}   # why\n"),
        ("events:\n  a: ~\n", "events:\n  a: {enabled: false}\n"),
        ("events: {a}\n", "events: {a: {enabled: false}}\n"),
        ("events: {a: , b: }\n", "events: {a: {enabled: false} , b: }\n"),
        ("events:\n  a: {}\n", "events:\n  a: {enabled: false}\n"),
        ("events:\n  a: {name: A}  # x\n", "events:\n  a: {name: A, enabled: false}  # x\n"),
        ("events:\n  a: {enabled:  True }\n", "events:\n  a: {enabled:  false }\n"),
        (
            "events:\n  a:\n    # the name\n    name: A  # x\n\n  b:\n",
            "events:\n  a:\n    # the name\n    name: A  # x\n    enabled: false\n\n  b:\n",
        ),
        (
            "events:\r\n  a:\r\n    name: A\r\n  b:\r\n",
            "events:\r\n  a:\r\n    name: A\r\n    enabled: false\r\n  b:\r\n",
        ),
        (
            "events:\n  a:\n    name: >-\n      A\n",
            "events:\n  a:\n    name: >-\n      A\n    enabled: false\n",
        ),
    ],
)
def test_enabling_is_written_at_the_event(before: str, after: str) -> None:
    head = "version: 1\n"
    assert set_enabled(head + before + FLAGS, "a", enabled=False) == head + after + FLAGS


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "\nevents:\n  new:\n"),
        ("events:\n", "events:\n  new:\n"),
        ("events:   # none\n", "events:   # none\n  new:\n"),
        ("events: {}\n", "events: {new: {}}\n"),
        ("events: null\n", "events: {new: {}}\n"),
        ("events: {b: , }\n", "events: {b: , new: {} , }\n"),
        ("events:\n    b:  # x\n\n# y\n", "events:\n    b:  # x\n    new:\n\n# y\n"),
        (
            "events:\n  b: {name: B,\n      enabled: true}  # x\n",
            "events:\n  b: {name: B,\n      enabled: true}  # x\n  new:\n",
        ),
    ],
)
def test_a_new_event_is_appended_to_the_others(before: str, after: str) -> None:
    rest = "defaults: {new_company: judge at once}\n"
    assert add("version: 1\n" + before + rest, "new") == "version: 1\n" + after + rest


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  a:\n", "  a: {called: [A B]}\n"),
        ("  a: {name: A}  # x\n", "  a: {name: A, called: [A B]}  # x\n"),
        ("  a: {called: [x, y], name: A}\n", "  a: {called: [x, y, A B], name: A}\n"),
        ("  a: {called: []}\n", "  a: {called: [A B]}\n"),
        (
            "  a:\n    called:\n      - x  # why\n\n    name: A\n",
            "  a:\n    called:\n      - x  # why\n      - A B\n\n    name: A\n",
        ),
        ("  a:\n    called:\n    - x\n# y\n", "  a:\n    called:\n    - x\n    - A B\n# y\n"),
    ],
)
def test_an_event_gets_one_more_name_by_which_it_is_sent(before: str, after: str) -> None:
    start = "version: 1\nevents:\n"
    assert add_name(start + before, "a", "A B") == start + after


def test_a_name_of_another_event_is_refused() -> None:
    with pytest.raises(RuleEditError):
        add_name("version: 1\nevents:\n  a:\n  b: {called: [A B]}\n", "a", "A B")


def test_an_event_can_be_added_without_a_final_line_break_and_in_braces() -> None:
    assert add("version: 1\nevents:\n  a:", "b", "B") == "version: 1\nevents:\n  a:\n  b: {name: B}"
    assert add('{"version": 1}', "b") == '{"version": 1, events: {b: {}}}'


def test_a_name_is_quoted_if_necessary() -> None:
    text = "version: 1\nevents:\n  a: {name: A}\n"
    for name in ("no", "a: b", "# 1", "Zoë", "2026", 'it\'s "so"', "[x]", "a\\b", "<b>"):
        assert read_rules(rename(text, "a", name)).events["a"].name == name


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 201, "\0", "\ud800"])
def test_an_invalid_name_is_refused(name: str) -> None:
    with pytest.raises(RuleEditError):
        rename("version: 1\nevents:\n  a:\n", "a", name)
    with pytest.raises(RuleEditError):
        add("version: 1\nevents:\n  a:\n", name or " ")


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nevents:\n  b: &x {name: B}\n  a: *x\n",  # would change both
        "version: 1\nevents:\n  b:\n",
        "version: 1\nevents:\n  a: {nome: A}\n",
    ],
)
def test_an_event_that_cannot_be_edited_alone_is_refused(text: str) -> None:
    with pytest.raises(RuleEditError):
        set_enabled(text, "a", enabled=False)


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("Report Created", "report_created"),
        ("report_created", "report_created"),
        ("$pageview", "$pageview"),
        ("Any", "any_2"),
        ("any", "any_2"),
        ("Login!", "login_2"),
        ("報告 作成", "報告_作成"),
        ("!!", "event"),
    ],
)
def test_a_name_of_another_product_gets_a_key(sent: str, key: str) -> None:
    text = "version: 1\nevents:\n  login:\n"
    assert key_for(sent, read_rules(text).events) == key
    if key != sent:
        assert read_rules(add(text, key, sent, sent)).events[key].called == (sent,)


@pytest.mark.parametrize("sent", ["a, b", "[x]", "no", "2026", "a: b", "# 1"])
def test_a_name_that_yaml_would_read_otherwise_is_quoted(sent: str) -> None:
    for text in ("version: 1\n", "version: 1\nevents: {a: {}}\n"):
        assert read_rules(add(text, "b", None, sent)).events["b"].called == (sent,)


def test_any_is_refused_as_a_new_key() -> None:
    with pytest.raises(RuleEditError, match="stands for all events"):
        add("version: 1\n", "any")


names = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=12)
keys = st.from_regex(r"[a-z][a-z_.]{0,8}", fullmatch=True).filter(lambda key: key != "any")
comments = st.sampled_from(["", "  # why: {a}", " #"])
breaks = st.sampled_from(["\n", "\r\n"])

FORMS = ["nothing", "braces", "block", "quoted", "null", "called", "listed"]


@st.composite
def files(draw: st.DrawFn) -> str:
    """Draw rule files with events in every syntax and comments at every position."""
    events = draw(st.lists(keys, unique=True, min_size=1, max_size=4))
    indent = " " * draw(st.integers(1, 4))
    lines = ["# top", "version: 1" + draw(comments), "", "events:" + draw(comments)]
    for key in events:
        form = draw(st.sampled_from(FORMS))
        enabled = draw(st.sampled_from(["", ", enabled: true", ", enabled: false"]))
        comment = draw(comments)
        lines += {
            "nothing": [f"{indent}{key}:{comment}"],
            "null": [f"{indent}{key}: null{comment}"],
            "braces": [f"{indent}{key}: {{name: Some name{enabled} }}{comment}"],
            "called": [f"{indent}{key}: {{called: [The {key}, '{key}, too']{enabled}}}{comment}"],
            "listed": [
                f"{indent}{key}:{comment}",
                f"{indent}  called:{comment}",
                f"{indent}    - The {key}{comment}",
                f"{indent}    - '{key}, too'{comment}",
            ],
            "quoted": [f"{indent}'{key}' : {{ 'name': \"Some: name\"{enabled}}}{comment}"],
            "block": [
                f"{indent}{key}:{comment}",
                f"{indent}  # below",
                f"{indent}  name: 'It''s'{comment}",
                *([f"{indent}  {enabled[2:]}{comment}"] if enabled else []),
            ],
        }[form]
        lines += draw(st.sampled_from([[], [""], ["# between"]]))
    lines += ["flags:", f"  - flag: Quiet  # {events[0]}", "    event: any"]
    lines += ["    when: {At Risk: no activity for 7 days}", "# the end"]
    return draw(breaks).join(lines) + draw(st.sampled_from(["", "\n"]))


def _replaced_part(before: str, after: str) -> str:
    """Return the part of a text without its common prefix and suffix with another."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return before[start : len(before) - end]


@effort(0.5)
@given(files(), st.data())
def test_everything_else_in_the_text_is_unchanged(text: str, data: st.DataObject) -> None:
    book = read_rules(text)
    key = data.draw(st.sampled_from(sorted(book.events)))
    name, new = (
        data.draw(names.filter(_is_name)),
        data.draw(keys.filter(lambda k: k not in book.events)),
    )
    enabled, sent = data.draw(st.booleans()), f"Sent {name}"
    for edited, expected, replaced in (
        (set_enabled(text, key, enabled=enabled), replace(book.events[key], enabled=enabled), 5),
        (rename(text, key, name), replace(book.events[key], name=name), 12),
        (add(text, new), EventSetting(new, new), 0),
        (add(text, new, name, sent), EventSetting(new, name, called=(sent,)), 0),
    ):
        assert read_rules(edited).events == {**book.events, expected.key: expected}
        assert len(_replaced_part(text, edited)) <= replaced
        assert text.count("#") <= edited.count("#")


def _is_name(name: str) -> bool:
    return check_rules("version: 1\nevents: {a: {name: " + quote_yaml(name) + "}}").book is not None


def quote_yaml(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def test_an_event_of_the_shipped_rules_can_be_disabled_and_enabled_again() -> None:
    text = HEALTH_RULES.read_text(encoding="utf-8")
    off = set_enabled(text, "login", enabled=False)
    on = set_enabled(off, "login", enabled=True)
    assert on == text.replace("{name: Signed in}", "{name: Signed in, enabled: true}")
