"""Edits one event in the text of a rule file and leaves every other character unchanged.

The edited text is parsed again; an edit that changes anything else is refused.
"""

import re
from collections.abc import Container, Mapping
from dataclasses import replace
from itertools import chain, count

from ruamel.yaml.nodes import MappingNode, SequenceNode

from rules.book import EventSetting, RuleBook
from rules.edits.checks import read_edited
from rules.edits.entries import (
    RuleEditError,
    insert_entry,
    insert_lines,
    replace_null,
    replace_value,
    root_of,
)
from rules.edits.items import append_in_brackets
from rules.edits.positions import after_colon, entries_of, entry_end, is_explicit, scalar
from rules.file.flag import ANY_EVENT
from rules.file.rule_file import check_rules
from rules.file.source import is_null

_GOOD_KEY = re.compile(r"[a-z0-9_.:$/-]+")
_WORD = re.compile(r"[^\W_]+")

LONGEST_KEY = 100
"""Characters of a key that is made from a name."""


def set_enabled(text: str, key: str, *, enabled: bool) -> str:
    """Return the text with an event enabled or disabled.

    Raises:
        RuleEditError: there is no such event, or its syntax is unusual.
    """
    book = _read_book(text)
    target = replace(_find_event(book, key), enabled=enabled)
    edited = _put_setting(text, key, "enabled", "true" if enabled else "false")
    return _verify(edited, book, target)


def rename(text: str, key: str, name: str) -> str:
    """Return the text with another display name for an event.

    Raises:
        RuleEditError: there is no such event, its syntax is unusual, or the name is invalid.
    """
    book = _read_book(text)
    target = replace(_find_event(book, key), name=name)
    return _verify(_put_setting(text, key, "name", scalar(name)), book, target)


def add(text: str, key: str, name: str | None = None, called: str | None = None) -> str:
    """Return the text with an event appended to the list of events.

    `called` is the name by which other products send it, if that is not the key.

    Raises:
        RuleEditError: the event exists, the file's syntax is unusual, or the key or name is
            invalid.
    """
    book = _read_book(text)
    if key in book.events:
        raise RuleEditError(f"`{key}` is configured already.")
    settings = {"name": scalar(name)} if name else {}
    if called:
        settings["called"] = f"[{scalar(called)}]"
    target = EventSetting(key, name or key, called=(called,) if called else ())
    return _verify(_append_event(text, key, settings), book, target)


def add_name(text: str, key: str, called: str) -> str:
    """Return the text with one more name by which an event is sent.

    Raises:
        RuleEditError: there is no such event, its syntax is unusual, or the name is invalid.
    """
    book = _read_book(text)
    event = _find_event(book, key)
    target = replace(event, called=(*event.called, called))
    return _verify(_append_name(text, key, scalar(called)), book, target)


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
    key_node, node = entries_of(entries_of(root_of(text))["events"][1])[key]
    if is_null(node):
        return replace_null(text, key_node, node, f"{{{setting}: {value}}}")
    if not isinstance(node, MappingNode):
        raise _unusual_syntax(key)
    written = entries_of(node)
    if setting in written:
        return replace_value(text, written[setting][1], value)
    return insert_entry(text, node, f"{setting}: {value}")


def _append_name(text: str, key: str, name: str) -> str:
    _, event = entries_of(entries_of(root_of(text))["events"][1])[key]
    written = entries_of(event) if isinstance(event, MappingNode) else {}
    _, names = written.get("called", (None, None))
    if not isinstance(names, SequenceNode):
        return _put_setting(text, key, "called", f"[{name}]")
    if names.flow_style:
        return append_in_brackets(text, names, name)
    last = names.value[-1]
    return insert_lines(
        text, entry_end(text, last, last), f"{' ' * names.start_mark.column}- {name}"
    )


def _append_event(text: str, key: str, settings: Mapping[str, str]) -> str:
    root = root_of(text)
    entries = entries_of(root)
    in_braces = f"{{{', '.join(f'{name}: {value}' for name, value in settings.items())}}}"
    in_flow, in_block = f"{scalar(key)}: {in_braces}", f"{scalar(key)}:"
    if settings:
        in_block += f" {in_braces}"
    if "events" not in entries:
        if root.flow_style:
            return insert_entry(text, root, f"events: {{{in_flow}}}")
        before = entries["statuses" if "statuses" in entries else "version"]
        lines = ("", "events:", f"  {in_block}")
        return insert_lines(text, entry_end(text, *before), *lines)
    events_key, events = entries["events"]
    if is_null(events):
        if root.flow_style or is_explicit(events):
            return replace_null(text, events_key, events, f"{{{in_flow}}}")
        indent = " " * (events_key.start_mark.column + 2)
        return insert_lines(text, after_colon(text, events_key), f"{indent}{in_block}")
    if not isinstance(events, MappingNode):
        raise _unusual_syntax(key)
    return insert_entry(text, events, in_flow if events.flow_style else in_block)


def _read_book(text: str) -> RuleBook:
    book = check_rules(text).book
    if book is None:
        raise RuleEditError("The rules have faults; fix them first.")
    return book


def _find_event(book: RuleBook, key: str) -> EventSetting:
    if key not in book.events:
        raise RuleEditError(f"`{key}` is not configured any more.")
    return book.events[key]


def _verify(edited: str, before: RuleBook, target: EventSetting) -> str:
    """Return the edited text if the event is the target and nothing else changed."""
    book = read_edited(edited)
    expected = {**before.events, target.key: target}
    if book.events != expected or _without_events(book) != _without_events(before):
        raise _unusual_syntax(target.key)
    return edited


def _without_events(book: RuleBook) -> object:
    """Return the content of a book without its events and the lines of its flags."""
    flags = (tuple(replace(flag, line=0) for flag in group) for group in (book.flags, book.paused))
    return replace(book, events={}, flags=(), paused=()), *flags


def _unusual_syntax(key: str) -> RuleEditError:
    return RuleEditError(
        f"`{key}` is written in an unusual way, so that it can only be changed under Rules."
    )
