"""Keeps the totals that pages show up to date: events per hour and active users per week."""

from datetime import datetime, timedelta

from models.database import transaction
from models.events import hourly_counts, weekly_reach
from models.insights import answers
from models.locks import AdvisoryLock, try_lock

WEEKS_AT_ONCE = 200
"""Weeks counted in one refresh; the next one counts the rest."""

ANSWERS_KEPT_FOR = timedelta(days=30)
"""Answers to questions that are older than this are deleted: nobody asked again."""


def refresh(now: datetime) -> None:
    """Refresh the totals, in a transaction of its own for the counts and for each week.

    Adds new events to the hourly counts and recounts the weeks that they belong to. Only one
    process refreshes at a time; the others return at once.

    Raises:
        OperationalError, InterfaceError: PostgreSQL cannot be reached; committed parts stay.
    """
    with transaction():
        if not try_lock(AdvisoryLock.TOTALS):
            return
        hourly_counts.merge_arrivals(now)
        answers.delete(before=now - ANSWERS_KEPT_FOR)
        weeks = weekly_reach.find_touched(now, limit=WEEKS_AT_ONCE)
    for week in weeks:
        with transaction():
            if not try_lock(AdvisoryLock.TOTALS):
                return
            weekly_reach.recount(week, now)
