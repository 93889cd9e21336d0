from collections.abc import Iterator
from inspect import isabstract
from pathlib import Path

import pytest

import rules.phrases.logic  # noqa: F401 -- loads all kinds of phrases
from config.files import ROOT
from rules.file.rule_file import check_rules, read_rules
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
