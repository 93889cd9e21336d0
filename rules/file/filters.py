"""Reads `where` and `applies_to`: the values required in an event's data or a company's fields."""

from typing import Any

from ruamel.yaml.nodes import Node, SequenceNode

from rules.facts import Path
from rules.file.source import Source

LARGEST_INTEGER = 2**53 - 1
"""The largest integer that every JSON client represents exactly (RFC 8259, section 6)."""

_COMPANY_ADVICE = "is not a field of the company; write for example `company.plan`"

Filters = tuple[tuple[Path, tuple[Any, ...]], ...]
"""Pairs of a path and the values accepted at that path."""


def read_where(source: Source, node: Node) -> Filters:
    """Read filters on an event's `data`; paths are relative to it."""
    advice = "is not in the event's `data`; write for example `data.source`"
    return _read(source, node, "where", "data", advice)


def read_applies_to(source: Source, node: Node) -> Filters:
    """Read filters on a company's fields; paths are relative to `company`."""
    return _read(source, node, "applies_to", "company", _COMPANY_ADVICE)


def read_company_where(source: Source, node: Node) -> Filters:
    """Read filters on a company's fields under the name `where`, as `read_applies_to` does."""
    return _read(source, node, "where", "company", _COMPANY_ADVICE)


def _read(source: Source, node: Node, key: str, root: str, advice: str) -> Filters:
    filters = []
    for field, (key_node, value) in source.mapping(node, f"`{key}`").items():
        first, *path = field.split(".")
        if first != root or not path or not all(path):
            source.fault(key_node, f"`{field}` {advice}")
            continue
        filters.append((tuple(path), _read_values(source, value, field)))
    return tuple(filters)


def _read_values(source: Source, node: Node, field: str) -> tuple[Any, ...]:
    what = f"the value of `{field}`"
    if not isinstance(node, SequenceNode):
        return (_read_value(source, node, what),)
    if not node.value:
        source.fault(node, f"the list of `{field}` is empty, so nothing would match")
    return tuple(_read_value(source, item, what) for item in node.value)


def _read_value(source: Source, node: Node, what: str) -> Any:
    value = source.scalar(node, what)
    if isinstance(value, int | float) and not abs(value) <= LARGEST_INTEGER:
        source.fault(node, f"{what} is too large; a number goes up to {LARGEST_INTEGER}")
        return None
    return value
