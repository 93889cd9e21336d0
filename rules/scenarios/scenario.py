"""Tests of rule files: a story of events, and how a company stands at instants of it.

A company is judged by `review` on the facts up to an instant, just as it is judged live.
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
    """An event of a story, and the fields of the company that came with it."""

    at: datetime
    event_key: str
    user: str | None
    data: Mapping[str, Any] | None
    company: Mapping[str, Any]


@dataclass(frozen=True)
class Failure:
    """An expectation that is not met: where it stands, and what is so instead."""

    line: int
    message: str


@dataclass(frozen=True)
class Observation:
    """What is so at an instant, and how a file spells instants."""

    book: RuleBook
    review: Review
    spell: Callable[[datetime], str]

    def status_of(self, flag: str) -> str:
        """A flag's status, or `N/A`."""
        return self.book.status_name(self.review.verdicts[flag].level)


@dataclass(frozen=True)
class Assertion(ABC):
    """One thing that is expected, and the line where it is."""

    line: int

    @abstractmethod
    def failure_message(self, observation: Observation) -> str | None:
        """What was expected and what is so instead; None where it is as expected."""


@dataclass(frozen=True)
class StatusIs(Assertion):
    """The company's status."""

    status: str

    def failure_message(self, observation: Observation) -> str | None:
        """See `Claim.contradiction`."""
        found = observation.review.state.status
        if found == self.status:
            return None
        reasons = "; ".join(
            f"{flag.name}: {_status_and_reason(observation, flag)}"
            for flag in self._responsible(observation)
        )
        return f"expected status {self.status}, but it is {found}" + (reasons and f"; {reasons}")

    def _responsible(self, observation: Observation) -> list[Flag]:
        """The flags that make the status worse than expected, or that could have made it so."""
        flags, verdicts = observation.book.flags, observation.review.verdicts
        expected = observation.book.statuses.index(self.status)
        if worst_level(verdict.level for verdict in verdicts.values()) > expected:
            return [flag for flag in flags if (verdicts[flag.name].level or 0) > expected]
        return [flag for flag in flags if any(level == expected for level, _ in flag.conditions)]


@dataclass(frozen=True)
class ScoreIs(Assertion):
    """The company's score, None for N/A."""

    score: int | None

    def failure_message(self, observation: Observation) -> str | None:
        """See `Claim.contradiction`."""
        verdicts = observation.review.verdicts
        found = observation.book.score({name: verdict.level for name, verdict in verdicts.items()})
        if found == self.score:
            return None
        flags = ", ".join(f"{name}: {observation.status_of(name)}" for name in verdicts)
        expected, is_so = (NOT_APPLICABLE if s is None else s for s in (self.score, found))
        return f"expected score {expected}, but it is {is_so}" + (flags and f"; {flags}")


@dataclass(frozen=True)
class FlagStatusIs(Assertion):
    """A flag's status, or `N/A`."""

    flag: str
    status: str

    def failure_message(self, observation: Observation) -> str | None:
        """See `Claim.contradiction`."""
        if observation.status_of(self.flag) == self.status:
            return None
        reason = _status_and_reason(observation, observation.book.flags_by_name[self.flag])
        return f"expected {self.flag} to be {self.status}, but it is {reason}"


@dataclass(frozen=True)
class FlagChangesAt(Assertion):
    """When a flag's status changes next if nothing happens, None for never."""

    flag: str
    when: TestInstant | None

    def failure_message(self, observation: Observation) -> str | None:
        """See `Claim.contradiction`."""
        steps = [step for t in observation.review.upcoming for step in t.changes]
        step = next((step for step in steps if step.flag == self.flag), None)
        if (step and step.at) == (self.when and self.when.at):
            return None
        expected = f"to change at {self.when.written}" if self.when else "never to change"
        is_so = "it never does"
        if step:
            status = observation.book.status_name(step.after)
            is_so = f"it becomes {status} at {observation.spell(step.at)}"
        return f"expected {self.flag} {expected} if nothing happens, but {is_so}"


@dataclass(frozen=True)
class Expectation:
    """What is expected at a moment."""

    instant: TestInstant
    assertions: tuple[Assertion, ...]


@dataclass(frozen=True)
class Scenario:
    """One test: a story that begins at `start`, with its events in order, and what is expected."""

    name: str
    line: int
    start: datetime
    events: tuple[ScenarioEvent, ...]
    expectations: tuple[Expectation, ...]

    def facts(self, until: datetime) -> FactsInMemory:
        """What is known of the company up to an instant."""
        known = [event for event in self.events if event.at <= until]
        events = [Occurrence(one.at, one.event_key, one.data, one.user) for one in known]
        fields = [
            FieldChange(one.at, field, value)
            for one in known
            for field, value in one.company.items()
        ]
        return FactsInMemory(events, fields)


@dataclass(frozen=True)
class Scenarios:
    """A test file once read: the path of the rule file as it is written there, and the tests."""

    rules: str
    tests: tuple[Scenario, ...]


def run(scenario: Scenario, book: RuleBook) -> list[Failure]:
    """Judge the company of a test by a book; every expectation that is not met, in file order."""
    failures = []
    for expectation in scenario.expectations:
        instant = expectation.instant
        observation = Observation(
            book, _judged(scenario, book, instant.at), _speller(scenario, instant)
        )
        for assertion in expectation.assertions:
            failure_message = assertion.failure_message(observation)
            if failure_message:
                failures.append(Failure(assertion.line, f"at {instant.written}: {failure_message}"))
    return failures


def _judged(scenario: Scenario, book: RuleBook, at: datetime) -> Review:
    facts = scenario.facts(at)
    unjudged = CompanyState(book.statuses[0], facts.first_seen_at, None, {})
    return review(book, unjudged, facts, now=at, until=shift(at, MAX_WINDOW))


def _speller(scenario: Scenario, instant: TestInstant) -> Callable[[datetime], str]:
    """Spells instants as the file spells this one."""

    def spell(at: datetime) -> str:
        if instant.is_date or at.microsecond:
            return at.astimezone(UTC).isoformat(" ").removesuffix("+00:00").removesuffix(":00")
        return format_offset(at - scenario.start)

    return spell


def _status_and_reason(observation: Observation, flag: Flag) -> str:
    verdict = observation.review.verdicts[flag.name]
    return f"{observation.status_of(flag.name)} because {_reason(flag, verdict)}"


def _reason(flag: Flag, verdict: Verdict) -> str:
    deciding = deciding_phrase(flag, verdict)
    if deciding is None:
        return verdict.reason.value
    phrase, finding = deciding
    return f"{verdict.reason.value} ({phrase}: {phrase.describe(finding)})"
