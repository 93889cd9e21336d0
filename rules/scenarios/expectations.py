"""Reads the expectations of a test."""

from collections.abc import Collection
from datetime import datetime

from ruamel.yaml.nodes import Node

from rules.book import RuleBook
from rules.faults import did_you_mean, list_names, unknown_status
from rules.file.source import Source
from rules.flags import Flag
from rules.scenarios.instants import TestInstant, read_instant
from rules.scenarios.scenario import (
    Assertion,
    Expectation,
    FlagChangesAt,
    FlagStatusIs,
    ScoreIs,
    StatusIs,
)
from rules.statuses import NOT_APPLICABLE

NEVER = "never"

_ASSERTION_KEYS = ("status", "score", "flags", "changes")


class ExpectationReader:
    """Reads expectations and records faults at their positions.

    `book` is None if the rules could not be read; any flag and status is accepted then.
    `first_seen_at` is since when the company is known, None if that could not be read.
    """

    def __init__(
        self,
        source: Source,
        book: RuleBook | None,
        start: datetime,
        first_seen_at: TestInstant | None,
    ) -> None:
        self.source = source
        self.book = book
        self.start = start
        self.first_seen_at = first_seen_at

    def read(self, node: Node) -> Expectation | None:
        """Read one expectation; return None if its instant is missing or invalid."""
        entries = self.source.mapping(
            node, "an expectation", ("at", *_ASSERTION_KEYS), required=("at",)
        )
        nodes = {key: value for key, (_, value) in entries.items()}
        instant = self._instant(nodes["at"]) if "at" in nodes else None
        assertions: list[Assertion] = []
        if "status" in nodes:
            assertions += self._status(nodes["status"])
        if "score" in nodes:
            assertions += self._score(nodes["score"])
        if "flags" in nodes:
            assertions += self._flags(nodes["flags"])
        if "changes" in nodes:
            assertions += self._changes(nodes["changes"], instant)
        if entries.keys() == {"at"} and not self.source.damaged:
            self.source.fault(
                node, f"nothing is expected here; add one of {list_names(_ASSERTION_KEYS)}"
            )
        return Expectation(instant, tuple(assertions)) if instant else None

    def _instant(self, node: Node) -> TestInstant | None:
        instant = read_instant(self.source, node, "`at`", self.start)
        first = self.first_seen_at
        if instant and first and instant.at < first.at:
            self.source.fault(
                node,
                f"`{instant.written}` is before the first event, at {first.written}:"
                " a company is known from its first event on",
            )
        return instant

    def _status(self, node: Node) -> list[Assertion]:
        name = self.source.text(node, "`status`")
        if name is None or self.book is None or not self._is_known(node, name, self.book.statuses):
            return []
        return [StatusIs(_line(node), name)]

    def _score(self, node: Node) -> list[Assertion]:
        value = self.source.scalar(node, "`score`")
        if value == NOT_APPLICABLE:
            return [ScoreIs(_line(node), None)]
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 100:
            self.source.fault(node, "`score` must be a whole number from 0 to 100, or `N/A`")
            return []
        return [ScoreIs(_line(node), value)]

    def _flags(self, node: Node) -> list[Assertion]:
        assertions: list[Assertion] = []
        for name, (key_node, value) in self._named(node, "`flags`", "Logins: At Risk").items():
            is_known = self._is_known_flag(key_node, name)
            status = self.source.text(value, f"the status of `{name}`")
            if is_known and status is not None and self._is_possible(value, name, status):
                assertions.append(FlagStatusIs(_line(key_node), name, status))
        return assertions

    def _changes(self, node: Node, instant: TestInstant | None) -> list[Assertion]:
        assertions: list[Assertion] = []
        for name, (key_node, value) in self._named(node, "`changes`", "Logins: 8 days").items():
            is_known = self._is_known_flag(key_node, name)
            what = f"the next change of `{name}`"
            text = self.source.text(value, what)
            if text is None:
                continue
            when = None if text == NEVER else read_instant(self.source, value, what, self.start)
            if when and instant and when.at <= instant.at:
                self.source.fault(
                    value, f"a next change comes after the instant itself, {instant.written}"
                )
            elif is_known and (when or text == NEVER):
                assertions.append(FlagChangesAt(_line(key_node), name, when))
        return assertions

    def _named(self, node: Node, what: str, example: str) -> dict[str, tuple[Node, Node]]:
        entries = self.source.mapping(node, what)
        if not entries and not self.source.damaged and not node.value:
            self.source.fault(node, f"{what} is empty; write for example `{example}`")
        return entries

    def _is_known_flag(self, node: Node, name: str) -> bool:
        if self.book is None or name in self.book.flags_by_name:
            return self.book is not None
        hint = did_you_mean(name, self.book.flags_by_name) or "; it is not in the rule file"
        self.source.fault(node, f"there is no flag `{name}`{hint}")
        return False

    def _is_possible(self, node: Node, flag: str, status: str) -> bool:
        """Return whether a flag can ever have a status; a fault is recorded if not."""
        if self.book is None:
            return False
        statuses = self.book.statuses
        if not self._is_known(node, status, (*statuses, NOT_APPLICABLE)):
            return False
        possible = [*possible_statuses(self.book, self.book.flags_by_name[flag]), NOT_APPLICABLE]
        if status not in possible:
            self.source.fault(
                node, f"`{flag}` can never be `{status}`; it can be {list_names(possible)}"
            )
        return status in possible

    def _is_known(self, node: Node, status: str, statuses: Collection[str]) -> bool:
        if status in statuses:
            return True
        self.source.fault(node, unknown_status(status, statuses))
        return False


def possible_statuses(book: RuleBook, flag: Flag) -> list[str]:
    """Return the statuses that a flag can have, best first."""
    levels = {0, *(level for level, _ in flag.conditions)}
    if flag.if_missing is not None:
        levels.add(flag.if_missing)
    return [book.statuses[level] for level in sorted(levels)]


def _line(node: Node) -> int:
    line: int = node.start_mark.line + 1
    return line
