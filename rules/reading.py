"""Reads a rule file into a `RuleBook`, or tells every fault in it at once."""

from datetime import timedelta
from typing import Any

from ruamel.yaml.nodes import Node, SequenceNode

from rules.book import NOT_APPLICABLE, EventSetting, Flag, RuleBook
from rules.conditions import Condition
from rules.facts import Path, Selector
from rules.faults import RuleFileError, did_you_mean
from rules.phrases import PhraseError, parse_condition, parse_new_company
from rules.source import Source, in_words, is_null

ANY_EVENT = "any"
LONGEST_NAME = 200
"""Characters, the same bound that `POST /v1/track` sets for event keys."""

LARGEST_INTEGER = 2**53 - 1
"""The largest that JSON carries exactly from every client (RFC 8259, section 6)."""

DEFAULT_STATUSES = ("Healthy", "At Risk", "Critical")
_FILE_KEYS = ("version", "statuses", "events", "defaults", "flags")
_EVENT_KEYS = ("name", "enabled")
_FLAG_KEYS = ("flag", "event", "when", "new_company", "where", "note")


def read_rules(text: str, *, file: str = "rules") -> RuleBook:
    """Read the text of a rule file; `file` is the name that faults are told with.

    Raises:
        RuleFileError: the text has faults; the error lists all of them.
    """
    source = Source(text)
    book = _Reader(source).book(source.root) if source.root is not None else None
    if source.faults or book is None:
        raise RuleFileError(source.faults, file=file)
    return book


