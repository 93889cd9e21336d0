"""Reads phrases from the nodes of a rule file: texts, and `all`, `any` and `not` of them."""

from collections.abc import Callable
from typing import TypeVar

from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from rules.file.source import Source
from rules.language.mistakes import PhraseError
from rules.language.parser import parse_condition
from rules.language.tree import MAX_NESTING, Vocabulary
from rules.phrases.condition import Condition
from rules.phrases.logic import AllOf, AnyOf, Not

MAX_PHRASES = 100
"""In one flag, counting each use of a YAML alias. Warnings compare each phrase with each other."""

T = TypeVar("T")


def read_phrase_text(source: Source, node: Node, what: str, parse: Callable[[str], T]) -> T | None:
    """Parse a text; record a fault at its position and return None if it cannot be parsed."""
    text = source.text(node, what)
    if text is None:
        return None
    try:
        return parse(text)
    except PhraseError as error:
        source.fault(node, error.message, offset=error.offset)
        return None


class PhraseReader:
    """Reads the phrases of one flag."""

    def __init__(self, source: Source, vocabulary: Vocabulary) -> None:
        self.source = source
        self.vocabulary = vocabulary
        self._phrases = 0

    def read(self, node: Node, what: str, depth: int = 0) -> Condition | None:
        """Read a phrase, or a mapping with one of `all`, `any` and `not`; None after a fault."""
        if self._phrases > MAX_PHRASES:
            return None
        if not isinstance(node, MappingNode):
            return self._read_text(node, what)
        entries = self.source.mapping(node, what, ("all", "any", "not"))
        if len(entries) > 1:
            self.source.fault(node, f"{what} must be one of `all`, `any` and `not`")
        elif entries and depth >= MAX_NESTING:
            self.source.fault(node, f"{what} is nested more than {MAX_NESTING} deep")
        elif entries:
            [(word, (_, value))] = entries.items()
            return self._read_combined(word, value, depth + 1)
        return None

    def _read_text(self, node: Node, what: str) -> Condition | None:
        condition = read_phrase_text(
            self.source, node, what, lambda text: parse_condition(text, self.vocabulary)
        )
        self._phrases += 1 if condition is None else sum(not part.parts for part in condition)
        if self._phrases > MAX_PHRASES:
            self.source.fault(node, f"a flag has at most {MAX_PHRASES} phrases")
            return None
        return condition

    def _read_combined(self, word: str, node: Node, depth: int) -> Condition | None:
        if word == "not":
            negated = self.read(node, "what `not` negates", depth)
            return Not(negated) if negated else None
        items = node.value if isinstance(node, SequenceNode) else []
        if not items and not self.source.damaged:
            self.source.fault(node, f"`{word}` needs a list of phrases, each after a `-`")
        conditions = [self.read(item, f"a phrase of `{word}`", depth) for item in items]
        parts = tuple(condition for condition in conditions if condition is not None)
        if not parts or len(parts) < len(items):
            return None
        if len(parts) == 1:
            return parts[0]
        return AllOf(parts) if word == "all" else AnyOf(parts)
