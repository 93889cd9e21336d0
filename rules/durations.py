"""Windows as people write them: a whole number of seconds, minutes, hours, days or weeks."""

from datetime import UTC, datetime, timedelta

UNITS = {
    "week": timedelta(weeks=1),
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
}
MAX_WINDOW = timedelta(weeks=520)
"""Ten years: longer than any customer relationship a rule could sensibly look back on."""

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)


def pluralize(number: object, noun: str, plural: str | None = None) -> str:
    """`1 day`, `2 days`; `plural` where an s is not enough."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"


def format_duration(duration: timedelta) -> str:
    """The duration in words, in the largest unit of at most a day that divides it.

    Weeks are printed as days, so that 7 days and 1 week have one canonical form.
    """
    for noun, unit in UNITS.items():
        if noun != "week" and duration % unit == timedelta(0):
            return pluralize(duration // unit, noun)
    raise ValueError(f"{duration!r} is not a whole number of seconds")


def format_offset(offset: timedelta) -> str:
    """A time since some start in several units, such as `3 days 4 hours`; `0 days` for none."""
    words = []
    for noun, unit in UNITS.items():
        if noun != "week" and offset >= unit:
            words.append(pluralize(offset // unit, noun))
            offset %= unit
    return " ".join(words) or "0 days"


def shift(at: datetime, by: timedelta) -> datetime:
    """The instant `by` later, or earlier if negative, as far as there are dates."""
    try:
        return at + by
    except OverflowError:
        return END if by > timedelta(0) else BEGINNING


def format_instant(at: datetime) -> str:
    """An instant for people, such as `2026-01-20 10:30:00 UTC`."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
