"""Reads the times of imported rows: ISO 8601, or a number since 1970."""

from datetime import UTC, datetime, tzinfo
from typing import Any

from ingress.event.timestamps import parse_timestamp

_UNITS = ((10**11, 1), (10**14, 1_000), (10**17, 1_000_000), (10**20, 1_000_000_000))
"""Numbers below each bound are in units of this part of a second."""


def read_time(value: Any, timezone: tzinfo) -> datetime:
    """Return a time in UTC; `timezone` is that of times without an offset.

    A number is in seconds since 1970, or in milliseconds, microseconds or nanoseconds if it is too
    large for that.

    Raises:
        ValueError: it is not a time; the message says what is expected.
    """
    if isinstance(value, str):
        text = value.strip()
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return _from_other_text(text, timezone)
        if at.tzinfo is UTC:
            return at
        return (at if at.tzinfo else at.replace(tzinfo=timezone)).astimezone(UTC)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(_EXPECTED)
    return _from_number(value)


_EXPECTED = "Expected a time such as 2024-01-20T10:30:00Z, or seconds since 1970"


def _from_other_text(text: str, timezone: tzinfo) -> datetime:
    text = text.removesuffix(" UTC")
    try:
        return _from_number(float(text) if "." in text else int(text))
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=timezone)).astimezone(UTC)
    except ValueError:
        pass
    try:
        return parse_timestamp(text)
    except (ValueError, OverflowError):
        raise ValueError(_EXPECTED) from None


def _from_number(number: float) -> datetime:
    for bound, parts in _UNITS:
        if 0 <= number < bound:
            whole, rest = divmod(number, parts)
            return datetime.fromtimestamp(whole, UTC).replace(
                microsecond=int(rest * 1_000_000 // parts)
            ) if parts > 1 else datetime.fromtimestamp(number, UTC)  # fmt: skip
    raise ValueError(_EXPECTED)
