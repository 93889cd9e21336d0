from collections.abc import Iterator
from datetime import UTC, datetime
from inspect import isabstract
from pathlib import Path

import pytest

import rules.phrases.logic  # noqa: F401 -- loads all kinds of phrases
from config.files import HEALTH_RULES, ROOT
from rules.facts_in_memory import FactsInMemory, FieldChange
from rules.file.rule_file import check_rules, read_rules
from rules.judging.review import review
from rules.judging.state import CompanyState
from rules.phrases.condition import Condition
from rules.scenarios.file import read_scenarios, rules_tested_by
from rules.scenarios.scenario import run

CONFIG = ROOT / "config"
TEST_FILES = sorted(CONFIG.rglob("*.test.yaml"))
RULE_FILES = sorted(set(CONFIG.rglob("*.yaml")) - set(TEST_FILES))
EXAMPLES = sorted((CONFIG / "examples").glob("*.yaml"))


def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def phrase_types(base: type[Condition] = Condition) -> Iterator[type[Condition]]:
    for phrase_type in base.__subclasses__():
        yield from phrase_types(phrase_type)
        if not isabstract(phrase_type):
            yield phrase_type


@pytest.mark.parametrize("file", RULE_FILES, ids=lambda file: file.stem)
def test_a_shipped_rule_file_has_neither_faults_nor_warnings(file: Path) -> None:
    checked = check_rules(text_of(file))
    assert (checked.faults, checked.warnings) == ((), ())


@pytest.mark.parametrize("file", RULE_FILES, ids=lambda file: file.stem)
def test_a_shipped_rule_file_passes_its_own_tests(file: Path) -> None:
    tests = file.with_name(f"{file.stem}.test.yaml")
    text = text_of(tests)
    assert rules_tested_by(text) == file.name
    book = read_rules(text_of(file))
    failures = {test.name: run(test, book) for test in read_scenarios(text, book).tests}
    assert [failed for failed in failures.values() if failed] == []
    assert failures


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_an_example_names_the_schema_for_editors(file: Path) -> None:
    first_line = text_of(file).splitlines()[0]
    expected = "# yaml-language-server: $schema=../rules.schema.json"
    assert (first_line == expected) == (file not in TEST_FILES)


def test_every_type_of_phrase_occurs_in_an_example() -> None:
    books = [read_rules(text_of(file)) for file in EXAMPLES if file not in TEST_FILES]
    phrases = [phrase for book in books for flag in book.flags for phrase in flag.phrases]
    assert {type(part) for phrase in phrases for part in phrase} >= set(phrase_types())


@pytest.mark.parametrize(
    "file", [HEALTH_RULES, *sorted(set(EXAMPLES) - set(TEST_FILES))], ids=lambda file: file.stem
)
def test_a_company_that_comes_without_events_is_not_in_trouble_at_once(file: Path) -> None:
    """Such as those of a list from a CRM."""
    at = datetime(2026, 1, 5, tzinfo=UTC)
    fields = {
        "plan": "Enterprise", "seats": 50, "nps": 10, "stage": "onboarding",
        "signup_date": "2025-01-01", "csm_name": "Ruth", "champion": "Ann",
        "renewal_date": "2026-12-31",
    }  # fmt: skip
    changes = [FieldChange(at, name, value) for name, value in fields.items()]
    facts = FactsInMemory([], changes, first_seen_at=at)
    book = read_rules(text_of(file))
    found = review(book, CompanyState(book.statuses[0], at, None, {}), facts, now=at, until=at)
    raised = {name for name, verdict in found.verdicts.items() if verdict.level}
    assert (raised, found.state.status) == (set(), book.statuses[0])
