"""Keeps the totals that pages show up to date: events per hour, users per week, daily figures."""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial

from models import across_organizations
from models.database import transaction
from models.events import hourly_counts, weekly_reach
from models.insights import answers
from models.locks import AdvisoryLock, try_lock
from services.portfolio.upkeep import catch_up
from services.rules.rule_books import RuleBooks

WEEKS_AT_ONCE = 200
"""Weeks counted in one refresh; the next one counts the rest."""

PORTFOLIO_STEPS = 50
"""Transactions of one refresh that count companies for the daily figures, of all organizations."""

ANSWERS_KEPT_FOR = timedelta(days=30)
"""Answers to questions that are older than this are deleted: nobody asked again."""


def refresh(now: datetime, rulebooks: RuleBooks) -> None:
    """Refresh the totals, in a transaction of its own for the counts of an organization and a week.

    Adds new events to the hourly counts, recounts the weeks that they belong to, and counts the
    companies whose history changed. Only one process refreshes at a time; the others return at
    once.

    Raises:
        OperationalError, InterfaceError: PostgreSQL cannot be reached; committed parts stay.
    """
    with transaction():
        if not try_lock(AdvisoryLock.TOTALS):
            return
        arrived = across_organizations.list_with_arrivals()
        answered = across_organizations.list_with_answers(before=now - ANSWERS_KEPT_FOR)
    work = [partial(hourly_counts.merge_arrivals, id_, now) for id_ in arrived]
    work += [partial(answers.delete, id_, before=now - ANSWERS_KEPT_FOR) for id_ in answered]
    if not _do_each(work):
        return
    with transaction():
        weeks = across_organizations.find_touched_weeks(
            now,
            min_interval=weekly_reach.MIN_INTERVAL,
            cost_factor=weekly_reach.COST_FACTOR,
            limit=WEEKS_AT_ONCE,
        )
    if _do_each([partial(weekly_reach.recount, week, now) for week in weeks]):
        _refresh_portfolios(rulebooks)


def _refresh_portfolios(rulebooks: RuleBooks) -> None:
    """Count companies, in a transaction of its own for each step; an organization after another.

    Stops when all are counted, or enough for now.
    """
    with transaction():
        waiting = deque(
            sorted(
                {
                    *across_organizations.list_with_stale_portfolio(),
                    *across_organizations.list_with_portfolio_backfill(),
                }
            )
        )
    for _ in range(PORTFOLIO_STEPS):
        if not waiting:
            return
        organization_id = waiting.popleft()
        with transaction():
            if not try_lock(AdvisoryLock.TOTALS):
                return
            if catch_up(organization_id, rulebooks):
                waiting.append(organization_id)


def _do_each(work: Iterable[Callable[[], None]]) -> bool:
    """Do each in a transaction of its own; False if another process has begun to refresh."""
    for step in work:
        with transaction():
            if not try_lock(AdvisoryLock.TOTALS):
                return False
            step()
    return True
