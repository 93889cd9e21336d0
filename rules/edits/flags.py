"""Adds, changes, pauses and removes a flag in the text of a rule file; the rest stays as written.

The edited text is parsed again; an edit that changes anything else is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from rules.book import RuleBook
from rules.edits.checks import read_with_flag_edited
from rules.edits.entries import RuleEditError, remove_entry, root_of, set_entry
from rules.edits.flag_edit import (
    FlagEdit,
    applies_to_of,
    in_braces,
    means,
    says,
    scalars,
    values_of,
)
from rules.edits.items import append_item, remove_item
from rules.edits.positions import entries_of, scalar
from rules.file.flag import KEYS
from rules.file.rule_file import check_rules
from rules.flags import Flag


@dataclass(frozen=True)
class WrittenFlag:
    """A flag as it is read, with the nodes of its entries, and whether it is paused."""

    flag: Flag
    node: MappingNode
    paused: bool

    @property
    def entries(self) -> Mapping[str, Node]:
        """The values of its entries by key."""
        return {key: value for key, (_, value) in entries_of(self.node).items()}


def read_flags(text: str) -> list[WrittenFlag]:
    """Return the flags of a text in their order.

    Raises:
        RuleEditError: the text has faults.
    """
    book = _read_book(text)
    flags = {flag.name: flag for flag in (*book.flags, *book.paused)}
    names = {flag.name for flag in book.paused}
    return [
        WrittenFlag(flags[name], node, name in names)
        for node in _nodes(text)
        for name in [str(entries_of(node)["flag"][1].value)]
    ]


def add_flag(text: str, edit: FlagEdit) -> str:
    """Return the text with a new flag after all others.

    Raises:
        RuleEditError: the text has faults, or would have.
    """
    book = _read_book(text)
    phrases = {
        scalar(book.statuses[level]): scalar(phrase)
        for level, phrase in sorted(edit.phrases.items())
        if phrase
    }
    entries: dict[str, str | Mapping[str, str]] = {}
    for key, value in scalars(edit).items():
        if key == "when":
            entries[key] = phrases
        elif key == "applies_to" and edit.applies_to:
            entries[key] = in_braces(edit.applies_to)
        elif value is not None:
            entries[key] = value
    return _verify(append_item(text, "flags", entries), book, None, edit)


def change_flag(text: str, name: str, edit: FlagEdit) -> str:
    """Return the text with a flag changed; what stays the same in it stays as it is written.

    Raises:
        RuleEditError: there is no such flag, its syntax is unusual, or the text would have faults.
    """
    book = _read_book(text)
    number, written = _find(text, name)
    edited = text
    for key, value in scalars(edit).items():
        if (
            value is None
            and key in written.entries
            and key not in ("when", "applies_to", "recover")
        ):
            edited = remove_entry(edited, _nodes(edited)[number], key)
        elif value is not None and not (
            key in written.entries and says(written.flag, key, edit, book)
        ):
            edited = set_entry(edited, _nodes(edited)[number], key, value, after=_before(key))
    edited = _put_phrases(edited, number, written, edit, book)
    if edit.recover is None and "recover" in written.entries:
        edited = remove_entry(edited, _nodes(edited)[number], "recover")
    return _verify(_put_applies_to(edited, number, written, edit), book, name, edit)


def remove_flag(text: str, name: str) -> str:
    """Return the text without a flag, and without the comment above it.

    Raises:
        RuleEditError: there is no such flag, or others refer to it.
    """
    book = _read_book(text)
    number, _ = _find(text, name)
    return _verify(remove_item(text, "flags", number), book, name, None)


def set_paused(text: str, name: str, *, paused: bool) -> str:
    """Return the text with a flag paused, or evaluated again.

    Raises:
        RuleEditError: there is no such flag, others refer to it, or its syntax is unusual.
    """
    book = _read_book(text)
    number, written = _find(text, name)
    node = _nodes(text)[number]
    if paused:
        edited = set_entry(text, node, "enabled", "false", after=_before("enabled"))
    else:
        edited = remove_entry(text, node, "enabled") if "enabled" in written.entries else text
    checked = read_with_flag_edited(edited, book, name)
    is_paused = name in {flag.name for flag in checked.paused}
    if is_paused != paused or _others(checked, name) != _others(book, name):
        raise unusual_syntax(name)
    return edited


def _before(key: str) -> tuple[str, ...]:
    """Return the keys of a flag that are written before a key."""
    return KEYS[: KEYS.index(key)]


def _put_phrases(
    text: str, number: int, written: WrittenFlag, edit: FlagEdit, book: RuleBook
) -> str:
    former = dict(written.flag.conditions)
    # New ones first, since the last one cannot be removed.
    for level, phrase in sorted(edit.phrases.items(), key=lambda item: item[1] is None):
        when = _mapping(text, number, "when")
        status = book.statuses[level]
        if phrase is None and level in former:
            if len(when.value) == 1:
                raise RuleEditError("A flag needs a phrase for one status at least.")
            text = remove_entry(text, when, status)
        elif phrase is not None and not means(phrase, former.get(level), book):
            text = set_entry(text, when, status, scalar(phrase), after=book.statuses[:level])
    return text


def _put_applies_to(text: str, number: int, written: WrittenFlag, edit: FlagEdit) -> str:
    former = applies_to_of(written.flag)
    if former == edit.applies_to:
        return text
    flag = _nodes(text)[number]
    if not edit.applies_to:
        return remove_entry(text, flag, "applies_to")
    if not former:
        value = in_braces(edit.applies_to)
        return set_entry(text, flag, "applies_to", value, after=_before("applies_to"))
    for name, values in edit.applies_to.items():
        if former.get(name) != tuple(values):
            fields = _mapping(text, number, "applies_to")
            text = set_entry(text, fields, name, values_of(values))
    for name in former.keys() - edit.applies_to.keys():
        fields = _mapping(text, number, "applies_to")
        text = remove_entry(text, fields, name)
    return text


def _nodes(text: str) -> list[MappingNode]:
    entries = entries_of(root_of(text))
    node = entries["flags"][1] if "flags" in entries else None
    return list(node.value) if isinstance(node, SequenceNode) else []


def _mapping(text: str, number: int, key: str) -> MappingNode:
    flag = _nodes(text)[number]
    node = entries_of(flag)[key][1]
    if not isinstance(node, MappingNode):
        raise unusual_syntax(str(entries_of(flag)["flag"][1].value))
    return node


def _find(text: str, name: str) -> tuple[int, WrittenFlag]:
    for number, written in enumerate(read_flags(text)):
        if written.flag.name == name:
            return number, written
    raise RuleEditError(f"There is no flag `{name}` any more.")


def _read_book(text: str) -> RuleBook:
    book = check_rules(text).book
    if book is None:
        raise RuleEditError("The rules have errors; correct them first.")
    return book


def _verify(edited: str, before: RuleBook, name: str | None, edit: FlagEdit | None) -> str:
    """Return the edited text if the flag of a name is as intended, and nothing else changed."""
    book = read_with_flag_edited(edited, before, name)
    new_name = edit.name if edit else None
    if _others(book, new_name) != _others(before, name):
        raise unusual_syntax(name or new_name or "")
    if edit is not None and not _is_as_intended(book, edit):
        raise unusual_syntax(edit.name)
    return edited


def _is_as_intended(book: RuleBook, edit: FlagEdit) -> bool:
    [flag] = [flag for flag in (*book.flags, *book.paused) if flag.name == edit.name]
    conditions = dict(flag.conditions)
    return (
        all(says(flag, key, edit, book) for key, value in scalars(edit).items() if value)
        and applies_to_of(flag) == {key: tuple(of) for key, of in edit.applies_to.items()}
        and all(
            means(phrase, conditions.get(level), book) if phrase else level not in conditions
            for level, phrase in edit.phrases.items()
        )
    )


def _others(book: RuleBook, name: str | None) -> object:
    """Return all of a book but one flag; what the lines are, does not matter."""
    flags = (
        tuple(
            (replace(flag, line=0), flag.weight, flag.note) for flag in group if flag.name != name
        )
        for group in (book.flags, book.paused)
    )
    return replace(book, flags=(), paused=()), *flags


def unusual_syntax(name: str) -> RuleEditError:
    """Return the error for a flag that cannot be edited on its own."""
    return RuleEditError(
        f"`{name}` is written in an unusual way, so that it can only be changed as text."
    )
