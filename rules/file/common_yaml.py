"""Reads most rule files with libyaml, in an eighth of the time that `ruamel.yaml` takes.

A text gives exactly the nodes that `ruamel.yaml` gives, positions included, or none. What the two
could read otherwise is left to `ruamel.yaml`: texts with faults, whose messages people see; tags,
anchors, aliases, directives, block scalars, values that are left out, and several documents; tabs,
and line breaks other than line feeds. So are texts beyond the bounds.
"""

import re
from typing import Any

import yaml
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.resolver import VersionedResolver

from rules.file.bounds import DEEPEST, MOST_NODES

_RARE_CHARACTERS = re.compile("[\t\r\x85\u2028\u2029\ufeff]")


class _Uncommon(Exception):
    """Raised at what is left to `ruamel.yaml`."""


def compose_common(text: str) -> Node | None:
    """Return the root node of a text; None if it is left to `ruamel.yaml`."""
    if not yaml.__with_libyaml__ or _RARE_CHARACTERS.search(text) or not text.endswith("\n"):
        return None
    try:
        return _Composer(text).root()
    except (yaml.YAMLError, UnicodeError, _Uncommon):
        return None


class _Composer:
    """Makes the nodes of a text from the events of libyaml."""

    def __init__(self, text: str) -> None:
        self._events = yaml.parse(text, Loader=yaml.CSafeLoader)
        self._resolver = VersionedResolver()
        self._nodes = 0

    def root(self) -> Node:
        """Return the root of the only document."""
        self._expect(yaml.StreamStartEvent)
        start = self._expect(yaml.DocumentStartEvent)
        if start.version or start.tags:
            raise _Uncommon
        root = self._node(next(self._events), 1)
        self._expect(yaml.DocumentEndEvent)
        self._expect(yaml.StreamEndEvent)
        return root

    def _expect(self, kind: type[yaml.Event]) -> Any:
        event = next(self._events)
        if not isinstance(event, kind):
            raise _Uncommon
        return event

    def _node(self, event: Any, depth: int) -> Node:
        """Return the node that begins with an event."""
        self._nodes += 1
        if self._nodes == MOST_NODES or depth == DEEPEST or event.anchor or event.tag:
            raise _Uncommon
        value: list[Any] = []
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
                value.append(self._node(item, depth + 1))
            return self._collection(SequenceNode, event, value, item)
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            pair = self._node(key, depth + 1), self._node(next(self._events), depth + 1)
            value.append(pair)
        return self._collection(MappingNode, event, value, key)

    def _scalar(self, event: Any) -> ScalarNode:
        is_left_out = not event.value and not event.style
        if is_left_out or event.style in ("|", ">"):
            raise _Uncommon
        tag = self._resolver.resolve(ScalarNode, event.value, event.implicit)
        return ScalarNode(tag, event.value, event.start_mark, event.end_mark, style=event.style)

    def _collection(
        self, kind: type[CollectionNode], start: Any, value: list[Any], end: Any
    ) -> CollectionNode:
        tag = self._resolver.resolve(kind, None, start.implicit)
        return kind(tag, value, start.start_mark, end.end_mark, flow_style=start.flow_style)
