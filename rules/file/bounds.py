"""Bounds a YAML text while it is read: its depth, and its nodes with those that aliases repeat.

Nodes are made from events, events from tokens, and each is made only when the next step asks for
it. So a text beyond the bounds is refused before its nodes exist. The scanner needs a bound of its
own: after `[`, it reads ahead as far as a key may reach, at a cost that grows with the depth.
"""

import warnings
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, StringMark
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    NodeEvent,
    ScalarEvent,
)
from ruamel.yaml.nodes import Node
from ruamel.yaml.parser import RoundTripParser
from ruamel.yaml.scanner import Scanner

DEEPEST = 64
"""Collections within each other. Phrases and values may be nested 20 deep, with two collections for
each `all` or `any`, in a list of flags or tests."""

MOST_NODES = 10_000
"""A flag needs about 20; reading takes some 40 microseconds for each."""

MOST_CHARACTERS = 200_000
"""In all texts; without aliases, the size of a file bounds them."""

TOO_DEEP = f"this is nested more than {DEEPEST} deep"
TOO_MUCH = f"a file has at most {MOST_NODES:,} names and values, counting what `*` repeats"
CIRCLE = "what starts with `*` is a part of itself here"


class OutOfBounds(MarkedYAMLError):
    """Raised when a text is beyond the bounds; `problem` is a sentence for people."""

    def __init__(self, problem: str, mark: StringMark) -> None:
        super().__init__(None, None, problem, mark)
        self.problem: str = problem
        self.mark = mark


def compose_bounded(text: str) -> Node | None:
    """Return the root node of a text, None if it is empty.

    Raises:
        OutOfBounds: it is beyond the bounds.
        MarkedYAMLError: it is no YAML.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReusedAnchorWarning)
        yaml = YAML(typ="rt", pure=True)
        yaml.Scanner, yaml.Parser = _BoundedScanner, _BoundedParser
        root: Node | None = yaml.compose(text)
        return root


class _BoundedScanner(Scanner):
    """A scanner that refuses deep nesting. It skips comments, which edits find in the text."""

    def add_indent(self, column: int) -> bool:
        """Begin a block, unless it is too deep."""
        self._check_depth()
        return super().add_indent(column)

    def fetch_flow_collection_start(self, token_class: Any, to_push: str) -> None:
        """Begin a list or mapping in brackets, unless it is too deep."""
        self._check_depth()
        super().fetch_flow_collection_start(token_class, to_push)

    def _check_depth(self) -> None:
        if len(self.indents) + len(self.flow_context) > DEEPEST:
            raise OutOfBounds(TOO_DEEP, self.reader.get_mark())


@dataclass
class _Extent:
    """What a part of a text consists of: nodes, characters of scalars, and levels of nodes."""

    nodes: int
    characters: int
    levels: int

    def add(self, part: "_Extent") -> None:
        self.nodes += part.nodes
        self.characters += part.characters
        self.levels = max(self.levels, 1 + part.levels)


class _BoundedParser(RoundTripParser):
    """A parser that counts nodes and characters, each alias as what it repeats."""

    def __init__(self, loader: Any) -> None:
        super().__init__(loader=loader)
        self._text = _Extent(0, 0, 0)
        self._open: list[tuple[str | None, _Extent]] = []
        self._anchored: dict[str, _Extent | None] = {}
        """By anchor; None while its node is open."""

    def get_event(self) -> Any:
        """Return the next event, unless the text is out of bounds with it.

        Raises:
            OutOfBounds: it is.
        """
        event = super().get_event()
        if isinstance(event, CollectionStartEvent):
            self._count(_Extent(1, 0, 1), event)
            self._open.append((event.anchor, _Extent(1, 0, 1)))
            if event.anchor:
                self._anchored[event.anchor] = None
        elif isinstance(event, CollectionEndEvent):
            self._end(*self._open.pop())
        elif isinstance(event, AliasEvent):
            extent = self._anchored.get(event.anchor, _Extent(1, 0, 1))
            if extent is None:
                raise OutOfBounds(CIRCLE, event.start_mark)
            self._count(extent, event)
            self._end(None, extent)
        elif isinstance(event, ScalarEvent):
            extent = _Extent(1, len(event.value), 1)
            self._count(extent, event)
            self._end(event.anchor, extent)
        return event

    def _count(self, new: _Extent, event: NodeEvent) -> None:
        if len(self._open) + new.levels > DEEPEST:
            raise OutOfBounds(TOO_DEEP, event.start_mark)
        self._text.add(new)
        if self._text.nodes > MOST_NODES or self._text.characters > MOST_CHARACTERS:
            raise OutOfBounds(TOO_MUCH, event.start_mark)

    def _end(self, anchor: str | None, extent: _Extent) -> None:
        if anchor:
            self._anchored[anchor] = extent
        if self._open:
            self._open[-1][1].add(extent)
