"""The schedule of attempts after a failure."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from config.webhook_policy import WebhookPolicy

JITTER = 0.2
"""Each delay varies by a fifth either way, so that deliveries that failed together spread out."""


def next_attempt_at(
    attempt: int, failed_at: datetime, retry_after: str | None, policy: WebhookPolicy
) -> datetime | None:
    """Return when to try again after the attempt with this number; None after the last one.

    An endpoint's `Retry-After`, in seconds or as a date, is respected up to the policy's limit.
    """
    if attempt > len(policy.retry_delays):
        return None
    delay = policy.retry_delays[attempt - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 -- no secret
    return failed_at + max(delay, asked_delay(retry_after, failed_at, policy))


def asked_delay(retry_after: str | None, now: datetime, policy: WebhookPolicy) -> timedelta:
    """Return the delay that an endpoint's `Retry-After` asks for, up to the policy's limit."""
    return min(_read(retry_after, now), policy.longest_retry_after)


def _read(retry_after: str | None, now: datetime) -> timedelta:
    if retry_after is None:
        return timedelta(0)
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        at = parsedate_to_datetime(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    except (OverflowError, TypeError, ValueError):  # a date that does not exist
        return timedelta(0)
