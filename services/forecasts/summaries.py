"""What becomes of a company up to each of its upcoming changes."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import pairwise

from models.companies.companies import Company
from models.health.upcoming_changes import Direction, UpcomingChange
from rules.book import RuleBook
from rules.judging.running_out import merely_runs_out
from rules.judging.state import Transition
from services.rules.planned_changes import describe_change
from services.team_columns import team_columns

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""When the last change of a company is superseded."""


def summarize(
    company: Company, transitions: Sequence[Transition], book: RuleBook
) -> list[UpcomingChange]:
    """Return a row for each change of status among the transitions that time will cause."""
    changes = [transition for transition in transitions if transition.before != transition.after]
    if not changes:
        return []
    start, team = changes[0].before, team_columns(company.traits, book)
    worst, runs_out, rows = changes[0], False, []
    ends = [*(following.at for _, following in pairwise(changes)), NEVER]
    for change, superseded_at in zip(changes, ends, strict=True):
        if _level(book, change.after) > _level(book, worst.after):
            worst = change
        if _level(book, change.after) < _level(book, change.before):
            runs_out = runs_out or merely_runs_out(book, change)
        described = describe_change(company.external_id, company.name, change, book)
        rows.append(
            UpcomingChange(
                company.id,
                change.at,
                superseded_at,
                _direction(book, start, worst.after, change.after, runs_out=runs_out),
                start,
                worst.after,
                worst.at,
                change.after,
                team.owner,
                team.value,
                str(change.cause),
                [asdict(step) for step in described.flags],
            )
        )
    return rows


def _direction(book: RuleBook, start: str, worst: str, end: str, *, runs_out: bool) -> Direction:
    if _level(book, worst) > _level(book, start):
        return Direction.WORSE
    if _level(book, end) < _level(book, start):
        return Direction.RUNS_OUT if runs_out else Direction.RECOVERS
    return Direction.RETURNS


def _level(book: RuleBook, status: str) -> int:
    return book.level_of(status) or 0
