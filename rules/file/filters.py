"""Reads `where` and `applies_to`: the values that must stand in an event or a company."""

from typing import Any

from ruamel.yaml.nodes import Node, SequenceNode

from rules.facts import Path
from rules.file.source import Source

LARGEST_INTEGER = 2**53 - 1
"""The largest that JSON carries exactly from every client (RFC 8259, section 6)."""

Filters = tuple[tuple[Path, tuple[Any, ...]], ...]
"""Pairs of a path and the values of which one must stand there."""


def read_where(source: Source, node: Node) -> Filters:
    """Values of an event's `data`, by paths below it."""
    cure = "is not in the event's `data`; write for example `data.source`"
    return _read(source, node, "where", "data", cure)


def read_applies_to(source: Source, node: Node) -> Filters:
    """Values of a company's fields, by paths below `company`."""
    cure = "is not a field of the company; write for example `company.plan`"
    return _read(source, node, "applies_to", "company", cure)


def _read(source: Source, node: Node, key: str, root: str, cure: str) -> Filters:
    filters = []
    for field, (key_node, value) in source.mapping(node, f"`{key}`").items():
        first, *path = field.split(".")
        if first != root or not path or not all(path):
            source.fault(key_node, f"`{field}` {cure}")
            continue
        filters.append((tuple(path), _wanted_values(source, value, field)))
    return tuple(filters)


def _wanted_values(source: Source, node: Node, field: str) -> tuple[Any, ...]:
    what = f"the value of `{field}`"
    if not isinstance(node, SequenceNode):
        return (_wanted_value(source, node, what),)
    if not node.value:
        source.fault(node, f"the list of `{field}` is empty, so nothing would match")
    return tuple(_wanted_value(source, item, what) for item in node.value)


def _wanted_value(source: Source, node: Node, what: str) -> Any:
    value = source.scalar(node, what)
    if isinstance(value, int | float) and not abs(value) <= LARGEST_INTEGER:
        source.fault(node, f"{what} is too large; a number goes up to {LARGEST_INTEGER}")
        return None
    return value
