"""Reads what a test of rules expects at an instant."""

from collections.abc import Collection
from datetime import datetime

from ruamel.yaml.nodes import Node

from rules.book import RuleBook
from rules.faults import did_you_mean, in_words
from rules.file.source import Source
from rules.flags import Flag
from rules.scenarios.instants import Moment, read_moment
from rules.scenarios.scenario import Claim, Expectation, FlagChanges, FlagStands, ScoreIs, StatusIs
from rules.statuses import NOT_APPLICABLE

NEVER = "never"

_CLAIMS = ("status", "score", "flags", "changes")


class ExpectationReader:
    """Reads expectations; faults are recorded at their place.

    `book` is None where the rules could not be read: then any flag and status is taken. A
    company is known from `first_seen_at` on, None where that could not be read.
    """

    def __init__(
        self,
        source: Source,
        book: RuleBook | None,
        start: datetime,
        first_seen_at: Moment | None,
    ) -> None:
        self.source = source
        self.book = book
        self.start = start
        self.first_seen_at = first_seen_at

    def read(self, node: Node) -> Expectation | None:
        """One expectation; None if it lacks what makes one."""
        entries = self.source.mapping(node, "an expectation", ("at", *_CLAIMS), required=("at",))
        nodes = {key: value for key, (_, value) in entries.items()}
        moment = self._moment(nodes["at"]) if "at" in nodes else None
        claims: list[Claim] = []
        if "status" in nodes:
            claims += self._status(nodes["status"])
        if "score" in nodes:
            claims += self._score(nodes["score"])
        if "flags" in nodes:
            claims += self._flags(nodes["flags"])
        if "changes" in nodes:
            claims += self._changes(nodes["changes"], moment)
        if entries.keys() == {"at"} and not self.source.torn:
            self.source.fault(node, f"nothing is expected here; add one of {in_words(_CLAIMS)}")
        return Expectation(moment, tuple(claims)) if moment else None

    def _moment(self, node: Node) -> Moment | None:
        moment = read_moment(self.source, node, "`at`", self.start)
        first = self.first_seen_at
        if moment and first and moment.at < first.at:
            self.source.fault(
                node,
                f"`{moment.written}` is before the first event, at {first.written}:"
                " a company is known from its first event on",
            )
        return moment

    def _status(self, node: Node) -> list[Claim]:
        name = self.source.text(node, "`status`")
        if name is None or self.book is None or not self._is_known(node, name, self.book.statuses):
            return []
        return [StatusIs(_line(node), name)]

    def _score(self, node: Node) -> list[Claim]:
        value = self.source.scalar(node, "`score`")
        if value == NOT_APPLICABLE:
            return [ScoreIs(_line(node), None)]
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 100:
            self.source.fault(node, "`score` must be a whole number from 0 to 100, or `N/A`")
            return []
        return [ScoreIs(_line(node), value)]

    def _flags(self, node: Node) -> list[Claim]:
        claims: list[Claim] = []
        for name, (key_node, value) in self._named(node, "`flags`", "Logins: At Risk").items():
            known = self._is_known_flag(key_node, name)
            status = self.source.text(value, f"the status of `{name}`")
            if known and status is not None and self._is_possible(value, name, status):
                claims.append(FlagStands(_line(key_node), name, status))
        return claims

    def _changes(self, node: Node, moment: Moment | None) -> list[Claim]:
        claims: list[Claim] = []
        for name, (key_node, value) in self._named(node, "`changes`", "Logins: 8 days").items():
            known = self._is_known_flag(key_node, name)
            what = f"the next change of `{name}`"
            text = self.source.text(value, what)
            if text is None:
                continue
            when = None if text == NEVER else read_moment(self.source, value, what, self.start)
            if when and moment and when.at <= moment.at:
                self.source.fault(
                    value, f"a next change comes after the instant itself, {moment.written}"
                )
            elif known and (when or text == NEVER):
                claims.append(FlagChanges(_line(key_node), name, when))
        return claims

    def _named(self, node: Node, what: str, example: str) -> dict[str, tuple[Node, Node]]:
        entries = self.source.mapping(node, what)
        if not entries and not self.source.torn and not node.value:
            self.source.fault(node, f"{what} is empty; write for example `{example}`")
        return entries

    def _is_known_flag(self, node: Node, name: str) -> bool:
        if self.book is None or name in self.book.flags_by_name:
            return self.book is not None
        hint = did_you_mean(name, self.book.flags_by_name) or "; it is not in the rule file"
        self.source.fault(node, f"there is no flag `{name}`{hint}")
        return False

    def _is_possible(self, node: Node, flag: str, status: str) -> bool:
        """Whether a flag can have a status at all."""
        if self.book is None:
            return False
        statuses = self.book.statuses
        if not self._is_known(node, status, (*statuses, NOT_APPLICABLE)):
            return False
        possible = [*possible_statuses(self.book, self.book.flags_by_name[flag]), NOT_APPLICABLE]
        if status not in possible:
            self.source.fault(
                node, f"`{flag}` can never be `{status}`; it can be {in_words(possible)}"
            )
        return status in possible

    def _is_known(self, node: Node, status: str, known: Collection[str]) -> bool:
        if status in known:
            return True
        hint = did_you_mean(status, known) or f"; known are {in_words(known)}"
        self.source.fault(node, f"the status `{status}` is not known{hint}")
        return False


def possible_statuses(book: RuleBook, flag: Flag) -> list[str]:
    """The statuses that a flag can have, best first."""
    levels = {0, *(level for level, _ in flag.conditions)}
    if flag.if_missing is not None:
        levels.add(flag.if_missing)
    return [book.statuses[level] for level in sorted(levels)]


def _line(node: Node) -> int:
    line: int = node.start_mark.line + 1
    return line
