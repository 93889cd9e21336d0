"""Reads a test file of rules into `Scenarios`, or tells every fault in it at once."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from rules.book import RuleBook
from rules.durations import shift
from rules.faults import RuleFileError, did_you_mean
from rules.file.phrase import read_phrase_text
from rules.file.source import Source, read_name
from rules.language.parser import parse_duration
from rules.language.tree import MAX_NESTING, MAX_TIMES
from rules.scenarios.expectations import ExpectationReader
from rules.scenarios.instants import TestInstant, read_date, read_instant
from rules.scenarios.scenario import Scenario, ScenarioEvent, Scenarios

DEFAULT_START = datetime(2026, 1, 1, tzinfo=UTC)

_FIRST_LINE = "rules: health.yaml"
_FILE_KEYS = ("rules", "start", "tests")
_TEST_KEYS = ("test", "company", "events", "expect")
_EVENT_KEYS = ("at", "event", "user", "data", "company", "times", "every")


def rules_tested_by(text: str) -> str | None:
    """The path of the rule file that a test file names, relative to it; None if it names none."""
    source = Source(text)
    if not isinstance(source.root, MappingNode):
        return None
    entries = source.mapping(source.root, "the file")
    return source.text(entries["rules"][1], "`rules`") if "rules" in entries else None


def read_scenarios(text: str, book: RuleBook | None, *, file: str = "tests") -> Scenarios:
    """Read the text of a test file; `file` is the name that faults are told with.

    `book` is what its rule file says, None where that could not be read: then events, flags and
    statuses are not looked up.

    Raises:
        RuleFileError: the text has faults; the error lists all of them.
    """
    source = Source(text, first_line=_FIRST_LINE)
    read = _Reader(source, book).scenarios(source.root) if source.root is not None else None
    if read is None or source.faults:
        raise RuleFileError(source.faults, file=file)
    return read


class _Reader:
    """Reads one source top-down; every method records faults and goes on as far as it can."""

    def __init__(self, source: Source, book: RuleBook | None) -> None:
        self.source = source
        self.book = book
        self.start = DEFAULT_START
        self.lines: dict[str, int] = {}

    def scenarios(self, root: Node) -> Scenarios | None:
        entries = self.source.mapping(root, "the file", _FILE_KEYS, required=("rules", "tests"))
        nodes = {key: value for key, (_, value) in entries.items()}
        rules = self.source.text(nodes["rules"], "`rules`") if "rules" in nodes else None
        if "start" in nodes:
            self.start = read_date(self.source, nodes["start"], "`start`") or DEFAULT_START
        tests = self.filled(nodes["tests"], "`tests`") if "tests" in nodes else []
        read = [self.test(node) for node in tests]
        return Scenarios(rules, tuple(test for test in read if test)) if rules else None

    def filled(self, node: Node, what: str) -> list[Node]:
        """The nodes of a list that must have some."""
        items = self.source.items(node, what)
        if isinstance(node, SequenceNode) and not items and not self.source.damaged:
            self.source.fault(node, f"{what} is empty; it needs at least one `-`")
        return items

    def test(self, node: Node) -> Scenario | None:
        required = ("test", "events", "expect")
        entries = self.source.mapping(node, "a test", _TEST_KEYS, required=required)
        nodes = {key: value for key, (_, value) in entries.items()}
        name = self.name(nodes["test"]) if "test" in nodes else None
        fields = self.object(nodes["company"], "`company`") if "company" in nodes else {}
        items = self.filled(nodes["events"], "`events`") if "events" in nodes else []
        events = [self.event(item) for item in items]
        # An event that could not be read may be the first.
        instants = [told[0][0] for told in events if told] if all(events) else []
        first = min(instants, key=lambda instant: instant.at, default=None)
        reader = ExpectationReader(self.source, self.book, self.start, first)
        expected = self.filled(nodes["expect"], "`expect`") if "expect" in nodes else []
        expectations = [reader.read(item) for item in expected]
        if name is None:
            return None
        known = {"id": "test", "name": name, **fields}
        return Scenario(
            name,
            node.start_mark.line + 1,
            self.start,
            _beginning_with(known, [event for told in events for _, event in told]),
            tuple(one for one in expectations if one),
        )

    def name(self, node: Node) -> str | None:
        name = read_name(self.source, node, "`test`")
        if name in self.lines:
            first = self.lines[name]
            self.source.fault(node, f"the test `{name}` stands twice, first in line {first}")
        elif name is not None:
            self.lines[name] = node.start_mark.line + 1
        return name

    def event(self, node: Node) -> list[tuple[TestInstant, ScenarioEvent]]:
        """All that one entry of `events` tells of: several times, and by several users."""
        entries = self.source.mapping(node, "an event", _EVENT_KEYS, required=("at", "event"))
        nodes = {key: value for key, (_, value) in entries.items()}
        instant = (
            read_instant(self.source, nodes["at"], "`at`", self.start) if "at" in nodes else None
        )
        event_key = self.event_key(nodes["event"]) if "event" in nodes else None
        users = self.users(nodes["user"]) if "user" in nodes else [None]
        data = self.object(nodes["data"], "`data`") if "data" in nodes else None
        fields = self.object(nodes["company"], "`company`") if "company" in nodes else {}
        times = self.times(nodes["times"]) if "times" in nodes else 1
        every = self.every(node, nodes)
        if instant is None or event_key is None:
            return []
        return [
            (instant, ScenarioEvent(shift(instant.at, every * turn), event_key, user, data, fields))
            for turn in range(times)
            for user in users
        ]

    def event_key(self, node: Node) -> str | None:
        key = self.source.text(node, "`event`")
        if key is None or self.book is None:
            return key
        if key not in self.book.events:
            hint = did_you_mean(key, self.book.events) or "; add it there"
            self.source.fault(
                node, f"the event `{key}` is not listed under `events` of the rules{hint}"
            )
        elif not self.book.events[key].enabled:
            self.source.fault(node, f"the event `{key}` is disabled in the rules, so none can come")
        return key

    def users(self, node: Node) -> list[str | None]:
        if not isinstance(node, SequenceNode):
            return [self.source.text(node, "`user`")]
        return [self.source.text(item, "a user") for item in self.filled(node, "`user`")]

    def times(self, node: Node) -> int:
        times = self.source.scalar(node, "`times`")
        if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= MAX_TIMES:
            self.source.fault(node, f"`times` must be a whole number from 1 to {MAX_TIMES:,}")
            return 1
        return times

    def every(self, event: Node, nodes: Mapping[str, Node]) -> timedelta:
        """From one time to the next; without it, all happen at the same instant."""
        if "every" not in nodes:
            return timedelta(0)
        if "times" not in nodes and not self.source.damaged:
            self.source.fault(event, "`every` needs `times`: how many times it happens")
        return read_phrase_text(
            self.source, nodes["every"], "`every`", parse_duration
        ) or timedelta(0)

    def object(self, node: Node, what: str, depth: int = 0) -> dict[str, Any]:
        entries = self.source.mapping(node, what)
        return {
            key: self.value(value, f"`{key}`", depth + 1) for key, (_, value) in entries.items()
        }

    def value(self, node: Node, what: str, depth: int) -> Any:
        """A value as JSON would have it."""
        if depth > MAX_NESTING:
            self.source.fault(node, f"{what} is nested more than {MAX_NESTING} deep")
            return None
        if isinstance(node, MappingNode):
            return self.object(node, what, depth)
        if isinstance(node, SequenceNode):
            return [self.value(item, f"a value of {what}", depth + 1) for item in node.value]
        return self.source.scalar(node, what)


def _beginning_with(
    fields: Mapping[str, Any], events: list[ScenarioEvent]
) -> tuple[ScenarioEvent, ...]:
    """Happenings in order, the first of which brings the fields besides its own."""
    in_order = sorted(events, key=lambda event: event.at)
    for first in in_order[:1]:
        in_order[0] = ScenarioEvent(
            first.at, first.event_key, first.user, first.data, {**fields, **first.company}
        )
    return tuple(in_order)
