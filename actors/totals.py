"""Keeps what pages read of all events up to date: counts by hour, and who was active in a week."""

from datetime import datetime, timedelta

from models import insights
from models.database import query, transaction
from models.events import hourly_counts, weekly_reach

LOCK = 0x62_7A_64
"""Any number of our own: `bzd`."""

WEEKS_AT_ONCE = 200
"""Weeks that are counted in one go; what is left is counted by the next."""

UNASKED_FOR = timedelta(days=30)
"""Answers that are older were not asked for since."""


def sum_up(now: datetime) -> None:
    """Gather what arrived, and count the weeks anew that it touched, each in a transaction.

    Who comes while another is at it leaves it to him.

    Raises:
        OperationalError, InterfaceError: PostgreSQL cannot be reached; what is done stays.
    """
    with transaction():
        if not _is_ours():
            return
        hourly_counts.gather(now)
        insights.forget(before=now - UNASKED_FOR)
        weeks = weekly_reach.touched(now, limit=WEEKS_AT_ONCE)
    for week in weeks:
        with transaction():
            if not _is_ours():
                return
            weekly_reach.count_again(week, now)


def _is_ours() -> bool:
    """Whether nobody else is at it; holds until the end of the transaction."""
    [row] = query("select pg_try_advisory_xact_lock(%(lock)s) as held", {"lock": LOCK})
    return bool(row["held"])
