"""Where the parts of a rule file are in its text, for edits that leave the rest as written."""

import json
import re
from collections.abc import Mapping

from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from rules.file.source import is_null

_COLON = re.compile(r"\s*:")
_PLAIN = re.compile(r"([0-9]+ )?[^\W\d_][\w-]*([ .][\w%-]+)*")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?")
_NOT_TEXTS = ("true", "false", "yes", "no", "on", "off", "y", "n", "null")


def entry_end(text: str, key: Node, value: Node) -> int:
    """Return where an entry ends; the end mark of a block is at the start of what follows."""
    while isinstance(value, MappingNode) and not value.flow_style and value.value:
        key, value = value.value[-1]
    if is_null(value) and not is_explicit(value):
        return after_colon(text, key)
    if isinstance(value, SequenceNode) and not value.flow_style and value.value:
        return entry_end(text, value.value[-1], value.value[-1])
    return max(after_colon(text, key), int(value.end_mark.index))


def after_colon(text: str, key: Node) -> int:
    """Return where the colon after a key ends; the end of the key if it has none."""
    end = int(key.end_mark.index)
    colon = _COLON.match(text, end)
    return colon.end() if colon else end


def is_explicit(null: Node) -> bool:
    """Return whether a null is written out, as `null` or `~`."""
    return bool(null.value)


def entries_of(node: Node) -> Mapping[str, tuple[Node, Node]]:
    """Return the entries of a mapping by key, in a text without faults."""
    return {str(key.value): (key, value) for key, value in node.value}


def scalar(text: str) -> str:
    """Return a text as a YAML scalar, quoted if necessary."""
    if _PLAIN.fullmatch(text) and text.casefold() not in _NOT_TEXTS:
        return text
    return json.dumps(text, ensure_ascii=False)


def scalar_of_value(text: str) -> str:
    """Return a value as a YAML scalar: a number or a boolean if it looks like one, else a text."""
    return text if _NUMBER.fullmatch(text) or text in ("true", "false") else scalar(text)
