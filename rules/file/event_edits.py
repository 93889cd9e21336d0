"""Edits one event in the text of a rule file and leaves every other character unchanged.

A YAML library that rewrites a file loses some of its formatting: quotes, line breaks, positions of
comments. The text is therefore edited in place and parsed again; an edit that changes anything
else is refused.
"""

import re
from collections.abc import Container, Mapping
from dataclasses import replace
from itertools import chain, count

from ruamel.yaml.nodes import MappingNode, Node

from rules.book import EventSetting, RuleBook
from rules.faults import RuleError
from rules.file.flag import ANY_EVENT
from rules.file.positions import after_colon as _after_colon
from rules.file.positions import entries_of as _entries
from rules.file.positions import entry_end as _entry_end
from rules.file.positions import is_explicit as _is_explicit
from rules.file.positions import scalar as _scalar
from rules.file.rule_file import check_rules
from rules.file.source import Source, is_null

_LINE_BREAK = re.compile("\r\n|\r|\n")
_GOOD_KEY = re.compile(r"[a-z0-9_.:$/-]+")
_WORD = re.compile(r"[^\W_]+")

LONGEST_KEY = 100
"""Characters of a key that is made from a name."""


class EventEditError(RuleError):
    """Raised when an event cannot be edited automatically; the message is shown to people."""


def set_enabled(text: str, key: str, *, enabled: bool) -> str:
    """Return the text with an event enabled or disabled.

    Raises:
        EventEditError: there is no such event, or its syntax is unusual.
    """
    book = _read_book(text)
    target = replace(_find_event(book, key), enabled=enabled)
    edited = _put_setting(text, key, "enabled", "true" if enabled else "false")
    return _verify(edited, book, target)


def rename(text: str, key: str, name: str) -> str:
    """Return the text with another display name for an event.

    Raises:
        EventEditError: there is no such event, its syntax is unusual, or the name is invalid.
    """
    book = _read_book(text)
    target = replace(_find_event(book, key), name=name)
    return _verify(_put_setting(text, key, "name", _scalar(name)), book, target)


def add(text: str, key: str, name: str | None = None, called: str | None = None) -> str:
    """Return the text with an event appended to the list of events.

    `called` is the name by which other products send it, if that is not the key.

    Raises:
        EventEditError: the event exists, the file's syntax is unusual, or the key or name is
            invalid.
    """
    book = _read_book(text)
    if key in book.events:
        raise EventEditError(f"`{key}` is configured already.")
    settings = {"name": _scalar(name)} if name else {}
    if called:
        settings["called"] = f"[{_scalar(called)}]"
    target = EventSetting(key, name or key, called=(called,) if called else ())
    return _verify(_append_event(text, key, settings), book, target)


def key_for(name: str, taken: Container[str]) -> str:
    """Return a key for an event that is sent by a name: `report_created` for Report Created.

    A name that is a good key is its own. A key that is taken gets a number.
    """
    if _GOOD_KEY.fullmatch(name) and name != ANY_EVENT:
        return name
    words = "_".join(_WORD.findall(name)).casefold()[:LONGEST_KEY] or "event"
    numbered = (f"{words}_{number}" for number in count(2))
    return next(key for key in chain((words,), numbered) if key not in taken and key != ANY_EVENT)


def _put_setting(text: str, key: str, setting: str, value: str) -> str:
    key_node, node = _entries(_entries(_root(text))["events"][1])[key]
    if is_null(node):
        return _replace_null(text, key_node, node, f"{{{setting}: {value}}}")
    if not isinstance(node, MappingNode):
        raise _unusual_syntax(key)
    written = _entries(node)
    if setting in written:
        old = written[setting][1]
        return text[: old.start_mark.index] + value + text[old.end_mark.index :]
    return _append_entry(text, node, f"{setting}: {value}")


