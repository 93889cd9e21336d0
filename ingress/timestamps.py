"""Times as clients write them."""

import re
from datetime import UTC, datetime, timedelta

FUTURE_TOLERANCE = timedelta(hours=1)
"""Clocks drift: a timestamp this far ahead of ours is taken as the present."""

_ISO_8601 = re.compile(
    r"\d{4}-?\d{2}-?\d{2}"
    r"([T ]\d{2}:?\d{2}(:?\d{2}([.,]\d+)?)?(Z|[+-]\d{2}(:?\d{2}){0,2})?)?",
    re.ASCII | re.IGNORECASE,
)
"""Python takes any character for the `T`, and so a date's offset for a time."""


def parse_timestamp(text: str) -> datetime:
    """An ISO 8601 time in UTC, which is also what one without an offset is in.

    Raises:
        ValueError, OverflowError: it is none.
    """
    at = datetime.fromisoformat(text if _ISO_8601.fullmatch(text) else "")
    if at.tzinfo is UTC:
        return at
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
