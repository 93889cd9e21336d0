"""Parses the timestamps of clients."""

import re
from datetime import UTC, datetime, timedelta

FUTURE_TOLERANCE = timedelta(hours=1)
"""Clocks drift: a timestamp up to this far in the future is treated as the present."""

_ISO_8601 = re.compile(
    r"\d{4}-?\d{2}-?\d{2}"
    r"([T ]\d{2}:?\d{2}(:?\d{2}([.,]\d+)?)?(Z|[+-]\d{2}(:?\d{2}){0,2})?)?",
    re.ASCII | re.IGNORECASE,
)
"""`fromisoformat` accepts any character for the `T`, and so reads a date's offset as a time."""


def parse_timestamp(text: str) -> datetime:
    """Return an ISO 8601 time in UTC; a time without an offset is in UTC.

    Raises:
        ValueError, OverflowError: it is not such a time.
    """
    at = datetime.fromisoformat(text if _ISO_8601.fullmatch(text) else "")
    if at.tzinfo is UTC:
        return at
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
