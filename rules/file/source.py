"""A YAML text as nodes with positions; reading it collects faults and warnings."""

from collections.abc import Collection
from copy import copy
from functools import lru_cache
from typing import Any

from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from rules.faults import Fault, RuleError, hide_urls, split_lines, suggest
from rules.file.bounds import OutOfBounds, compose_bounded
from rules.file.common_yaml import compose_common
from rules.file.yaml_errors import NO_BREAK_SPACE_ADVICE, TAB_ADVICE, UNCLOSED_QUOTE, syntax_fault
from rules.one_line import invisible_in

LARGEST_FILE = 200_000
"""Characters; a rule file is written by people."""

_KINDS: dict[type[Node], str] = {
    MappingNode: "a mapping (`name: value` lines)",
    SequenceNode: "a list",
}
CACHED_NODES = 32
"""Texts whose nodes are kept, some hundred bytes for each name and value."""

MAX_SKIPPED_LINES = 20
"""How many lines that are not valid YAML are skipped in search of further faults."""

MOST_READ_AGAIN = 40_000
"""Characters, about: after each skipped line, the whole file is read again."""

MOST_FAULTS = 50
"""With this many faults, reading ends: each costs time, and one page shows no more."""

TOO_MANY_FAULTS = f"reading ends here, after {MOST_FAULTS} faults; correct these first"


class TooManyFaults(RuleError):
    """Raised when a text has so many faults that its rest is not read."""


class Source:
    """One YAML text, its root node, and the faults and warnings found in it so far.

    If the text is not valid YAML, the readable rest is still read, so that other faults are
    reported too. `damaged` is set then, since things may seem to be missing.
    """

    def __init__(self, text: str, *, first_line: str = "version: 1") -> None:
        """`first_line` is suggested as the start of an empty file."""
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self.root: Node | None = None
        self.damaged = False
        if len(text) > LARGEST_FILE:
            self.faults.append(Fault(1, 1, f"the file is larger than {LARGEST_FILE:,} characters"))
            return
        self._lines = split_lines(text)
        try:
            fault = self._compose(text)
            if fault is not None:
                self._skip_invalid_lines(fault)
        except OutOfBounds as error:
            self.root = None
            self.faults.append(Fault(error.mark.line + 1, error.mark.column + 1, error.problem))
        if self.root is None and not self.faults:
            self.faults.append(Fault(1, 1, f"the file is empty; start with `{first_line}`"))

    def _skip_invalid_lines(self, fault: Fault | None) -> None:
        """Skip lines that are not valid YAML, one at a time, and read the rest."""
        lines = _indent_with_spaces(self._lines, self.faults)
        if self.faults:
            self.damaged = True
            fault = self._compose("\n".join(lines))
        for _ in range(_max_skipped_lines(sum(map(len, lines)))):
            if fault is None:
                return
            if not self.damaged or fault.message == UNCLOSED_QUOTE:  # others may be consequences
                self.faults.append(fault)
            self.damaged = True
            if not 0 < fault.line <= len(lines) or not lines[fault.line - 1]:
                return
            lines[fault.line - 1] = _stub(lines[fault.line - 1])
            fault = self._compose("\n".join(lines))

    def _compose(self, text: str) -> Fault | None:
        """Read the text as YAML; return its first syntax fault."""
        try:
            self.root = _nodes_of(text)
        except OutOfBounds:
            raise
        except MarkedYAMLError as error:
            return syntax_fault(error)
        except Exception as error:  # noqa: BLE001 -- the parser raises undocumented exceptions
            if "special characters are not allowed" in str(error):
                return Fault(1, 1, "this is not plain text; save the file as text, in UTF-8")
            first_line = next(iter(str(error).strip().splitlines()), "unreadable")
            return Fault(1, 1, f"this is not readable as YAML: {first_line}")
        return None

    def fault(self, node: Node, message: str, *, offset: int = 0) -> None:
        """Record a fault at a node, `offset` characters into a scalar on one line.

        Raises:
            TooManyFaults: the text has as many faults as are reported.
        """
        mark = node.start_mark
        column = mark.column + 1
        if offset and isinstance(node, ScalarNode) and mark.line == node.end_mark.line:
            column += offset + (node.style in ("'", '"'))
        self.faults.append(Fault(mark.line + 1, column, _shown(message)))
        if len(self.faults) >= MOST_FAULTS:
            self.faults.append(Fault(mark.line + 1, column, TOO_MANY_FAULTS))
            raise TooManyFaults(TOO_MANY_FAULTS)

    def warn(self, node: Node, message: str) -> None:
        """Record a warning at a node: valid, but certainly not intended."""
        mark = node.start_mark
        self.warnings.append(Fault(mark.line + 1, mark.column + 1, _shown(message)))

    def mapping(
        self,
        node: Node,
        what: str,
        allowed: Collection[str] | None = None,
        required: Collection[str] = (),
    ) -> dict[str, tuple[Node, Node]]:
        """Return the entries of a mapping by key, each as the nodes of the key and the value.

        Duplicate keys, keys not in `allowed` and missing `required` keys are recorded as faults. A
        node of another kind is one fault and has no entries.
        """
        if not isinstance(node, MappingNode):
            self.fault(node, f"{what} must be a mapping (`name: value` lines), not {kind_of(node)}")
            return {}
        entries: dict[str, tuple[Node, Node]] = {}
        for key_node, value in node.value:
            key = self.text(key_node, f"a name in {what}")
            if key is None:
                continue
            value_node = _beside(key_node, value)
            if key in entries and self.damaged:
                continue
            if key in entries:
                first = entries[key][0].start_mark.line + 1
                self.fault(key_node, f"`{key}` appears twice in {what}, first on line {first}")
            elif allowed is not None and key not in allowed:
                hint = suggest(key, allowed)
                self.fault(key_node, f"`{key}` is not known in {what}{hint}")
            else:
                entries[key] = (key_node, value_node)
        for key in required:
            if key not in entries and not self.damaged:
                self.fault(node, f"{what} lacks `{key}`")
        return entries

    def items(self, node: Node, what: str) -> list[Node]:
        """Return the nodes of a list; a node of another kind is a fault and has no items."""
        if isinstance(node, SequenceNode):
            return list(node.value)
        self.fault(node, f"{what} must be a list, not {kind_of(node)}")
        return []

    def text(self, node: Node, what: str) -> str | None:
        """Return a non-empty text; numbers and other scalars are returned as written."""
        if not isinstance(node, ScalarNode):
            self.fault(node, f"{what} must be a text, not {kind_of(node)}")
            return None
        if not str(node.value).strip() or is_null(node):
            mark = node.start_mark
            comment = "#" in "".join(self._lines[mark.line : mark.line + 1])[mark.column :]
            advice = (
                "; what follows ` #` is a comment, so put the text in quotes" if comment else ""
            )
            self.fault(node, f"{what} must not be empty{advice}")
            return None
        return self._require_storable(node, what)

    def boolean(self, node: Node, what: str) -> bool | None:
        """Return a boolean, None after a fault."""
        value = self.scalar(node, what)
        if isinstance(value, bool):
            return value
        if value is not None:
            self.fault(node, f"{what} must be `true` or `false`, not `{node.value}`")
        return None

    def scalar(self, node: Node, what: str) -> Any:
        """Return a text, number, boolean or null, as YAML 1.2 defines them."""
        if not isinstance(node, ScalarNode):
            self.fault(node, f"{what} must be a single value, not {kind_of(node)}")
            return None
        tag, text = str(node.tag), str(node.value)
        try:
            if tag.endswith(":int"):
                return int(text.replace("_", ""), 0)
            if tag.endswith(":float"):
                return float(text)
        except ValueError:
            return text
        if tag.endswith(":bool"):
            return text.lower() in ("true", "yes", "on", "y")  # the last three in YAML 1.1
        return None if is_null(node) else self._require_storable(node, what)

    def _require_storable(self, node: ScalarNode, what: str) -> str | None:
        """Return the text, unless it has characters that JSON or the database cannot store."""
        text = str(node.value)
        if node.style == ">":
            text = text.replace("\a", "")  # where the library found a line break to fold
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            self.fault(node, f"{what} has a character that cannot be stored; leave out the `\\`")
            return None
        return text


