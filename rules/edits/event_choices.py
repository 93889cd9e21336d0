"""Adapts the text of an example to the events that are really sent.

Each event of the example becomes one that is sent, or is left out together with the flags that
cannot do without it. Everything else, comments included, stays as written.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from rules.book import RuleBook
from rules.edits.checks import read_edited
from rules.edits.entries import RuleEditError
from rules.edits.positions import after_colon, entries_of, entry_end, scalar
from rules.file.rule_file import check_rules
from rules.file.source import Source
from rules.flags import Flag
from rules.language.parser import parse_condition
from rules.language.tree import Vocabulary

EDITOR_HINT = re.compile(r"# yaml-language-server:.*\n(?:#\s*\n)?")
"""Its path leads to the schema from the folder of the examples only."""


@dataclass(frozen=True)
class SentEvent:
    """An event that is sent: the key to list it by, and what other products call it."""

    key: str
    called: tuple[str, ...] = ()
    name: str | None = None


@dataclass(frozen=True)
class AdaptedRules:
    """The adapted text, and the names of the flags that were left out."""

    text: str
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class _Cut:
    """A part of the text to replace."""

    start: int
    end: int
    text: str = ""


def adapt(
    text: str, choices: Mapping[str, SentEvent | None], also_accept: Collection[SentEvent] = ()
) -> AdaptedRules:
    """Return the text with the events that are sent in place of its own.

    `choices` maps event keys of the text to events that are sent; None leaves an event out. An
    event without a choice is kept. A flag without its event is left out, and so is what refers to
    it: a phrase of `any`, a level, or else a whole flag. `also_accept` are further events to list.

    Raises:
        RuleEditError: the text has faults, or a key is invalid.
    """
    checked = check_rules(text)
    if checked.book is None:
        raise RuleEditError("The rules have faults; fix them first.")
    kept = {key: SentEvent(key) for key in checked.book.events}
    edited = _Adaptation(text, checked.book, {**kept, **choices}, also_accept)
    adapted = EDITOR_HINT.sub("", _apply(text, edited.cuts()), count=1)
    left_out = [flag.name for flag in checked.book.flags if flag.name in edited.removed]
    return AdaptedRules(_verify(adapted, edited), tuple(left_out))


class _Adaptation:
    """Which flags remain of a text, and the cuts that lead there."""

    def __init__(
        self,
        text: str,
        book: RuleBook,
        choices: Mapping[str, SentEvent | None],
        also_accept: Collection[SentEvent],
    ) -> None:
        self.text, self.book = text, book
        self.keys = {key: sent.key if sent else None for key, sent in choices.items()}
        self.events: dict[str, SentEvent] = {}
        for sent in (*choices.values(), *also_accept):
            if sent is not None:
                self.events.setdefault(sent.key, sent)
        self._vocabulary = Vocabulary(book.statuses)
        root = Source(text).root
        self._root = entries_of(root) if root else {}
        self._flags = {
            str(entries_of(node)["flag"][1].value): node for node in self._items("flags")
        }
        self.removed = {
            flag.name
            for flag in book.flags
            if self.keys.get(flag.selector.event_key or "", "") is None
        }
        self._remove_what_refers_to_removed_flags()

    def cuts(self) -> list[_Cut]:
        """Return what to replace in the text."""
        cuts = [*self._event_cuts()]
        for name, node in self._flags.items():
            if name in self.removed:
                cuts.append(self._whole_lines(node, with_comment=True))
                continue
            cuts += self._pruned(node) or ()
            event = entries_of(node).get("event")
            sent = self.keys.get(str(event[1].value)) if event else None
            if event and sent:
                cuts.append(_replaced(event[1], sent))
        return cuts

    def _remove_what_refers_to_removed_flags(self) -> None:
        before = None
        while before != len(self.removed):
            before = len(self.removed)
            for name, node in self._flags.items():
                if name not in self.removed and self._pruned(node) is None:
                    self.removed.add(name)

    def _pruned(self, flag: Node) -> list[_Cut] | None:
        """Return what to cut from a flag that remains; None if it cannot remain."""
        written = entries_of(flag)
        if "recover" in written and self._without_removed(written["recover"][1]) != []:
            return None
        levels = written["when"][1]
        cuts: list[_Cut] = []
        kept = 0
        for level, phrase in levels.value:
            found = self._without_removed(phrase)
            if found is not None:
                kept += 1
                cuts += found
            elif isinstance(levels, MappingNode) and levels.flow_style:
                return None
            else:
                cuts.append(self._whole_lines(level, phrase))
        return cuts if kept else None

    def _without_removed(self, phrase: Node) -> list[_Cut] | None:
        """Return what to cut from a phrase so that it names no removed flag; None if all of it."""
        if isinstance(phrase, ScalarNode):
            condition = parse_condition(str(phrase.value), self._vocabulary)
            named = {name for part in condition for name in part.other_flags}
            return None if named & self.removed else []
        [(word, value)] = [(str(key.value), value) for key, value in phrase.value]
        if word == "not":
            return [] if self._without_removed(value) == [] else None
        found = [self._without_removed(item) for item in value.value]
        kept = [cut for cuts in found if cuts is not None for cut in cuts]
        lost = [item for item, cuts in zip(value.value, found, strict=True) if cuts is None]
        if not lost:
            return kept
        # One alternative less is a stricter flag, but one requirement less would be another one.
        if word == "all" or len(lost) == len(value.value) or value.flow_style:
            return None
        return kept + [self._whole_lines(item) for item in lost]

    def _event_cuts(self) -> Iterator[_Cut]:
        if "events" not in self._root:
            return
        key_node, events = self._root["events"]
        taken: set[str] = set()
        for key, node in events.value if isinstance(events, MappingNode) else ():
            sent = self.keys[str(key.value)]
            if sent is None or sent in taken:
                yield self._whole_lines(key, node)
            else:
                taken.add(sent)
                yield _replaced(key, sent)
                if self.events[sent].called:
                    yield self._called(key, node, self.events[sent])
        added = [sent for key, sent in self.events.items() if key not in taken]
        if added:
            last = entry_end(self.text, key_node, events)
            indent = " " * (events.value[0][0].start_mark.column if events.value else 2)
            end = _end_of_line(self.text, last)
            yield _Cut(end, end, "".join(f"{indent}{_entry(sent)}\n" for sent in added))

    def _called(self, key: Node, node: Node, sent: SentEvent) -> _Cut:
        """Return what adds the names of other products to the entry of an event."""
        called = f"called: {_names(sent)}"
        if isinstance(node, MappingNode) and node.flow_style and node.value:
            end = node.end_mark.index - 1
            return _Cut(end, end, f", {called}")
        end = after_colon(self.text, key)
        return _Cut(end, end, f" {{{called}}}")

    def _items(self, key: str) -> list[Node]:
        node = self._root[key][1] if key in self._root else None
        return list(node.value) if isinstance(node, SequenceNode) else []

    def _whole_lines(
        self, first: Node, last: Node | None = None, *, with_comment: bool = False
    ) -> _Cut:
        """Return the lines of an entry, with the comment and the empty line above it if asked."""
        last = first if last is None else last
        start = self.text.rfind("\n", 0, first.start_mark.index) + 1
        while with_comment and self._line_before(start).lstrip().startswith("#"):
            start -= len(self._line_before(start))
        if with_comment and start and not self._line_before(start).strip():
            start -= len(self._line_before(start))
        return _Cut(start, _end_of_line(self.text, entry_end(self.text, first, last)))

    def _line_before(self, position: int) -> str:
        return self.text[self.text.rfind("\n", 0, max(position - 1, 0)) + 1 : position]


def _entry(sent: SentEvent) -> str:
    settings = {"name": sent.name and scalar(sent.name), "called": sent.called and _names(sent)}
    given = ", ".join(f"{name}: {value}" for name, value in settings.items() if value)
    return f"{scalar(sent.key)}:" + (f" {{{given}}}" if given else "")


def _names(sent: SentEvent) -> str:
    return f"[{', '.join(map(scalar, sent.called))}]"


def _replaced(node: Node, sent: str) -> _Cut:
    return _Cut(node.start_mark.index, node.end_mark.index, scalar(sent))


def _end_of_line(text: str, position: int) -> int:
    return (text.find("\n", position) + 1) or len(text)


def _apply(text: str, cuts: Collection[_Cut]) -> str:
    for cut in sorted(cuts, key=lambda cut: cut.start, reverse=True):
        text = text[: cut.start] + cut.text + text[cut.end :]
    return text


def _verify(adapted: str, edited: _Adaptation) -> str:
    """Return the adapted text if it has the chosen events and the remaining flags.

    Raises:
        RuleEditError: it has faults, or others.
    """
    book = read_edited(adapted)
    expected = [_summary(f, edited.keys) for f in edited.book.flags if f.name not in edited.removed]
    found = [_summary(flag, {}) for flag in book.flags]
    events = {key: sent.called for key, sent in edited.events.items()}
    if found != expected or {k: e.called for k, e in book.events.items()} != events:
        raise RuleEditError("The example is written in an unusual way; copy it under Rules.")
    return adapted


def _summary(flag: Flag, keys: Mapping[str, str | None]) -> tuple[object, ...]:
    """Return what remains of a flag, apart from its phrases, with its event as it is sent."""
    key = flag.selector.event_key
    selector = replace(flag.selector, event_key=keys.get(key, key) if key else None)
    return flag.name, selector, flag.wait, flag.lasting, flag.applies_to, flag.weight, flag.note
