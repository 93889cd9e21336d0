"""The history of a company's score and status as a chart with its table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.access.visitors import reader_zone
from dashboard.pages.company.frame import CurrentHealth
from dashboard.presentation.charts import steps
from dashboard.presentation.charts.steps import Step
from models.companies.companies import Company
from models.health.transitions import StoredTransition
from rules.book import RuleBook

SPANS = {"30": "30 days", "90": "90 days", "365": "a year"}
"""The time ranges to choose from, by number of days."""

DEFAULT_SPAN = "90"

WIDE, NARROW = 920, 330
"""Widths of the chart in pixels, on a desktop and on a phone."""

MOST_ROWS = 100
"""Rows of the table below the chart; the timeline has all."""


@dataclass(frozen=True)
class HealthHistory:
    """The history in a time range: charts for both widths, and the rows of the table.

    Each row is a step with the transition that made it, if one did. `left_out` is the number of
    older rows, `description` the text alternative of the charts. `has_former_scores` is whether a
    score is outside the range of its status, because it was computed by an earlier release or with
    other statuses.
    """

    span: str
    since: datetime
    wide: steps.StepsChart
    narrow: steps.StepsChart
    rows: Sequence[tuple[Step, StoredTransition | None]]
    left_out: int
    description: str
    has_former_scores: bool


def health_history(
    transitions: Sequence[StoredTransition],
    company: Company,
    health: CurrentHealth,
    span: str,
    at: datetime,
    book: RuleBook | None,
) -> HealthHistory:
    """Draw the `transitions` of a company, oldest first, over a span up to `at`."""
    zone = reader_zone()
    span = span if span in SPANS else DEFAULT_SPAN
    since = max(at - timedelta(days=int(span)), company.first_seen_at)
    since = min(since, at - timedelta(days=1))
    history = _steps(transitions, company, health, at)
    clipped = steps.clip([step for step, _ in history], since, at)
    # The first row is the step that was current when the span began.
    first = sum(step.at <= since for step, _ in history[1:])
    rows = history[first:][::-1]
    status_changes = sum(
        transition is not None
        and step.at >= since
        and transition.from_status != transition.to_status
        for step, transition in rows
    )
    return HealthHistory(
        span,
        since,
        steps.draw(clipped, since, at, width=WIDE, zone=zone),
        steps.draw(clipped, since, at, width=NARROW, zone=zone),
        rows[:MOST_ROWS],
        max(len(rows) - MOST_ROWS, 0),
        _describe(status_changes, health),
        book is not None and any(_is_former(step, book) for step, _ in rows),
    )


def _is_former(step: Step, book: RuleBook) -> bool:
    return step.score is not None and step.score not in book.score_range(step.status)


def _steps(
    transitions: Sequence[StoredTransition], company: Company, health: CurrentHealth, at: datetime
) -> list[tuple[Step, StoredTransition | None]]:
    """Return the steps of a company's health since it was first seen.

    A flag that starts or stops applying without being raised is no transition, but may change the
    score: the current score is then a step of its own. Before the first transition no flag was
    raised.
    """
    history: list[tuple[Step, StoredTransition | None]] = []
    first_seen = min([company.first_seen_at, *(first.at for first in transitions[:1])])
    if transitions:
        history.append((Step(first_seen, transitions[0].from_status, 100), None))
    else:
        history.append((Step(first_seen, health.status, health.score), None))
    history += [
        (Step(transition.at, transition.to_status, transition.score), transition)
        for transition in transitions
    ]
    last = history[-1][0]
    if (last.status, last.score) != (health.status, health.score):
        history.append((Step(at, health.status, health.score), None))
    return history


def _describe(status_changes: int, health: CurrentHealth) -> str:
    changed = {0: "did not change", 1: "changed once"}.get(
        status_changes, f"changed {status_changes} times"
    )
    score = "" if health.score is None else f" with a score of {health.score}"
    return f"Its status {changed} in this time. It is now {health.status}{score}."