@lru_cache(CACHED_NODES)
def _nodes_of(text: str) -> Node | None:
    """Read a text as YAML.

    The nodes are kept, and must not be changed: a text is checked, and edited at its nodes.

    Raises:
        MarkedYAMLError: it is no YAML.
    """
    return compose_common(text) or compose_bounded(text)


def _beside(key: Node, value: Node) -> Node:
    """Return the value of a key; one that is left out is at its key, not at the next token."""
    if not is_null(value) or value.value:
        return value
    moved = copy(value)
    moved.start_mark = key.end_mark
    return moved


def is_null(node: Node) -> bool:
    """Return whether a node is null, such as the value of `login:`."""
    return isinstance(node, ScalarNode) and str(node.tag).endswith(":null")


def kind_of(node: Node) -> str:
    """Return the kind of a node in words."""
    if is_null(node):
        return "empty"
    return _KINDS.get(type(node), f"`{node.value}`")


def _shown(message: str) -> str:
    """Return a message without secrets of URLs, and without lone surrogates, which UTF-8 lacks."""
    return hide_urls(message.encode(errors="replace").decode())


def _stub(line: str) -> str:
    """Return what replaces a skipped line: its list dashes, so that list items stay list items."""
    dashes = line[: len(line) - len(line.lstrip(" -"))].rstrip()
    return dashes if dashes != line and not dashes.endswith("--") else ""


def _max_skipped_lines(characters: int) -> int:
    """Return how many lines of a text to skip."""
    return min(MAX_SKIPPED_LINES, 1 + MOST_READ_AGAIN // (1 + characters))


def _indent_with_spaces(lines: list[str], faults: list[Fault]) -> list[str]:
    """Replace other indentation by spaces, recording each occurrence as a fault."""
    lines = list(lines)
    for number, line in enumerate(lines):
        content = line.lstrip()
        indentation = line[: len(line) - len(content)]
        invalid = indentation.strip(" ")
        if not invalid or not content or len(faults) >= MOST_FAULTS:
            continue
        advice = NO_BREAK_SPACE_ADVICE if invalid[0] == "\xa0" else TAB_ADVICE
        faults.append(Fault(number + 1, indentation.index(invalid[0]) + 1, advice))
        lines[number] = indentation.replace("\t", "  ").replace("\xa0", " ") + content
    return lines


LONGEST_NAME = 200
"""Characters; the same bound as for event keys in `POST /v1/track`."""


def read_name(source: Source, node: Node, what: str) -> str | None:
    """Read a name on one line; anything else is a fault."""
    name = source.text(node, what)
    if name is None:
        return None
    if len(name) > LONGEST_NAME or "\n" in name:
        source.fault(node, f"{what} must be at most {LONGEST_NAME} characters on one line")
        return None
    if hidden := invisible_in(name):
        source.fault(node, f"{what} must not have invisible characters, such as {hidden} here")
        return None
    return name
