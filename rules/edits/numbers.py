"""The numbers in the phrases of a rule file, and edits of them where they are written."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from rules.edits.checks import read_edited
from rules.edits.entries import RuleEditError
from rules.language.mistakes import PhraseError
from rules.language.parser import find_numbers
from rules.language.templates import agree

STARTS = {
    "recover": "when",
    "for": "lasting",
    "new_company": "new_company",
    "ignore_if": "ignore_if",
}
"""What the phrases of a flag are parsed as, by key; those below `when` are the others."""

_VALUE = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_COUNTED_WORD = re.compile(r"\s+(distinct )?[a-z]+\b", re.IGNORECASE)


@dataclass(frozen=True)
class Number:
    """A number in a text: where it is written, and what it is."""

    start: int
    end: int
    value: str


@dataclass(frozen=True)
class Words:
    """A phrase as it is written: pieces of text, and numbers."""

    pieces: tuple[str | Number, ...]


@dataclass(frozen=True)
class Combination:
    """`all`, `any` or `not` of phrases."""

    word: str
    parts: tuple["Words | Combination", ...]


def words_of(text: str, node: Node, start: str = "when") -> Words | Combination:
    """Return a phrase of a text without faults; `start` is what it is parsed as.

    A phrase that is written over several lines, or with escapes, has no numbers to edit.
    """
    if isinstance(node, MappingNode):
        [(word, value)] = [(str(key.value), value) for key, value in node.value]
        parts = value.value if isinstance(value, SequenceNode) else [value]
        return Combination(word, tuple(words_of(text, part) for part in parts))
    phrase = str(node.value)
    offset = _offset(text, node)
    if offset is None:
        return Words((phrase,))
    return Words(tuple(_pieces(phrase, offset, start)))


def number_of(text: str, node: Node) -> Number | None:
    """Return a scalar that is a number, such as a weight; None if it is written otherwise."""
    value = str(node.value)
    offset = _offset(text, node)
    if offset is None or not _VALUE.fullmatch(value):
        return None
    return Number(offset, offset + len(value), value)


def change_numbers(text: str, numbers: Sequence[Number], values: Mapping[int, str]) -> str:
    """Return the text with other values for some of its numbers, by where they start.

    The words after them become singular or plural.

    Raises:
        RuleEditError: there is no such number, a value is none, or the text would have faults.
    """
    by_start = {number.start: number for number in numbers}
    for start, value in sorted(values.items(), reverse=True):
        number = by_start.get(start)
        if number is None:
            raise RuleEditError("The rules have changed meanwhile; open the page again.")
        if not _VALUE.fullmatch(value):
            raise RuleEditError(f"`{value}` is not a number." if value else "A number is missing.")
        if value != number.value:
            text = _change(text, number, value)
    read_edited(text)
    return text


def _change(text: str, number: Number, value: str) -> str:
    written, end = text[number.start : number.end], number.end
    if written.casefold() in ("once", "twice"):
        return text[: number.start] + agree(f"{value} times") + text[end:]
    following = _COUNTED_WORD.match(text, end)
    if following:
        end = following.end()
    return text[: number.start] + agree(value + text[number.end : end]) + text[end:]


def _offset(text: str, node: Node) -> int | None:
    """Return where the value of a scalar begins in a text; None if it is not written as it is."""
    if not isinstance(node, ScalarNode):
        return None
    quoted = 1 if node.style in ("'", '"') else 0
    start, end = node.start_mark.index + quoted, node.end_mark.index - quoted
    return start if text[start:end] == node.value else None


def _pieces(phrase: str, offset: int, start: str) -> list[str | Number]:
    try:
        found = find_numbers(phrase, start)
    except PhraseError:
        found = ()
    pieces: list[str | Number] = []
    done = 0
    for number in found:
        pieces.append(phrase[done : number.start])
        pieces.append(Number(offset + number.start, offset + number.end, number.value))
        done = number.end
    return [piece for piece in (*pieces, phrase[done:]) if piece]
