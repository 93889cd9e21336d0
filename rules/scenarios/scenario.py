"""Tests of rule files: a sequence of events, and a company's expected health at given instants.

The company is evaluated by `review` on the facts up to an instant, as in production.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rules.book import RuleBook, worst_level
from rules.durations import MAX_WINDOW, format_offset, shift
from rules.facts_in_memory import FactsInMemory, FieldChange, Occurrence
from rules.flags import Flag, Verdict
from rules.judging.review import Review, deciding_phrase, review
from rules.judging.state import CompanyState
from rules.scenarios.instants import TestInstant
from rules.statuses import NOT_APPLICABLE


@dataclass(frozen=True)
class ScenarioEvent:
    """An event of a test, and the company fields sent with it."""

    at: datetime
    event_key: str
    user: str | None
    data: Mapping[str, Any] | None
    company: Mapping[str, Any]


@dataclass(frozen=True)
class Failure:
    """An expectation that is not met: its line, and what happened instead."""

    line: int
    message: str


@dataclass(frozen=True)
class Observation:
    """The company's actual health at an instant, and how the test file formats instants."""

    book: RuleBook
    review: Review
    format_instant: Callable[[datetime], str]

    def status_of(self, flag: str) -> str:
        """Return a flag's status, or `N/A`."""
        return self.book.status_name(self.review.verdicts[flag].level)


@dataclass(frozen=True)
class Assertion(ABC):
    """A single assertion, with its line in the test file."""

    line: int

    @abstractmethod
    def failure_message(self, observation: Observation) -> str | None:
        """Return what was expected and what happened instead; None if it is as expected."""


@dataclass(frozen=True)
class StatusIs(Assertion):
    """Asserts the company's status."""

    status: str

    def failure_message(self, observation: Observation) -> str | None:
        """See `Assertion.failure_message`."""
        actual = observation.review.state.status
        if actual == self.status:
            return None
        reasons = "; ".join(
            f"{flag.name}: {_explain_status(observation, flag)}"
            for flag in self._responsible_flags(observation)
        )
        return f"expected status {self.status}, but it is {actual}" + (reasons and f"; {reasons}")

    def _responsible_flags(self, observation: Observation) -> list[Flag]:
        """Return the flags that made the status too bad, or that could have made it as expected."""
        flags, verdicts = observation.book.flags, observation.review.verdicts
        expected = observation.book.statuses.index(self.status)
        if worst_level(verdict.level for verdict in verdicts.values()) > expected:
            return [flag for flag in flags if (verdicts[flag.name].level or 0) > expected]
        return [flag for flag in flags if any(level == expected for level, _ in flag.conditions)]


@dataclass(frozen=True)
class ScoreIs(Assertion):
    """Asserts the company's score, None for N/A."""

    score: int | None

    def failure_message(self, observation: Observation) -> str | None:
        """See `Assertion.failure_message`."""
        verdicts = observation.review.verdicts
        score = observation.book.score({name: verdict.level for name, verdict in verdicts.items()})
        if score == self.score:
            return None
        flags = ", ".join(f"{name}: {observation.status_of(name)}" for name in verdicts)
        expected, actual = (NOT_APPLICABLE if s is None else s for s in (self.score, score))
        return f"expected score {expected}, but it is {actual}" + (flags and f"; {flags}")


@dataclass(frozen=True)
class FlagStatusIs(Assertion):
    """Asserts a flag's status, or `N/A`."""

    flag: str
    status: str

    def failure_message(self, observation: Observation) -> str | None:
        """See `Assertion.failure_message`."""
        if observation.status_of(self.flag) == self.status:
            return None
        reason = _explain_status(observation, observation.book.flags_by_name[self.flag])
        return f"expected {self.flag} to be {self.status}, but it is {reason}"


@dataclass(frozen=True)
class FlagChangesAt(Assertion):
    """Asserts when a flag's status changes next if nothing happens, None for never."""

    flag: str
    when: TestInstant | None

    def failure_message(self, observation: Observation) -> str | None:
        """See `Assertion.failure_message`."""
        steps = [step for t in observation.review.upcoming for step in t.changes]
        step = next((step for step in steps if step.flag == self.flag), None)
        if (step and step.at) == (self.when and self.when.at):
            return None
        expected = f"to change at {self.when.written}" if self.when else "never to change"
        actual = "it never does"
        if step:
            status = observation.book.status_name(step.after)
            actual = f"it becomes {status} at {observation.format_instant(step.at)}"
        return f"expected {self.flag} {expected} if nothing happens, but {actual}"


@dataclass(frozen=True)
class Expectation:
    """The assertions for one instant."""

    instant: TestInstant
    assertions: tuple[Assertion, ...]


@dataclass(frozen=True)
class Scenario:
    """One test: events in order, starting at `start`, and expectations."""

    name: str
    line: int
    start: datetime
    events: tuple[ScenarioEvent, ...]
    expectations: tuple[Expectation, ...]

    def facts(self, until: datetime) -> FactsInMemory:
        """Return the facts about the company up to an instant."""
        events = [event for event in self.events if event.at <= until]
        occurrences = [Occurrence(e.at, e.event_key, e.data, e.user) for e in events]
        field_changes = [
            FieldChange(event.at, field, value)
            for event in events
            for field, value in event.company.items()
        ]
        return FactsInMemory(occurrences, field_changes)


@dataclass(frozen=True)
class Scenarios:
    """A test file: the path of its rule file, as written there, and the tests."""

    rules: str
    tests: tuple[Scenario, ...]


def run(scenario: Scenario, book: RuleBook) -> list[Failure]:
    """Run a test against a book; return every expectation that is not met, in file order."""
    failures = []
    for expectation in scenario.expectations:
        instant = expectation.instant
        observation = Observation(
            book, _review_at(scenario, book, instant.at), _formatter(scenario, instant)
        )
        for assertion in expectation.assertions:
            message = assertion.failure_message(observation)
            if message:
                failures.append(Failure(assertion.line, f"at {instant.written}: {message}"))
    return failures


def _review_at(scenario: Scenario, book: RuleBook, at: datetime) -> Review:
    facts = scenario.facts(at)
    new_company = CompanyState(book.statuses[0], facts.first_seen_at, None, {})
    return review(book, new_company, facts, now=at, until=shift(at, MAX_WINDOW))


def _formatter(scenario: Scenario, instant: TestInstant) -> Callable[[datetime], str]:
    """Return a function that formats instants as the file writes this one."""

    def format_instant(at: datetime) -> str:
        if instant.is_date or at.microsecond:
            return at.astimezone(UTC).isoformat(" ").removesuffix("+00:00").removesuffix(":00")
        return format_offset(at - scenario.start)

    return format_instant


def _explain_status(observation: Observation, flag: Flag) -> str:
    verdict = observation.review.verdicts[flag.name]
    return f"{observation.status_of(flag.name)} because {_explain(flag, verdict)}"


def _explain(flag: Flag, verdict: Verdict) -> str:
    deciding = deciding_phrase(flag, verdict)
    if deciding is None:
        return verdict.reason.value
    phrase, finding = deciding
    return f"{verdict.reason.value} ({phrase}: {phrase.describe(finding)})"
