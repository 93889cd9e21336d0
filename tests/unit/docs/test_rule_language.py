"""docs/health-rules.md shows every phrase, word, and key of the rule language, and no other."""

import re
from contextlib import suppress
from functools import cache

import pytest
from lark import Lark, Tree
from lark.exceptions import LarkError

from config.files import ROOT
from rules.file.json_schema import rule_schema
from rules.language.examples import PHRASES
from tests.unit.docs.documents import read, rows_of, section, spans

GUIDE = read("docs/health-rules.md")
GRAMMAR = (ROOT / "rules/language/grammar.lark").read_text(encoding="utf-8")
JOINING = {"any_of", "all_of", "negated", "grouped"}
"""The rules of the grammar that make one phrase of several."""

SCHEMA = rule_schema()
FLAG_KEYS = SCHEMA["$defs"]["flag"]["properties"].keys()


@cache
def phrase_parser() -> Lark:
    return Lark(GRAMMAR, start="when", parser="earley", maybe_placeholders=True)


def kinds_of(phrase: str) -> set[str]:
    """The alternatives of the grammar that a phrase is made of."""
    tree = phrase_parser().parse(phrase)
    assert isinstance(tree, Tree)
    return {str(node.data) for node in tree.iter_subtrees()}


def worked_phrases() -> list[str]:
    """The phrases that the guide works by the clock."""
    return [row["phrase"].strip("`") for row in rows_of(GUIDE, "phrase")]


@cache
def documented_kinds() -> frozenset[str]:
    """The alternatives that the guide shows, worked or in its text."""
    kinds = set().union(*map(kinds_of, worked_phrases()))
    for span in spans(GUIDE):
        with suppress(LarkError):
            kinds |= kinds_of(span)
    return frozenset(kinds)


def alternatives() -> set[str]:
    """What a phrase may be, by the grammar."""
    [rule] = re.findall(r"^\?phrase:((?:[^\n]|\n +\|)*)", GRAMMAR, re.MULTILINE)
    return set(re.findall(r"[a-z_]+", rule))


def words_of_the_grammar() -> set[str]:
    """The words that a phrase is made of: the alternatives of each terminal that is a word."""
    words: set[str] = set()
    for pattern in re.findall(r"^[A-Z_.0-9]+: /([^/]+)\\b/i$", GRAMMAR, re.MULTILINE):
        for word in pattern.strip("()").split("|"):
            words.add(word.replace("\\s+", " ").replace("?", ""))
    return words


def test_every_alternative_of_the_grammar_has_a_worked_example() -> None:
    assert len(alternatives()) >= 12
    assert alternatives() - documented_kinds() == set()
    worked = set().union(*map(kinds_of, worked_phrases()))
    assert alternatives() - worked == {"flag_is"}  # which needs another flag beside it


@pytest.mark.parametrize("phrase", PHRASES)
def test_every_kind_of_example_is_in_the_guide(phrase: str) -> None:
    assert kinds_of(phrase) <= documented_kinds() | JOINING


def test_every_documented_phrase_is_understood() -> None:
    assert len(worked_phrases()) >= 20
    for phrase in worked_phrases():
        assert kinds_of(phrase)


def test_every_word_of_the_grammar_is_in_the_guide() -> None:
    assert len(words_of_the_grammar()) > 40
    words = f" {' '.join(re.findall(r'[a-z]+', GUIDE.lower()))} "
    for word in words_of_the_grammar():
        assert f" {word} " in words or f" {word}s " in words, word


def test_every_key_of_a_flag_is_in_the_guide_and_no_other() -> None:
    table = rows_of(section(GUIDE, "Keys of a flag"), "key")
    assert sorted(row["key"].strip("`").split(":")[0] for row in table) == sorted(FLAG_KEYS)


def test_every_key_of_a_rule_file_is_in_the_guide_and_no_other() -> None:
    table = rows_of(GUIDE, "key of the file")
    assert sorted(row["key of the file"].strip("`") for row in table) == sorted(
        SCHEMA["properties"]
    )


def test_every_key_of_an_event_is_in_the_guide() -> None:
    [settings, _] = SCHEMA["properties"]["events"]["additionalProperties"]["anyOf"]
    [row] = [row for row in rows_of(GUIDE, "key of the file") if "`events`" in row.values()]
    for key in settings["properties"]:
        assert re.search(rf"`{key}\b", row["meaning"]), key
