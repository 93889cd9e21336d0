"""Values, durations and dates in English sentences."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from rules.durations import pluralize
from rules.phrases.condition import format_number
from rules.phrases.fields import format_value
from rules.wording.names import plain_name

_UNITS = (
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
    ("second", timedelta(seconds=1)),
)

_LONGEST_NUMBER = Decimal(10) ** 15

_ENDINGS = re.compile(r"\s(?:date|day|time|at|on)$")

_VERBS = {
    "renewal": "renews",
    "end": "ends",
    "expiry": "expires",
    "expiration": "expires",
    "start": "starts",
    "due": "is due",
}
_VERB = re.compile(r"(?:ends|renews|expires|starts|begins|closes)")


def duration_words(duration: timedelta) -> str:
    """Return a duration in its largest unit up to days, rounded down: `9 days`."""
    for noun, unit in _UNITS:
        if duration >= unit:
            return pluralize(f"{duration // unit:,}", noun)
    return "a moment"


def value_words(value: Any) -> str:
    """Return a field's or event's value: numbers with thousands separators and few decimals."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return plain_name(format_value(value)) or "blank"
    number = Decimal(str(value))
    if abs(number) >= _LONGEST_NUMBER or 0 < abs(number) < Decimal("0.01"):
        return f"{number:.2e}"
    if number == number.to_integral_value():
        return f"{int(number):,}"
    return format_number(Decimal(f"{number:.2f}"))


def date_distance(label: str, date: datetime, at: datetime) -> str:
    """Return when a date is: `renews in 36 days`, `trial ends today`, `kick-off is in 2 days`.

    `label` is the name of the date. Days are those of the calendar, in UTC.
    """
    days = (date.date() - at.date()).days
    stem = _ENDINGS.sub("", label)
    before, _, last = stem.rpartition(" ")
    if days < 0:
        return f"{stem} was {pluralize(f'{-days:,}', 'day')} ago"
    verb = _VERBS.get(last) or (last if _VERB.fullmatch(last) else None)
    what = f"{stem} is" if verb is None else f"{before} {verb}".strip()
    return f"{what} in {pluralize(f'{days:,}', 'day')}" if days else f"{what} today"
