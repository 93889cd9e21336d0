"""Appends and removes items of a list in a YAML text; every other character stays as written."""

from collections.abc import Mapping

from ruamel.yaml.nodes import Node, SequenceNode

from rules.edits.entries import (
    RuleEditError,
    end_of_line,
    insert_lines,
    replace_null,
    root_of,
    start_of_line,
)
from rules.edits.positions import after_colon, entries_of, entry_end, is_explicit
from rules.file.source import is_null

Entries = Mapping[str, str | Mapping[str, str]]
"""The entries of a new item: scalars and values in braces, and mappings of these, as YAML."""


def append_item(text: str, key: str, entries: Entries) -> str:
    """Return the text with a mapping as a new item of the list under a key of the file."""
    root = root_of(text)
    written = entries_of(root)
    if key not in written:
        if root.flow_style:
            end = entry_end(text, *root.value[-1])
            return f"{text[:end]}, {key}: [{_in_braces(entries)}]{text[end:]}"
        end = entry_end(text, *root.value[-1])
        return insert_lines(text, end, "", f"{key}:", *_in_lines(entries, "  "))
    key_node, node = written[key]
    if is_null(node) and not is_explicit(node) and not root.flow_style:
        indent = " " * (key_node.start_mark.column + 2)
        return insert_lines(text, after_colon(text, key_node), *_in_lines(entries, indent))
    if is_null(node):
        return replace_null(text, key_node, node, f"[{_in_braces(entries)}]")
    if not isinstance(node, SequenceNode):
        raise RuleEditError(f"`{key}` is not a list.")
    return _append_to(text, node, entries)


def _append_to(text: str, items: SequenceNode, entries: Entries) -> str:
    if items.flow_style:
        return append_in_brackets(text, items, _in_braces(entries))
    last = items.value[-1]
    indent = " " * items.start_mark.column
    apart = len(items.value) < 2 or not _line_before(text, _start(text, last)).strip()
    lines = _in_lines(entries, indent)
    return insert_lines(text, entry_end(text, last, last), *([""] if apart else []), *lines)


def append_in_brackets(text: str, items: SequenceNode, item: str) -> str:
    """Return the text with a new last item, as YAML, of a list in brackets."""
    last = items.value[-1].end_mark.index if items.value else items.start_mark.index + 1
    comma = ", " if items.value else ""
    return f"{text[:last]}{comma}{item}{text[last:]}"


def remove_item(text: str, key: str, number: int) -> str:
    """Return the text without an item of the list under a key, and without the comment above it.

    The empty line before it is removed too.
    """
    items = entries_of(root_of(text))[key][1]
    if not isinstance(items, SequenceNode):
        raise RuleEditError(f"`{key}` is not a list.")
    item = items.value[number]
    if items.flow_style:
        start, end = item.start_mark.index, item.end_mark.index
        if number:
            start = items.value[number - 1].end_mark.index
        elif len(items.value) > 1:
            end = items.value[1].start_mark.index
        return text[:start] + text[end:]
    start = _start(text, item)
    if start and not _line_before(text, start).strip():
        start -= len(_line_before(text, start))
    return text[:start] + text[end_of_line(text, entry_end(text, item, item)) :]


def _start(text: str, item: Node) -> int:
    """Return where the lines of an item start, with the comment above it."""
    start = start_of_line(text, item.start_mark.index)
    while _line_before(text, start).lstrip().startswith("#"):
        start -= len(_line_before(text, start))
    return start


def _line_before(text: str, position: int) -> str:
    """Return the line that ends at a position, with its line break."""
    if text[:position].endswith("\r\n"):
        return text[start_of_line(text, position - 2) : position]
    return text[start_of_line(text, max(position - 1, 0)) : position]


def _in_lines(entries: Entries, indent: str) -> list[str]:
    lines = []
    for key, value in entries.items():
        if isinstance(value, str):
            lines.append(f"{key}: {value}")
        else:
            lines.append(f"{key}:")
            lines += (f"  {name}: {inner}" for name, inner in value.items())
    return [f"{indent}{'  ' if number else '- '}{line}" for number, line in enumerate(lines)]


def _in_braces(entries: Entries) -> str:
    values = (
        f"{key}: {value if isinstance(value, str) else _in_braces(value)}"
        for key, value in entries.items()
    )
    return f"{{{', '.join(values)}}}"
