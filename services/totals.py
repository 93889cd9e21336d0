"""Keeps the totals that pages read up to date: events by hour, and active users by week."""

from datetime import datetime, timedelta

from models.database import transaction
from models.events import hourly_counts, weekly_reach
from models.insights import answers
from models.locks import AdvisoryLock, try_lock

WEEKS_AT_ONCE = 200
"""Weeks that are counted in one go; what is left is counted by the next."""

UNASKED_FOR = timedelta(days=30)
"""Answers that are older were not asked for since."""


def refresh(now: datetime) -> None:
    """Add new events to the hourly counts, and recount the weeks that they touch.

    Opens a transaction of its own for the counts and for each week. Only one process refreshes at
    a time; the others return at once.

    Raises:
        OperationalError, InterfaceError: PostgreSQL cannot be reached; what is done stays.
    """
    with transaction():
        if not try_lock(AdvisoryLock.TOTALS):
            return
        hourly_counts.gather(now)
        answers.delete(before=now - UNASKED_FOR)
        weeks = weekly_reach.touched(now, limit=WEEKS_AT_ONCE)
    for week in weeks:
        with transaction():
            if not try_lock(AdvisoryLock.TOTALS):
                return
            weekly_reach.count_again(week, now)
