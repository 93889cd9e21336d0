"""Durations and instants: their units, their bounds, and how they are written for people."""

from datetime import UTC, datetime, timedelta

UNITS = {
    "week": timedelta(weeks=1),
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
}
MAX_WINDOW = timedelta(weeks=520)
"""Ten years: longer than any customer relationship a rule could sensibly cover."""

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)


def pluralize(number: object, noun: str, plural: str | None = None) -> str:
    """Return `1 day` or `2 days`; pass `plural` for nouns that take more than an s.

    The number may be a text, such as `1,200`.
    """
    return f"{number} {noun}" if str(number) == "1" else f"{number} {plural or noun + 's'}"


def format_duration(duration: timedelta) -> str:
    """Return the duration in words, in the largest unit up to a day that divides it.

    Weeks are printed as days, so that 7 days and 1 week share one canonical form.

    Raises:
        ValueError: the duration is not a whole number of seconds.
    """
    for noun, unit in UNITS.items():
        if noun != "week" and duration % unit == timedelta(0):
            return pluralize(duration // unit, noun)
    raise ValueError(f"{duration!r} is not a whole number of seconds")


def format_offset(offset: timedelta) -> str:
    """Return an offset in several units, such as `3 days 4 hours`; `0 days` for zero."""
    words = []
    for noun, unit in UNITS.items():
        if noun != "week" and offset >= unit:
            words.append(pluralize(offset // unit, noun))
            offset %= unit
    return " ".join(words) or "0 days"


def shift(at: datetime, by: timedelta) -> datetime:
    """Add `by` to an instant, clamped to the earliest and latest representable dates."""
    try:
        return at + by
    except OverflowError:
        return END if by > timedelta(0) else BEGINNING


def format_instant(at: datetime) -> str:
    """Return an instant for people, such as `2026-01-20 10:30:00 UTC`."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
