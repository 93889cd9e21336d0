"""Sets and removes entries of mappings in a YAML text, and leaves every other character unchanged.

A YAML library that rewrites a file loses some of its formatting: quotes, line breaks, positions of
comments. The text is therefore edited in place, at the positions of its nodes.
"""

import re
from collections.abc import Sequence

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from rules.edits.positions import after_colon, entries_of, entry_end, is_explicit, scalar
from rules.faults import RuleError
from rules.file.source import Source, is_null

_LINE_BREAK = re.compile("\r\n|\r|\n")


class RuleEditError(RuleError):
    """Raised when rules cannot be edited automatically; the message is shown to people."""


def root_of(text: str) -> MappingNode:
    """Return the mapping of a rule file.

    Raises:
        RuleEditError: it is none.
    """
    root = Source(text).root
    if not isinstance(root, MappingNode):
        raise RuleEditError("The rules are not a mapping.")
    return root


def set_entry(
    text: str, mapping: MappingNode, key: str, value: str, *, after: Sequence[str] = ()
) -> str:
    """Return the text with a scalar or a value in braces, as YAML, as an entry of a mapping.

    A new entry follows the last one of `after` that there is, or else all others.
    """
    entries = entries_of(mapping)
    if key not in entries:
        before = [entries[name] for name in after if name in entries]
        return insert_entry(text, mapping, f"{scalar(key)}: {value}", *before[-1:])
    key_node, node = entries[key]
    if is_null(node):
        return replace_null(text, key_node, node, value)
    if isinstance(node, MappingNode | SequenceNode) and not node.flow_style:
        start, end = after_colon(text, key_node), entry_end(text, key_node, node)
        return f"{text[:start]} {value}{text[end:]}"
    return replace_value(text, node, value)


def replace_value(text: str, node: Node, value: str) -> str:
    """Return the text with another value in place of a scalar, or of one in braces."""
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, ScalarNode) and node.style in ("|", ">"):
        end = start + len(text[start:end].rstrip())
    return text[:start] + value + text[end:]


def remove_entry(text: str, mapping: MappingNode, key: str) -> str:
    """Return the text without an entry of a mapping, and without the rest of its lines."""
    pairs = list(mapping.value)
    number = next(n for n, (node, _) in enumerate(pairs) if str(node.value) == key)
    key_node, node = pairs[number]
    start, end = key_node.start_mark.index, entry_end(text, key_node, node)
    following = pairs[number + 1][0].start_mark.index if number + 1 < len(pairs) else None
    if mapping.flow_style:
        if number:
            start = entry_end(text, *pairs[number - 1])
        elif following is not None:
            end = following
        return text[:start] + text[end:]
    line_start = start_of_line(text, start)
    if text[line_start:start].strip():  # the dash of a list
        return text[:start] + text[following or end :]
    return text[:line_start] + text[end_of_line(text, end) :]


def insert_entry(
    text: str, mapping: MappingNode, entry: str, before: tuple[Node, Node] | None = None
) -> str:
    """Return the text with a new entry after another one of a mapping, the last one by default."""
    if not mapping.value:  # only a mapping in braces can be empty
        position = mapping.start_mark.index + 1
        return text[:position] + entry + text[position:]
    end = entry_end(text, *(before or mapping.value[-1]))
    if mapping.flow_style:
        gap = " " if text[end - 1] == ":" else ""
        return f"{text[:end]}{gap}, {entry}{text[end:]}"
    return insert_lines(text, end, " " * mapping.start_mark.column + entry)


def insert_lines(text: str, after: int, *lines: str) -> str:
    """Return the text with lines below the line of a position."""
    if after and text[after - 1] in "\r\n":  # the end of a folded text
        after -= 2 if text[after - 2 : after] == "\r\n" else 1
    next_break = _LINE_BREAK.search(text, after)
    position = next_break.start() if next_break else len(text)
    line_break = line_break_of(text, after)
    return text[:position] + "".join(line_break + line for line in lines) + text[position:]


def replace_null(text: str, key: Node, null: Node, value: str) -> str:
    """Return the text with a value in place of a null."""
    if is_explicit(null):
        return text[: null.start_mark.index] + value + text[null.end_mark.index :]
    position = after_colon(text, key)
    colon = "" if text[position - 1] == ":" else ":"
    return f"{text[:position]}{colon} {value}{text[position:]}"


def line_break_of(text: str, after: int = 0) -> str:
    """Return the line break after a position, or else any one of the text."""
    found = _LINE_BREAK.search(text, after) or _LINE_BREAK.search(text)
    return found.group() if found else "\n"


def start_of_line(text: str, position: int) -> int:
    """Return where the line of a position starts."""
    return max(text.rfind("\n", 0, position), text.rfind("\r", 0, position)) + 1


def end_of_line(text: str, position: int) -> int:
    """Return where the line after that of a position starts."""
    if position and text[position - 1] in "\r\n":  # the end of a folded text
        return position
    found = _LINE_BREAK.search(text, position)
    return found.end() if found else len(text)
