"""The answers to questions: cached ones, and computing them.

A page shows the cached answer with the time at which it was computed. If the answer is stale, the
page enqueues `queues.messages.compute_answer`. So only questions that people ask are computed, and
nobody waits for it.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models.insights import aggregates, answers
from models.insights.aggregates import Counted
from models.insights.answers import StoredAnswer
from models.outcomes import outcomes
from services.insights.questions import (
    Adoption,
    Cohorts,
    Distribution,
    OutcomeReport,
    Question,
    Uptake,
    read_question,
    write_question,
)
from services.outcomes.report import compute_report

FRESH = timedelta(minutes=1)
COST_FACTOR = 20
"""An answer stays fresh for at least this many times the duration of computing it."""

MAX_NUMBER = 1_000
"""In a distribution, companies with this number or more are counted together."""

WEEKS = 53
"""Weeks of an uptake: a year and the current week."""

COHORTS = 20
"""The values of a field that get a row of their own: the most frequent ones."""


@dataclass(frozen=True)
class Answer:
    """The cached answer to a question; `value` and `as_of` are None if there is none yet.

    `is_stale` means that it should be computed again. The `value` of an `Adoption` has
    `companies`, `ever` and `in_a_month`; that of an `Uptake` is a list of `week`, `companies` and
    `used`, oldest first; that of a `Distribution` is a list of pairs (number, companies), in which
    the last number may mean `MAX_NUMBER` or more; that of `Cohorts` is a list of `value`,
    `others`, `companies`, `active` and `events`; that of an `OutcomeReport` is what
    `services.outcomes.report` computes.
    """

    value: Any
    as_of: datetime | None
    is_stale: bool


def cached_answer(organization_id: int, question: Question, now: datetime) -> Answer:
    """Return the cached answer to a question."""
    return cached_answers(organization_id, [question], now)[0]


def cached_answers(
    organization_id: int, questions: Sequence[Question], now: datetime
) -> list[Answer]:
    """Return the cached answer to each question."""
    texts = {write_question(question): question for question in questions}
    stored = answers.find_all(organization_id, list(texts))
    return [
        _answer(organization_id, question, stored.get(text), now)
        for text, question in texts.items()
    ]


def compute_answer(organization_id: int, question: str, now: datetime) -> None:
    """Compute and cache the answer to a question in its text form, unless it is fresh.

    Raises:
        ValueError: the text is not a question.
    """
    to_compute = read_question(question)
    stored = answers.find(organization_id, question)
    if stored is not None and not _is_stale(organization_id, to_compute, stored, now):
        return
    started = time.monotonic()
    value = _compute(organization_id, to_compute, now)
    took = timedelta(seconds=time.monotonic() - started)
    answers.save(organization_id, question, StoredAnswer(value, now, took))


def _answer(
    organization_id: int, question: Question, stored: StoredAnswer | None, now: datetime
) -> Answer:
    if stored is None:
        return Answer(None, None, is_stale=True)
    stale = _is_stale(organization_id, question, stored, now)
    return Answer(stored.answer, stored.as_of, stale)


def _is_stale(
    organization_id: int, question: Question, stored: StoredAnswer, now: datetime
) -> bool:
    """Whether an answer is old, or about outcomes that were changed since."""
    if isinstance(question, OutcomeReport) and stored.answer["revision"] != outcomes.revision(
        organization_id
    ):
        return True
    return now - stored.as_of >= max(FRESH, COST_FACTOR * stored.took)


def _compute(organization_id: int, question: Question, now: datetime) -> Any:
    match question:
        case Adoption():
            return aggregates.count_adoption(organization_id, question.event_key, now)
        case Uptake():
            return aggregates.count_uptake(organization_id, question.event_key, now, weeks=WEEKS)
        case Distribution():
            counted = Counted(
                question.event_key,
                question.where,
                now - question.window,
                now,
                question.users,
                question.flag,
            )
            return aggregates.count_distribution(organization_id, counted, cap=MAX_NUMBER)
        case Cohorts():
            return aggregates.count_cohorts(
                organization_id, question.field, question.event_key, now, limit=COHORTS
            )
        case OutcomeReport():
            return compute_report(organization_id, question.horizon, now)