class _Reader:
    """Reads one source top-down; every method records faults and goes on as far as it can."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.statuses: tuple[str, ...] = DEFAULT_STATUSES
        self.events: dict[str, EventSetting] = {}
        self.default_wait = timedelta(0)
        self.flag_lines: dict[str, int] = {}

    def book(self, root: Node) -> RuleBook:
        entries = self.source.mapping(root, "the file", _FILE_KEYS, required=_FILE_KEYS[:1])
        readers = {
            "version": self.read_version,
            "statuses": self.read_statuses,
            "events": self.read_events,
            "defaults": self.read_defaults,
        }
        for key, read in readers.items():
            if key in entries:
                read(entries[key][1])
        flags = self.read_flags(entries["flags"][1]) if "flags" in entries else ()
        return RuleBook(self.statuses, self.events, flags)

    def read_version(self, node: Node) -> None:
        version = self.source.scalar(node, "`version`")
        if version is True or version != 1:
            self.source.fault(node, "`version` must be 1, the only one there is")

    def read_statuses(self, node: Node) -> None:
        names: list[str] = []
        for item in self.source.items(node, "`statuses`"):
            name = self.name(item, "a status")
            if name is None:
                continue
            if name.casefold() in (known.casefold() for known in (*names, NOT_APPLICABLE)):
                self.source.fault(item, f"the status `{name}` is taken; give each its own name")
            else:
                names.append(name)
        if len(names) >= 2:
            self.statuses = tuple(names)
        elif isinstance(node, SequenceNode):
            self.source.fault(node, "`statuses` needs at least two, from best to worst")

    def read_events(self, node: Node) -> None:
        if is_null(node):
            return
        for key, (key_node, value) in self.source.mapping(node, "`events`").items():
            self.name(key_node, "an event key")
            if key == ANY_EVENT:
                self.source.fault(key_node, "`any` stands for all events; use another event key")
            settings = (
                {} if is_null(value) else self.source.mapping(value, f"event `{key}`", _EVENT_KEYS)
            )
            name = self.name(settings["name"][1], "`name`") if "name" in settings else None
            enabled = (
                self.source.boolean(settings["enabled"][1], "`enabled`")
                if "enabled" in settings
                else True
            )
            self.events[key] = EventSetting(key, name or key, enabled=enabled is not False)

    def read_defaults(self, node: Node) -> None:
        entries = self.source.mapping(node, "`defaults`", ("new_company",))
        if "new_company" in entries:
            self.default_wait = self.wait(entries["new_company"][1])

    def read_flags(self, node: Node) -> tuple[Flag, ...]:
        if is_null(node):
            return ()
        flags = [self.flag(item) for item in self.source.items(node, "`flags`")]
        return tuple(flag for flag in flags if flag is not None)

    def flag(self, node: Node) -> Flag | None:
        entries = self.source.mapping(node, "a flag", _FLAG_KEYS, required=_FLAG_KEYS[:3])
        values = {key: value for key, (_, value) in entries.items()}
        name = self.flag_name(values["flag"]) if "flag" in values else None
        event_key = self.event_key(values["event"]) if "event" in values else None
        conditions = self.conditions(values["when"]) if "when" in values else ()
        where = self.where(values["where"]) if "where" in values else ()
        wait = self.wait(values["new_company"]) if "new_company" in values else self.default_wait
        note = self.source.text(values["note"], "`note`") if "note" in values else None
        if name is None or not conditions:
            return None
        selector = Selector(None if event_key == ANY_EVENT else event_key, where)
        return Flag(name, selector, conditions, wait, note, line=node.start_mark.line + 1)

    def flag_name(self, node: Node) -> str | None:
        name = self.name(node, "`flag`")
        if name is None:
            return None
        if name in self.flag_lines:
            first = self.flag_lines[name]
            self.source.fault(node, f"the flag `{name}` is defined twice, first in line {first}")
        self.flag_lines.setdefault(name, node.start_mark.line + 1)
        return name

    def event_key(self, node: Node) -> str | None:
        key = self.source.text(node, "`event`")
        if key is None or key == ANY_EVENT:
            return key
        if key not in self.events:
            hint = did_you_mean(key, [*self.events, ANY_EVENT]) or "; add it there"
            self.source.fault(node, f"the event `{key}` is not listed under `events`{hint}")
        elif not self.events[key].enabled:
            self.source.fault(node, f"the event `{key}` is disabled, so it can never be counted")
        return key

    def conditions(self, node: Node) -> tuple[tuple[int, Condition], ...]:
        raised = self.statuses[1:]
        conditions: dict[int, Condition] = {}
        entries = self.source.mapping(node, "`when`")
        if not entries:
            self.source.fault(node, f"`when` needs a phrase for {in_words(raised)}")
        for status, (key_node, value) in entries.items():
            if status == self.statuses[0]:
                self.source.fault(
                    key_node, f"`{status}` means that nothing is raised; it takes no phrase"
                )
                continue
            if status not in raised:
                hint = did_you_mean(status, raised) or f"; known are {in_words(raised)}"
                self.source.fault(key_node, f"the status `{status}` is not known{hint}")
            condition = self.phrase(value, status)
            if condition is not None and status in raised:
                conditions[self.statuses.index(status)] = condition
        return tuple(sorted(conditions.items(), reverse=True))

    def phrase(self, node: Node, status: str) -> Condition | None:
        text = self.source.text(node, f"the phrase for `{status}`")
        if text is None:
            return None
        try:
            return parse_condition(text)
        except PhraseError as error:
            self.source.fault(node, error.message, offset=error.offset)
            return None

    def wait(self, node: Node) -> timedelta:
        text = self.source.text(node, "`new_company`")
        if text is None:
            return timedelta(0)
        try:
            return parse_new_company(text)
        except PhraseError as error:
            self.source.fault(node, error.message, offset=error.offset)
            return timedelta(0)

    def where(self, node: Node) -> tuple[tuple[Path, tuple[Any, ...]], ...]:
        filters = []
        for field, (key_node, value) in self.source.mapping(node, "`where`").items():
            root, *path = field.split(".")
            if root != "data" or not path or not all(path):
                self.source.fault(
                    key_node,
                    f"`{field}` is not in the event's `data`; write for example `data.source`",
                )
                continue
            filters.append((tuple(path), self.wanted_values(value, field)))
        return tuple(filters)

    def wanted_values(self, node: Node, field: str) -> tuple[Any, ...]:
        what = f"the value of `{field}`"
        if not isinstance(node, SequenceNode):
            return (self.wanted_value(node, what),)
        if not node.value:
            self.source.fault(node, f"the list of `{field}` is empty, so no event would count")
        return tuple(self.wanted_value(item, what) for item in node.value)

    def wanted_value(self, node: Node, what: str) -> Any:
        value = self.source.scalar(node, what)
        if isinstance(value, int | float) and not abs(value) <= LARGEST_INTEGER:
            self.source.fault(node, f"{what} is too large; a number goes up to {LARGEST_INTEGER}")
            return None
        return value

    def name(self, node: Node, what: str) -> str | None:
        name = self.source.text(node, what)
        if name is None:
            return None
        if len(name) > LONGEST_NAME or not name.isprintable():
            self.source.fault(node, f"{what} must be at most {LONGEST_NAME} characters on one line")
            return None
        return name
