"""Changes one event in the text of a rule file, and leaves every other character as it stands.

A YAML library that writes a file anew loses some of what people wrote: quotes, line breaks, where
comments stand. So the text is edited at the place where the event stands, and read again: what
says anything else than was wanted is refused.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace

from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from rules.book import EventSetting, RuleBook
from rules.faults import RuleError
from rules.file.rule_file import check_rules
from rules.file.source import Source, is_null

_LINE_BREAK = re.compile("\r\n|\r|\n")
_COLON = re.compile(r"\s*:")
_PLAIN = re.compile(r"[^\W\d_][\w-]*( [\w-]+)*")
_NOT_TEXTS = ("true", "false", "yes", "no", "on", "off", "y", "n", "null")


class EventEditError(RuleError):
    """Raised when an event stands in a text such that only people can change it."""


def set_enabled(text: str, key: str, *, enabled: bool) -> str:
    """The text with an event switched on or off.

    Raises:
        EditNotPossible: there is no such event, or it is written in an unusual way.
    """
    book = _book(text)
    wanted = replace(_event(book, key), enabled=enabled)
    edited = _with_setting(text, key, "enabled", "true" if enabled else "false")
    return _checked(edited, book, wanted)


def rename(text: str, key: str, name: str) -> str:
    """The text with another name for people of an event.

    Raises:
        EditNotPossible: there is no such event, it is written in an unusual way, or the name
            is none.
    """
    book = _book(text)
    wanted = replace(_event(book, key), name=name)
    return _checked(_with_setting(text, key, "name", _scalar(name)), book, wanted)


def add(text: str, key: str, name: str | None = None) -> str:
    """The text with one event more, the last of them.

    Raises:
        EditNotPossible: there is such an event, the file is written in an unusual way, or the
            key or name is none.
    """
    book = _book(text)
    if key in book.events:
        raise EventEditError(f"`{key}` is configured already.")
    wanted = EventSetting(key, name or key)
    return _checked(_with_event(text, key, name), book, wanted)


def _with_setting(text: str, key: str, setting: str, value: str) -> str:
    key_node, node = _entries(_entries(_root(text))["events"][1])[key]
    if is_null(node):
        return _in_place_of_nothing(text, key_node, node, f"{{{setting}: {value}}}")
    if not isinstance(node, MappingNode):
        raise _unusual(key)
    written = _entries(node)
    if setting in written:
        old = written[setting][1]
        return text[: old.start_mark.index] + value + text[old.end_mark.index :]
    return _with_entry(text, node, f"{setting}: {value}")


def _with_event(text: str, key: str, name: str | None) -> str:
    root = _root(text)
    entries = _entries(root)
    settings = f"{{name: {_scalar(name)}}}" if name else "{}"
    in_flow, in_block = f"{_scalar(key)}: {settings}", f"{_scalar(key)}:"
    if name:
        in_block += f" {settings}"
    if "events" not in entries:
        if root.flow_style:
            return _with_entry(text, root, f"events: {{{in_flow}}}")
        before = entries["statuses" if "statuses" in entries else "version"]
        lines = ("", "events:", f"  {in_block}")
        return _with_lines(text, _end(text, *before), *lines)
    events_key, events = entries["events"]
    if is_null(events):
        if root.flow_style or _is_written(events):
            return _in_place_of_nothing(text, events_key, events, f"{{{in_flow}}}")
        indent = " " * (events_key.start_mark.column + 2)
        return _with_lines(text, _after_colon(text, events_key), f"{indent}{in_block}")
    if not isinstance(events, MappingNode):
        raise _unusual(key)
    return _with_entry(text, events, in_flow if events.flow_style else in_block)


def _with_entry(text: str, mapping: MappingNode, entry: str) -> str:
    """The text with an entry at the end of a mapping."""
    if not mapping.value:  # only braces can hold nothing
        place = mapping.start_mark.index + 1
        return text[:place] + entry + text[place:]
    end = _end(text, *mapping.value[-1])
    if mapping.flow_style:
        gap = " " if text[end - 1] == ":" else ""
        return f"{text[:end]}{gap}, {entry}{text[end:]}"
    return _with_lines(text, end, " " * mapping.start_mark.column + entry)


def _with_lines(text: str, after: int, *lines: str) -> str:
    """The text with lines below the one in which something ends."""
    if after and text[after - 1] in "\r\n":  # as a folded text does
        after -= 2 if text[after - 2 : after] == "\r\n" else 1
    found = _LINE_BREAK.search(text, after)
    place = found.start() if found else len(text)
    known = found or _LINE_BREAK.search(text)
    line_break = known.group() if known else "\n"
    return text[:place] + "".join(line_break + line for line in lines) + text[place:]


def _in_place_of_nothing(text: str, key: Node, nothing: Node, value: str) -> str:
    if _is_written(nothing):
        return text[: nothing.start_mark.index] + value + text[nothing.end_mark.index :]
    place = _after_colon(text, key)
    colon = "" if text[place - 1] == ":" else ":"
    return f"{text[:place]}{colon} {value}{text[place:]}"


def _end(text: str, key: Node, value: Node) -> int:
    """Where an entry of a mapping ends: a block's own mark is that of what follows it."""
    while isinstance(value, MappingNode) and not value.flow_style and value.value:
        key, value = value.value[-1]
    if is_null(value) and not _is_written(value):
        return _after_colon(text, key)
    if isinstance(value, SequenceNode) and not value.flow_style and value.value:
        return _end(text, value.value[-1], value.value[-1])
    return max(_after_colon(text, key), int(value.end_mark.index))


def _after_colon(text: str, key: Node) -> int:
    end = int(key.end_mark.index)
    colon = _COLON.match(text, end)
    return colon.end() if colon else end


def _is_written(null: Node) -> bool:
    """Whether a null stands there as `null` or `~`."""
    return bool(null.value)


def _entries(node: Node) -> Mapping[str, tuple[Node, Node]]:
    """The entries of a mapping by key, in a text without faults."""
    return {str(key.value): (key, value) for key, value in node.value}


def _root(text: str) -> MappingNode:
    root = Source(text).root
    if not isinstance(root, MappingNode):
        raise EventEditError("The rules are no mapping.")
    return root


def _book(text: str) -> RuleBook:
    book = check_rules(text).book
    if book is None:
        raise EventEditError("The rules have faults; mend them first.")
    return book


def _event(book: RuleBook, key: str) -> EventSetting:
    if key not in book.events:
        raise EventEditError(f"`{key}` is not configured any more.")
    return book.events[key]


def _checked(edited: str, before: RuleBook, wanted: EventSetting) -> str:
    """The edited text, if it says what was wanted and nothing else."""
    checked = check_rules(edited)
    if checked.book is None:
        raise EventEditError(f"That is not possible: {checked.faults[0].message}.")
    expected = {**before.events, wanted.key: wanted}
    if checked.book.events != expected or _essence(checked.book) != _essence(before):
        raise _unusual(wanted.key)
    return edited


def _essence(book: RuleBook) -> object:
    """What a book says beside its events, wherever its flags stand."""
    return book.statuses, tuple(replace(flag, line=0) for flag in book.flags)


def _unusual(key: str) -> EventEditError:
    return EventEditError(
        f"`{key}` is written in an unusual way, so that it can only be changed under Rules."
    )


def _scalar(text: str) -> str:
    """A text as YAML, in quotes where it needs them."""
    if _PLAIN.fullmatch(text) and text.casefold() not in _NOT_TEXTS:
        return text
    return json.dumps(text, ensure_ascii=False)
