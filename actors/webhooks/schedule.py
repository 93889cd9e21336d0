"""When a failed attempt is made again."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The waits after the first attempt, which is made at once: ten attempts over three days."""

JITTER = 0.2
"""Each wait is spread by a fifth either way: what failed together returns one by one."""

LONGEST_RETRY_AFTER = timedelta(hours=24)


def next_attempt_at(
    attempt: int, failed_at: datetime, retry_after: str | None = None
) -> datetime | None:
    """When to try again after the attempt with this number failed; None when that was the last.

    An endpoint's `Retry-After`, in seconds or as a date, is waited out, up to 24 hours.
    """
    if attempt > len(DELAYS):
        return None
    delay = DELAYS[attempt - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 -- no secret
    asked = asked_delay(retry_after, failed_at)
    return failed_at + max(delay, min(asked, LONGEST_RETRY_AFTER))


def asked_delay(retry_after: str | None, now: datetime) -> timedelta:
    """How long an endpoint's `Retry-After` asks to be left alone, in seconds or as a date."""
    if retry_after is None:
        return timedelta(0)
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        at = parsedate_to_datetime(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    except (OverflowError, TypeError, ValueError):  # a date that no calendar has
        return timedelta(0)
