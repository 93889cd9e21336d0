"""The names by which other products send an event: `called`."""

import pytest

from rules.file.rule_file import MOST_NAMES, check_rules, read_rules

B_IS_A_KEY = (
    "`b` is an event key itself, so what is sent by this name is counted as that; remove it here"
)


def faults(events: str) -> list[str]:
    return [str(fault.message) for fault in check_rules(f"version: 1\nevents:\n{events}").faults]


def test_an_event_has_the_names_by_which_other_products_send_it() -> None:
    book = read_rules("version: 1\nevents:\n  a: {called: [A Thing, 7]}\n  b: {called: []}\n")
    assert [event.called for event in book.events.values()] == [("A Thing", "7"), ()]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ("  a: {called: Thing}\n", ["`called` must be a list, not `Thing`"]),
        ("  a: {called: }\n", ["`called` must be a list, not empty"]),
        ("  a: {called: [[x]]}\n", ["a name in `called` must be a text, not a list"]),
        ("  a: {called: ['']}\n", ["a name in `called` must not be empty"]),
        (
            f"  a: {{called: [{'x' * 201}]}}\n",
            ["a name in `called` must be at most 200 characters on one line"],
        ),
        (
            "  a: {called: [x, x]}\n",
            ["`x` is in `called` of `a` already; a name stands for one event"],
        ),
        (
            "  a: {called: [x]}\n  b: {called: [x]}\n",
            ["`x` is in `called` of `a` already; a name stands for one event"],
        ),
        ("  a: {called: [a]}\n", ["`a` is sent by this name anyhow; remove it from `called`"]),
        (
            "  a: {called: [b]}\n  b:\n",
            [B_IS_A_KEY],
        ),
    ],
)
def test_a_fault_says_what_is_wrong_with_a_name(events: str, expected: list[str]) -> None:
    assert faults(events) == expected


def test_the_names_of_an_event_are_limited() -> None:
    names = [f"Name {number}" for number in range(MOST_NAMES + 1)]
    assert faults(f"  a: {{called: [{', '.join(names)}]}}\n") == ["`called` has at most 50 names"]
    assert faults(f"  a: {{called: [{', '.join(names[1:])}]}}\n") == []
