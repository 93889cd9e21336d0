"""A YAML text as nodes that know where they stand; reading it collects faults."""

import warnings
from collections.abc import Collection
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from rules.faults import Fault, did_you_mean, list_names, split_lines
from rules.file.yaml_errors import NO_BREAK_SPACE_CURE, TAB_CURE, UNCLOSED_QUOTE, syntax_fault

LARGEST_FILE = 200_000
"""Characters; a rule file is written by people."""

_KINDS: dict[type[Node], str] = {
    MappingNode: "a mapping (`name: value` lines)",
    SequenceNode: "a list",
}
MAX_DAMAGED_LINES = 20
"""How many lines that are no YAML are passed over in search of further faults."""


class Source:
    """One YAML text, its root node, and the faults and doubts found in it so far.

    Where the text is no YAML, what can be read around the fault is read all the same, so that
    its other faults are told too; `torn` says so, since things may then seem to be missing.
    """

    def __init__(self, text: str, *, first_line: str = "version: 1") -> None:
        """`first_line` is what an empty file is told to start with."""
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self.root: Node | None = None
        self.damaged = False
        if len(text) > LARGEST_FILE:
            self.faults.append(Fault(1, 1, f"the file is larger than {LARGEST_FILE:,} characters"))
            return
        self._lines = split_lines(text)
        fault = self._compose(text)
        if fault is not None:
            self._read_around(fault)
        if self.root is None and not self.faults:
            self.faults.append(Fault(1, 1, f"the file is empty; start with `{first_line}`"))

    def _read_around(self, fault: Fault | None) -> None:
        """Pass over what is no YAML, line by line, and read the rest."""
        lines = _indented_by_spaces(self._lines, self.faults)
        if self.faults:
            self.damaged = True
            fault = self._compose("\n".join(lines))
        for _ in range(_most_tears(lines)):
            if fault is None:
                return
            if not self.damaged or fault.message == UNCLOSED_QUOTE:  # others may come of the tear
                self.faults.append(fault)
            self.damaged = True
            if not 0 < fault.line <= len(lines) or not lines[fault.line - 1]:
                return
            lines[fault.line - 1] = _stub(lines[fault.line - 1])
            fault = self._compose("\n".join(lines))

    def _compose(self, text: str) -> Fault | None:
        """Read the text as YAML; the first fault of its syntax."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ReusedAnchorWarning)
                self.root = YAML(typ="rt", pure=True).compose(text)
        except MarkedYAMLError as error:
            return syntax_fault(error)
        except RecursionError:
            return Fault(1, 1, "this is nested too deep to be read")
        except Exception as error:  # noqa: BLE001 -- the parser stumbles in ways of its own
            if "special characters are not allowed" in str(error):
                return Fault(1, 1, "this is not plain text; save the file as text, in UTF-8")
            first_line = next(iter(str(error).strip().splitlines()), "unreadable")
            return Fault(1, 1, f"this is not readable as YAML: {first_line}")
        return None

    def fault(self, node: Node, message: str, *, offset: int = 0) -> None:
        """Record a fault at a node, `offset` characters into a scalar that stands on one line."""
        mark = node.start_mark
        column = mark.column + 1
        if offset and isinstance(node, ScalarNode) and mark.line == node.end_mark.line:
            column += offset + (node.style in ("'", '"'))
        self.faults.append(Fault(mark.line + 1, column, message))

    def warn(self, node: Node, message: str) -> None:
        """Record what is legal at a node but surely not meant."""
        self.warnings.append(Fault(node.start_mark.line + 1, node.start_mark.column + 1, message))

    def mapping(
        self,
        node: Node,
        what: str,
        known: Collection[str] | None = None,
        required: Collection[str] = (),
    ) -> dict[str, tuple[Node, Node]]:
        """The entries of a mapping by key: the key's node and the value's.

        A key that stands twice, one that is not `known`, and a `required` one that is missing
        are faults; a node of another kind is one fault and no entries.
        """
        if not isinstance(node, MappingNode):
            self.fault(node, f"{what} must be a mapping (`name: value` lines), not {kind_of(node)}")
            return {}
        entries: dict[str, tuple[Node, Node]] = {}
        for key_node, value_node in node.value:
            key = self.text(key_node, f"a name in {what}")
            if key is None:
                continue
            if is_null(value_node) and not value_node.value:
                value_node.start_mark = key_node.end_mark  # not where the next thing stands
            if key in entries and self.damaged:
                continue
            if key in entries:
                first = entries[key][0].start_mark.line + 1
                self.fault(key_node, f"`{key}` stands twice in {what}, first in line {first}")
            elif known is not None and key not in known:
                hint = did_you_mean(key, known) or f"; known are {list_names(known)}"
                self.fault(key_node, f"`{key}` is not known in {what}{hint}")
            else:
                entries[key] = (key_node, value_node)
        for key in required:
            if key not in entries and not self.damaged:
                self.fault(node, f"{what} lacks `{key}`")
        return entries

    def items(self, node: Node, what: str) -> list[Node]:
        """The nodes of a list; a node of another kind is a fault and no items."""
        if isinstance(node, SequenceNode):
            return list(node.value)
        self.fault(node, f"{what} must be a list, not {kind_of(node)}")
        return []

    def text(self, node: Node, what: str) -> str | None:
        """A non-empty text; numbers and the like are taken as they are written."""
        if not isinstance(node, ScalarNode):
            self.fault(node, f"{what} must be a text, not {kind_of(node)}")
            return None
        if not str(node.value).strip() or is_null(node):
            mark = node.start_mark
            comment = "#" in "".join(self._lines[mark.line : mark.line + 1])[mark.column :]
            cure = "; what follows ` #` is a comment, so put the text in quotes" if comment else ""
            self.fault(node, f"{what} must not be empty{cure}")
            return None
        return self._storable(node, what)

    def boolean(self, node: Node, what: str) -> bool | None:
        """`true` or `false`."""
        value = self.scalar(node, what)
        if isinstance(value, bool):
            return value
        if value is not None:
            self.fault(node, f"{what} must be `true` or `false`, not `{node.value}`")
        return None

    def scalar(self, node: Node, what: str) -> Any:
        """A text, number, truth value or null, as YAML 1.2 reads it."""
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
        return None if is_null(node) else self._storable(node, what)

    def _storable(self, node: ScalarNode, what: str) -> str | None:
        """The text, unless it has characters that JSON or the database cannot carry."""
        text = str(node.value)
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            self.fault(node, f"{what} has a character that cannot be stored; leave out the `\\`")
            return None
        return text


def is_null(node: Node) -> bool:
    """Whether nothing stands there, as after `login:`."""
    return isinstance(node, ScalarNode) and str(node.tag).endswith(":null")


def kind_of(node: Node) -> str:
    """What a node is, in words."""
    if is_null(node):
        return "empty"
    return _KINDS.get(type(node), f"`{node.value}`")


def _stub(line: str) -> str:
    """What stays of a line that is passed over: the dashes of a list, that its items stay items."""
    dashes = line[: len(line) - len(line.lstrip(" -"))].rstrip()
    return dashes if dashes != line and not dashes.endswith("--") else ""


def _most_tears(lines: list[str]) -> int:
    """How many lines to pass over: each costs reading the whole file anew."""
    return min(MAX_DAMAGED_LINES, 1 + 20_000 // (1 + len(lines)))


def _indented_by_spaces(lines: list[str], faults: list[Fault]) -> list[str]:
    """The lines, with spaces where something else indents; each of those is a fault."""
    lines = list(lines)
    for number, line in enumerate(lines):
        content = line.lstrip()
        indentation = line[: len(line) - len(content)]
        strange = indentation.strip(" ")
        if not strange or not content:
            continue
        cure = NO_BREAK_SPACE_CURE if strange[0] == "\xa0" else TAB_CURE
        faults.append(Fault(number + 1, indentation.index(strange[0]) + 1, cure))
        lines[number] = indentation.replace("\t", "  ").replace("\xa0", " ") + content
    return lines


LONGEST_NAME = 200
"""Characters, the same bound that `POST /v1/track` sets for event keys."""


def read_name(source: Source, node: Node, what: str) -> str | None:
    """A name of one line; anything else is a fault."""
    name = source.text(node, what)
    if name is None:
        return None
    if len(name) > LONGEST_NAME or not name.isprintable():
        source.fault(node, f"{what} must be at most {LONGEST_NAME} characters on one line")
        return None
    return name