def _append_event(text: str, key: str, settings: Mapping[str, str]) -> str:
    root = _root(text)
    entries = _entries(root)
    in_braces = f"{{{', '.join(f'{name}: {value}' for name, value in settings.items())}}}"
    in_flow, in_block = f"{_scalar(key)}: {in_braces}", f"{_scalar(key)}:"
    if settings:
        in_block += f" {in_braces}"
    if "events" not in entries:
        if root.flow_style:
            return _append_entry(text, root, f"events: {{{in_flow}}}")
        before = entries["statuses" if "statuses" in entries else "version"]
        lines = ("", "events:", f"  {in_block}")
        return _insert_lines(text, _entry_end(text, *before), *lines)
    events_key, events = entries["events"]
    if is_null(events):
        if root.flow_style or _is_explicit(events):
            return _replace_null(text, events_key, events, f"{{{in_flow}}}")
        indent = " " * (events_key.start_mark.column + 2)
        return _insert_lines(text, _after_colon(text, events_key), f"{indent}{in_block}")
    if not isinstance(events, MappingNode):
        raise _unusual_syntax(key)
    return _append_entry(text, events, in_flow if events.flow_style else in_block)


def _append_entry(text: str, mapping: MappingNode, entry: str) -> str:
    """Append an entry to a mapping."""
    if not mapping.value:  # only a mapping in braces can be empty
        position = mapping.start_mark.index + 1
        return text[:position] + entry + text[position:]
    end = _entry_end(text, *mapping.value[-1])
    if mapping.flow_style:
        gap = " " if text[end - 1] == ":" else ""
        return f"{text[:end]}{gap}, {entry}{text[end:]}"
    return _insert_lines(text, end, " " * mapping.start_mark.column + entry)


def _insert_lines(text: str, after: int, *lines: str) -> str:
    """Insert lines below the line of a position."""
    if after and text[after - 1] in "\r\n":  # the end of a folded text
        after -= 2 if text[after - 2 : after] == "\r\n" else 1
    next_break = _LINE_BREAK.search(text, after)
    position = next_break.start() if next_break else len(text)
    any_break = next_break or _LINE_BREAK.search(text)
    line_break = any_break.group() if any_break else "\n"
    return text[:position] + "".join(line_break + line for line in lines) + text[position:]


def _replace_null(text: str, key: Node, null: Node, value: str) -> str:
    if _is_explicit(null):
        return text[: null.start_mark.index] + value + text[null.end_mark.index :]
    position = _after_colon(text, key)
    colon = "" if text[position - 1] == ":" else ":"
    return f"{text[:position]}{colon} {value}{text[position:]}"


def _root(text: str) -> MappingNode:
    root = Source(text).root
    if not isinstance(root, MappingNode):
        raise EventEditError("The rules are not a mapping.")
    return root


def _read_book(text: str) -> RuleBook:
    book = check_rules(text).book
    if book is None:
        raise EventEditError("The rules have faults; fix them first.")
    return book


def _find_event(book: RuleBook, key: str) -> EventSetting:
    if key not in book.events:
        raise EventEditError(f"`{key}` is not configured any more.")
    return book.events[key]


def _verify(edited: str, before: RuleBook, target: EventSetting) -> str:
    """Return the edited text if the event is the target and nothing else changed."""
    checked = check_rules(edited)
    if checked.book is None:
        raise EventEditError(f"That is not possible: {checked.faults[0].message}.")
    expected = {**before.events, target.key: target}
    if checked.book.events != expected or _without_events(checked.book) != _without_events(before):
        raise _unusual_syntax(target.key)
    return edited


def _without_events(book: RuleBook) -> object:
    """Return the content of a book without its events and the lines of its flags."""
    return book.statuses, tuple(replace(flag, line=0) for flag in book.flags)


def _unusual_syntax(key: str) -> EventEditError:
    return EventEditError(
        f"`{key}` is written in an unusual way, so that it can only be changed under Rules."
    )
