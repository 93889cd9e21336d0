"""Reads facts about companies: each when it is asked for, or those of many companies together.

A judgement asks for one fact after another, and what it asks for depends on the answers. To judge
many companies with few statements, `judge_together` runs each judgement until it asks for a fact
that was not read yet. It then reads all of these with one statement for each kind of question, and
runs the judgements again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from models.companies.fields import field_history
from models.events import bulk_lookups, events
from models.events.bulk_lookups import EventProbe, ProbedEvents
from models.events.events import Selection
from rules.durations import END
from rules.facts import USER, Path, Selector
from services.errors import ServiceError

MOST_ROUNDS = 30
"""Rounds of reading after which the rest is judged one company at a time."""

MOST_EVENTS = 1_000
"""Events of a company that are read together with those of others, so that memory is bounded."""

_Key = TypeVar("_Key")
_Result = TypeVar("_Result")


class Kind(StrEnum):
    """What is asked about the events of a company, or about a field of it."""

    LATEST = "the times of the latest events, newest first"
    LATEST_OF_EACH = "the latest time of each user or value, newest first"
    VALUES = "the times and values of events, oldest first"
    FIRST = "the time of the first event"
    FIELD = "the value of a field at an instant, and its later changes"


class Question(NamedTuple):
    """A question about one company.

    `path` is that of the values, users or field; a field has no `selector`, and only `probe.since`.
    """

    kind: Kind
    selector: Selector | None
    path: Path
    probe: EventProbe

    def about(self, company_id: int) -> "Question":
        """Return the same question about another company."""
        return self._replace(probe=self.probe._replace(company_id=company_id))


def field_question(company_id: int, name: str, since: datetime) -> Question:
    """Return the question about a field."""
    return Question(Kind.FIELD, None, (name,), EventProbe(company_id, since, END, 0))


Ask = Callable[[Question], Any]
"""Answers a question; see `Kind` for what the answers are."""


def read_one(organization_id: int, question: Question) -> Any:
    """Answer a question with a statement of its own."""
    kind, selector, path, (company_id, since, until, limit) = question
    if selector is None:
        return field_history.read_for_each(organization_id, path[0], [(company_id, since)])[0]
    selection = Selection(
        organization_id, company_id, selector.event_key, selector.where, since, until
    )
    if kind is Kind.VALUES:
        return events.read_values(selection, path)
    if kind is Kind.FIRST:
        return events.find_first(selection)
    if kind is Kind.LATEST:
        return events.find_latest(selection, limit=limit)
    if path == USER:
        return events.find_latest_by_user(selection, limit=limit)
    return events.find_latest_by_value(selection, path[1:], limit=limit)


class _NotReadYet(ServiceError):
    """Raised when a judgement asks for what the next round reads."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question


class _TooManyEvents(ServiceError):
    """Raised when a judgement asks for more events than are read together."""


class _Group(NamedTuple):
    """What questions that one statement answers have in common."""

    kind: Kind
    selector: str | None
    path: Path


def _group_of(question: Question) -> _Group:
    selector = question.selector
    return _Group(question.kind, selector.identity if selector else None, question.path)


@dataclass
class ReadsTogether:
    """Answers what was read, and notes what else is asked for, for the next round."""

    organization_id: int
    _answers: dict[_Group, dict[EventProbe, Any]] = field(default_factory=dict)
    _asked: dict[_Group, list[Question]] = field(default_factory=dict)

    def ask(self, question: Question) -> Any:
        """Answer a question, for `judge_together`, which catches what this raises."""
        answers = self._answers.get(_group_of(question), {})
        if question.probe not in answers:
            self.expect(question)
            raise _NotReadYet(question)
        answer = answers[question.probe]
        if answer is None and question.kind is not Kind.FIRST:
            raise _TooManyEvents
        return answer

    def expect(self, question: Question) -> None:
        """Note a question for the next round."""
        self._asked.setdefault(_group_of(question), []).append(question)

    def read(self) -> None:
        """Read what was asked for."""
        asked, self._asked = self._asked, {}
        for group, questions in asked.items():
            probes = list(dict.fromkeys(question.probe for question in questions))
            answers = self._answers.setdefault(group, {})
            answers.update(zip(probes, self._read(questions[0], probes), strict=True))

    def _read(self, question: Question, probes: list[EventProbe]) -> list[Any]:
        kind, selector, path, _ = question
        if selector is None:
            since = [(probe.company_id, probe.since) for probe in probes]
            return field_history.read_for_each(self.organization_id, path[0], since)
        probed = ProbedEvents(self.organization_id, selector.event_key, selector.where)
        if kind is Kind.LATEST:
            return bulk_lookups.find_latest(probed, probes)
        if kind is Kind.LATEST_OF_EACH:
            return bulk_lookups.find_latest_of_each(probed, path, probes, most=MOST_EVENTS)
        most = 1 if kind is Kind.FIRST else MOST_EVENTS + 1
        limited = [probe._replace(limit=most) for probe in probes]
        values = bulk_lookups.read_values(probed, path, limited)
        if kind is Kind.FIRST:
            return [first[0][0] if first else None for first in values]
        return [None if len(of_probe) == most else of_probe for of_probe in values]


def judge_alike(
    reads: ReadsTogether, judgements: Mapping[int, Callable[[], _Result]]
) -> tuple[dict[int, _Result], list[int]]:
    """Run judgements by company that ask `reads` nearly the same; see `judge_together`.

    What the first one lacks is read about all companies, so most of the others run only once.
    """
    lacking = next((_lacking(judge) for judge in judgements.values()), None)
    if lacking is not None:
        for company_id in judgements:
            reads.expect(lacking.about(company_id))
        reads.read()
    return judge_together(reads, judgements)


def _lacking(judge: Callable[[], object]) -> Question | None:
    """Return what a judgement asks for that was not read yet; None if nothing."""
    try:
        judge()
    except _NotReadYet as asked:
        return asked.question
    except _TooManyEvents:
        return None
    return None


def judge_together(
    reads: ReadsTogether, judgements: Mapping[_Key, Callable[[], _Result]]
) -> tuple[dict[_Key, _Result], list[_Key]]:
    """Run judgements that ask `reads`; also return those that need too many rounds or events.

    A judgement is run several times, so it must do nothing but judge.
    """
    results: dict[_Key, _Result] = {}
    beyond: list[_Key] = []
    waiting = dict(judgements)
    for _ in range(MOST_ROUNDS):
        for key, judge in list(waiting.items()):
            try:
                results[key] = judge()
            except _NotReadYet:
                continue
            except _TooManyEvents:
                beyond.append(key)
            del waiting[key]
        if not waiting:
            break
        reads.read()
    return results, [*beyond, *waiting]
