"""Warnings about what is valid but certainly not intended."""

import pytest

from rules.file.rule_file import check_rules
from tests.unit.rules.file.rule_texts import TWO_FLAGS

SUSPICIOUS = {
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
        "18:21: `No activity for 14 days` and `At least 1 time in 7 days` can never both be met",
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
        "15:17: `if_missing` has no effect here",
    ),
}


@pytest.mark.parametrize(
    ("written", "replacement", "expected"), SUSPICIOUS.values(), ids=SUSPICIOUS
)
def test_what_is_valid_but_certainly_not_intended_gets_a_warning(
    written: str, replacement: str, expected: str
) -> None:
    checked = check_rules(TWO_FLAGS.replace(written, replacement, 1))
    assert checked.book is not None
    [warning] = checked.warnings
    assert f"{warning.line}:{warning.column}: {warning.message}".startswith(expected)


def test_a_reference_to_an_impossible_status_gets_a_warning() -> None:
    text = TWO_FLAGS + "  - flag: Both\n    when: {Critical: flag Gone quiet is Critical}\n"
    [warning] = check_rules(text).warnings
    assert (warning.line, warning.message) == (
        20,
        "`Gone quiet` can never be `Critical`, so this is never met",
    )
