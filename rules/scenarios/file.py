"""Reads a test file into `Scenarios`, or reports all of its faults at once."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from rules.book import RuleBook
from rules.durations import shift
from rules.faults import RuleFileError, did_you_mean
from rules.file.phrase import read_phrase_text
from rules.file.source import Source, TooManyFaults, read_name
from rules.language.parser import parse_duration
from rules.language.tree import MAX_NESTING, MAX_TIMES
from rules.scenarios.expectations import ExpectationReader
from rules.scenarios.instants import TestInstant, read_date, read_instant
from rules.scenarios.scenario import Scenario, ScenarioEvent, Scenarios

DEFAULT_START = datetime(2026, 1, 1, tzinfo=UTC)

MOST_EVENTS = 100_000
"""In all tests of a file, counting repetitions."""

_FIRST_LINE = "rules: health.yaml"
_FILE_KEYS = ("rules", "start", "tests")
_TEST_KEYS = ("test", "company", "events", "expect")
_EVENT_KEYS = ("at", "event", "user", "data", "company", "times", "every")


def rules_tested_by(text: str) -> str | None:
    """Return the path of the rule file that a test file names, relative to it, or None."""
    source = Source(text)
    if not isinstance(source.root, MappingNode):
        return None
    entries = source.mapping(source.root, "the file")
    return source.text(entries["rules"][1], "`rules`") if "rules" in entries else None


def read_scenarios(text: str, book: RuleBook | None, *, file: str = "tests") -> Scenarios:
    """Read the text of a test file; `file` is the name used when reporting faults.

    `book` is read from its rule file, None if that could not be read; events, flags and statuses
    are not checked then.

    Raises:
        RuleFileError: the text has faults; the exception lists all of them.
    """
    source = Source(text, first_line=_FIRST_LINE)
    scenarios = None
    with suppress(TooManyFaults):
        scenarios = (
            _Reader(source, book).scenarios(source.root) if source.root is not None else None
        )
    if scenarios is None or source.faults:
        raise RuleFileError(source.faults, file=file)
    return scenarios


class _Reader:
    """Reads one source top-down; every method records faults and continues as far as possible."""

    def __init__(self, source: Source, book: RuleBook | None) -> None:
        self.source = source
        self.book = book
        self.start = DEFAULT_START
        self.lines: dict[str, int] = {}
        self.events = 0

    def scenarios(self, root: Node) -> Scenarios | None:
        entries = self.source.mapping(root, "the file", _FILE_KEYS, required=("rules", "tests"))
        nodes = {key: value for key, (_, value) in entries.items()}
        rules = self.source.text(nodes["rules"], "`rules`") if "rules" in nodes else None
        if "start" in nodes:
            self.start = read_date(self.source, nodes["start"], "`start`") or DEFAULT_START
        items = self.read_items(nodes["tests"], "`tests`") if "tests" in nodes else []
        tests = [self.test(node) for node in items]
        return Scenarios(rules, tuple(test for test in tests if test)) if rules else None

    def read_items(self, node: Node, what: str) -> list[Node]:
        """Read a list that must not be empty."""
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
        items = self.read_items(nodes["events"], "`events`") if "events" in nodes else []
        entries_read = [self.event(item) for item in items]
        # An event that could not be read may be the first.
        instants = [repeated[0][0] for repeated in entries_read] if all(entries_read) else []
        first = min(instants, key=lambda instant: instant.at, default=None)
        reader = ExpectationReader(self.source, self.book, self.start, first)
        expected = self.read_items(nodes["expect"], "`expect`") if "expect" in nodes else []
        expectations = [reader.read(item) for item in expected]
        if name is None:
            return None
        company = {"id": "test", "name": name, **fields}
        events = [event for repeated in entries_read for _, event in repeated]
        return Scenario(
            name,
            node.start_mark.line + 1,
            self.start,
            _in_order(company, events),
            tuple(expectation for expectation in expectations if expectation),
        )

    def name(self, node: Node) -> str | None:
        name = read_name(self.source, node, "`test`")
        if name in self.lines:
            first = self.lines[name]
            self.source.fault(node, f"the test `{name}` is defined twice, first on line {first}")
        elif name is not None:
            self.lines[name] = node.start_mark.line + 1
        return name

    def event(self, node: Node) -> list[tuple[TestInstant, ScenarioEvent]]:
        """Read one entry of `events`, which may be repeated and have several users."""
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
        self.events += times * len(users)
        if self.events > MOST_EVENTS:
            self.source.fault(node, f"a file has at most {MOST_EVENTS:,} events")
            raise TooManyFaults(MOST_EVENTS)
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
            self.source.fault(
                node, f"the event `{key}` is disabled in the rules, so it cannot be sent"
            )
        return key

    def users(self, node: Node) -> list[str | None]:
        if not isinstance(node, SequenceNode):
            return [self.source.text(node, "`user`")]
        return [self.source.text(item, "a user") for item in self.read_items(node, "`user`")]

    def times(self, node: Node) -> int:
        times = self.source.scalar(node, "`times`")
        if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= MAX_TIMES:
            self.source.fault(node, f"`times` must be a whole number from 1 to {MAX_TIMES:,}")
            return 1
        return times

    def every(self, event: Node, nodes: Mapping[str, Node]) -> timedelta:
        """Read the interval between repetitions; without it, all occur at the same instant."""
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
        """Read a value as JSON would represent it."""
        if depth > MAX_NESTING:
            self.source.fault(node, f"{what} is nested more than {MAX_NESTING} deep")
            return None
        if isinstance(node, MappingNode):
            return self.object(node, what, depth)
        if isinstance(node, SequenceNode):
            return [self.value(item, f"a value of {what}", depth + 1) for item in node.value]
        return self.source.scalar(node, what)


def _in_order(fields: Mapping[str, Any], events: list[ScenarioEvent]) -> tuple[ScenarioEvent, ...]:
    """Sort events by time, and add the company's fields to those of the first."""
    in_order = sorted(events, key=lambda event: event.at)
    for first in in_order[:1]:
        in_order[0] = ScenarioEvent(
            first.at, first.event_key, first.user, first.data, {**fields, **first.company}
        )
    return tuple(in_order)
