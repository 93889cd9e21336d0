"""Reads the phrases of a rule file from its nodes: texts, and `all`, `any` and `not` over them."""

from collections.abc import Callable
from typing import TypeVar

from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from rules.amounts import Amount, Change
from rules.conditions import Condition
from rules.counting import Absence, Count, Distinct, Never, Share
from rules.misreadings import PhraseError
from rules.phrase_tree import Vocabulary
from rules.phrases import parse_condition
from rules.source import Source
from rules.together import AllOf, AnyOf, Not

MOST_NESTED = 20

T = TypeVar("T")


def read_phrase_text(source: Source, node: Node, what: str, parse: Callable[[str], T]) -> T | None:
    """What a parser makes of a text; a fault at its place where it is misread."""
    text = source.text(node, what)
    if text is None:
        return None
    try:
        return parse(text)
    except PhraseError as error:
        source.fault(node, error.message, offset=error.offset)
        return None


def counts_events(condition: Condition) -> bool:
    """Whether any phrase of it is about events."""
    kinds = (Count, Absence, Distinct, Share, Never, Amount, Change)
    return any(isinstance(part, kinds) for part in condition)


class PhraseReader:
    """Reads the phrases of one flag."""

    def __init__(self, source: Source, vocabulary: Vocabulary) -> None:
        self.source = source
        self.vocabulary = vocabulary

    def read(self, node: Node, what: str, depth: int = 0) -> Condition | None:
        """A phrase, or a mapping with one of `all`, `any` and `not`; None after a fault."""
        if not isinstance(node, MappingNode):
            return read_phrase_text(
                self.source, node, what, lambda text: parse_condition(text, self.vocabulary)
            )
        entries = self.source.mapping(node, what, ("all", "any", "not"))
        if len(entries) != 1 or depth == MOST_NESTED:
            if len(entries) > 1:
                self.source.fault(node, f"{what} must be one of `all`, `any` and `not`")
            elif entries:
                self.source.fault(node, f"{what} is nested more than {MOST_NESTED} deep")
            return None
        [(word, (_, value))] = entries.items()
        if word == "not":
            negated = self.read(value, "what `not` negates", depth + 1)
            return Not(negated) if negated else None
        items = value.value if isinstance(value, SequenceNode) else []
        if not items and not self.source.torn:
            self.source.fault(value, f"`{word}` needs a list of phrases, each after a `-`")
        read = [self.read(item, f"a phrase of `{word}`", depth + 1) for item in items]
        parts = tuple(part for part in read if part is not None)
        if not parts or len(parts) < len(items):
            return None
        if len(parts) == 1:
            return parts[0]
        return AllOf(parts) if word == "all" else AnyOf(parts)
