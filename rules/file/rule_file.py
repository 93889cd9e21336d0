"""Reads a rule file into a `RuleBook`, or reports all of its faults at once."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from ruamel.yaml.nodes import Node, SequenceNode

from rules.book import EventSetting, RuleBook
from rules.faults import Fault, RuleFileError, did_you_mean
from rules.file.flag import ANY_EVENT, FlagReader, ParsedFlag, read_wait
from rules.file.notify import NotifyReader
from rules.file.source import Source, TooManyFaults, is_null, read_name
from rules.file.team import read_team
from rules.file.warnings import warn_about_reference
from rules.flags import Flag
from rules.notify.entries import NotifyEntry
from rules.phrases.logic import FlagIs
from rules.statuses import DEFAULT_STATUSES, NOT_APPLICABLE
from rules.team import NO_TEAM

_FILE_KEYS = ("version", "statuses", "events", "team", "defaults", "flags", "notify")
_EVENT_KEYS = ("name", "enabled", "called")

CACHED_TEXTS = 100

MOST_STATUSES = 50

MOST_NAMES = 50
"""The most names by which other products send an event."""


@dataclass(frozen=True)
class CheckedRules:
    """The result of checking a text: the book if it has no faults, its faults and its warnings."""

    book: RuleBook | None
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


def read_rules(text: str, *, file: str = "rules") -> RuleBook:
    """Read the text of a rule file; `file` is the name used when reporting faults.

    Raises:
        RuleFileError: the text has faults; the exception lists all of them.
    """
    checked = check_rules(text)
    if checked.book is None:
        raise RuleFileError(checked.faults, file=file)
    return checked.book


@lru_cache(CACHED_TEXTS)
def check_rules(text: str) -> CheckedRules:
    """Read the text of a rule file with all of its faults and warnings.

    The result is immutable and kept: an edit is checked, planned and applied with one text, and
    many organizations have the same one. Reading takes some milliseconds for each flag.
    """
    source = Source(text)
    book = None
    with suppress(TooManyFaults):
        book = _Reader(source).book(source.root) if source.root is not None else None
    faults, warnings = tuple(sorted(set(source.faults))), tuple(sorted(set(source.warnings)))
    return CheckedRules(None if faults else book, faults, warnings)


class _SentName(NamedTuple):
    text: str
    node: Node


class _Reader:
    """Reads one source top-down; every method records faults and continues as far as possible."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.statuses: tuple[str, ...] = DEFAULT_STATUSES
        self.statuses_known = True
        self.events: dict[str, EventSetting] = {}
        self.team = NO_TEAM
        self.default_wait = timedelta(0)

    def book(self, root: Node) -> RuleBook | None:
        entries = self.source.mapping(root, "the file", _FILE_KEYS, required=_FILE_KEYS[:1])
        readers = {
            "version": self.read_version,
            "statuses": self.read_statuses,
            "events": self.read_events,
            "team": self.read_team,
            "defaults": self.read_defaults,
        }
        for key, read in readers.items():
            if key in entries:
                read(entries[key][1])
        parsed_flags = self.read_flags(entries["flags"][1]) if "flags" in entries else []
        self.check_references(parsed_flags)
        paused = tuple(parsed.flag for parsed in parsed_flags if not parsed.enabled)
        flags = tuple(parsed.flag for parsed in parsed_flags if parsed.enabled)
        notify = (
            self.read_notify(entries["notify"][1], (*flags, *paused)) if "notify" in entries else []
        )
        if self.source.faults:
            return None
        return RuleBook(self.statuses, self.events, flags, self.team, paused, tuple(notify))

    def read_version(self, node: Node) -> None:
        version = self.source.scalar(node, "`version`")
        if version is True or version != 1:
            self.source.fault(node, "`version` must be 1, the only version")

    def read_statuses(self, node: Node) -> None:
        names: list[str] = []
        items = self.source.items(node, "`statuses`")
        if len(items) > MOST_STATUSES:
            self.source.fault(node, f"`statuses` has at most {MOST_STATUSES}")
            self.statuses_known = False
            return
        for item in items:
            name = read_name(self.source, item, "a status")
            if name is None:
                self.statuses_known = False
                continue
            if name.casefold() in (taken.casefold() for taken in (*names, NOT_APPLICABLE)):
                self.source.fault(item, f"the status `{name}` is taken; give each its own name")
            else:
                names.append(name)
        if len(names) >= 2:
            self.statuses = tuple(names)
        elif isinstance(node, SequenceNode):
            self.source.fault(node, "`statuses` needs at least two, from best to worst")
        self.statuses_known = self.statuses_known and len(names) >= 2

    def read_events(self, node: Node) -> None:
        if is_null(node):
            return
        names: list[tuple[str, _SentName]] = []
        for key, (key_node, value) in self.source.mapping(node, "`events`").items():
            read_name(self.source, key_node, "an event key")
            if key == ANY_EVENT:
                self.source.fault(key_node, "`any` stands for all events; use another event key")
            settings = (
                {} if is_null(value) else self.source.mapping(value, f"event `{key}`", _EVENT_KEYS)
            )
            name = (
                read_name(self.source, settings["name"][1], "`name`")
                if "name" in settings
                else None
            )
            enabled = (
                self.source.boolean(settings["enabled"][1], "`enabled`")
                if "enabled" in settings
                else True
            )
            called = self.read_called(settings["called"][1]) if "called" in settings else []
            self.events[key] = EventSetting(
                key,
                name or key,
                enabled=enabled is not False,
                called=tuple(sent.text for sent in called),
            )
            names += [(key, sent) for sent in called]
        self.check_called(names)

    def read_called(self, node: Node) -> list[_SentName]:
        """Return the names by which other products send an event."""
        items = self.source.items(node, "`called`")
        if len(items) > MOST_NAMES:
            self.source.fault(node, f"`called` has at most {MOST_NAMES} names")
            return []
        names = [(read_name(self.source, item, "a name in `called`"), item) for item in items]
        return [_SentName(name, item) for name, item in names if name is not None]

    def check_called(self, names: list[tuple[str, _SentName]]) -> None:
        """Record names that stand for more than one event as faults."""
        first: dict[str, str] = {}
        for key, name in names:
            if name.text in self.events:
                self.source.fault(
                    name.node,
                    f"`{name.text}` is an event key itself, so what is sent by this name is counted"
                    " as that; remove it here"
                    if name.text != key
                    else f"`{key}` is sent by this name anyhow; remove it from `called`",
                )
            elif name.text in first:
                self.source.fault(
                    name.node,
                    f"`{name.text}` is in `called` of `{first[name.text]}` already;"
                    " a name stands for one event",
                )
            else:
                first[name.text] = key

    def read_team(self, node: Node) -> None:
        self.team = read_team(self.source, node)

    def read_defaults(self, node: Node) -> None:
        entries = self.source.mapping(node, "`defaults`", ("new_company",))
        if "new_company" in entries:
            self.default_wait = read_wait(self.source, entries["new_company"][1])

    def read_flags(self, node: Node) -> list[ParsedFlag]:
        if is_null(node):
            return []
        statuses = self.statuses if self.statuses_known else None
        reader = FlagReader(self.source, statuses, self.events, self.default_wait)
        flags = [reader.read(item) for item in self.source.items(node, "`flags`")]
        return [flag for flag in flags if flag is not None]

    def read_notify(self, node: Node, flags: Sequence[Flag]) -> list[NotifyEntry]:
        if is_null(node):
            return []
        statuses = self.statuses if self.statuses_known else None
        reader = NotifyReader(self.source, statuses, has_owner=self.team.owner is not None)
        entries = reader.read_all(node)
        if not self.source.damaged:
            levels = {flag.name: {level for level, _ in flag.conditions} for flag in flags}
            reader.check_flags(node, entries, levels)
        return entries

    def check_references(self, flags: list[ParsedFlag]) -> None:
        """Record references to unknown or paused flags and circular references as faults."""
        paused = {parsed.flag.name for parsed in flags if not parsed.enabled}
        flags = [parsed for parsed in flags if parsed.enabled]
        by_name = {parsed.flag.name: parsed for parsed in flags}
        for parsed in flags:
            for name in sorted(parsed.flag.other_flags - by_name.keys()):
                hint = did_you_mean(name, by_name) or "; it is not in this file"
                problem = f"there is no flag `{name}`{hint}"
                if name in paused:
                    problem = f"the flag `{name}` is paused, so no other flag can refer to it"
                self.source.fault(parsed.nodes["when"], problem)
            for part in (part for phrase in parsed.flag.phrases for part in phrase):
                if isinstance(part, FlagIs) and part.flag in by_name:
                    warn_about_reference(
                        self.source, parsed.nodes["when"], part, by_name[part.flag].flag
                    )
        try:
            TopologicalSorter(
                {name: parsed.flag.other_flags for name, parsed in by_name.items()}
            ).prepare()
        except CycleError as error:
            circle = [name for name in error.args[1] if name in by_name]
            first = by_name[min(circle, key=lambda name: by_name[name].flag.line)]
            names = " -> ".join(f"`{name}`" for name in reversed(circle))
            self.source.fault(
                first.nodes["when"], f"these flags refer to each other in a circle: {names}"
            )
