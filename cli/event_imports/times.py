"""Reads the times of imported rows: ISO 8601, or a number since 1970."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from formats.timestamps import parse_timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_UNITS = ((10**11, 1), (10**14, 1_000), (10**17, 1_000_000), (10**20, 1_000_000_000))
"""Numbers below each bound are in units of this part of a second."""

_EXPECTED = "Expected a time such as 2024-01-20T10:30:00Z, or seconds since 1970"


def read_time(value: Any, timezone: tzinfo) -> datetime:
    """Return a time in UTC; `timezone` is that of times without an offset.

    A number is in seconds since 1970, or in milliseconds, microseconds or nanoseconds if it is too
    large for that.

    Raises:
        ValueError: it is not a time; the message says what is expected.
    """
    if isinstance(value, str):
        return _from_text(value.strip(), timezone)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(value)
    raise ValueError(_EXPECTED)


def _from_text(text: str, timezone: tzinfo) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return _from_other_text(text)
    if len(text) == 8 and text.isdigit():  # a day without dashes, which may be a number
        raise ValueError(_EXPECTED)
    return at if at.tzinfo is UTC else _in_utc(at, timezone)


def _from_other_text(text: str) -> datetime:
    try:
        if text.endswith(" UTC"):
            return _in_utc(datetime.fromisoformat(text.removesuffix(" UTC")), UTC)
        if text.replace(".", "", 1).isdigit():
            return _from_number(float(text) if "." in text else int(text))
        return parse_timestamp(text)
    except (ValueError, OverflowError):
        raise ValueError(_EXPECTED) from None


def _in_utc(at: datetime, timezone: tzinfo) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=timezone)).astimezone(UTC)


def _from_number(number: float) -> datetime:
    for bound, parts in _UNITS:
        if 0 <= number < bound:
            return _EPOCH + timedelta(microseconds=number * 1_000_000 // parts)
    raise ValueError(_EXPECTED)
