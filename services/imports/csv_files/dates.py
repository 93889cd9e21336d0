"""Reads dates and times as people and spreadsheets write them, and writes them as ISO 8601."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

_TIME = (
    r"(?:(?:,?\s+|T)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"(?:\s?(?P<half>[AaPp])\.?[Mm]\.?)?"
    r"\s?(?P<offset>Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?"
)
_FORMS = [
    re.compile(form + _TIME)
    for form in (
        r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})",
        r"(?P<year>\d{4})/(?P<month>\d{1,2})/(?P<day>\d{1,2})",
        r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})",
        r"(?P<first>\d{1,2})/(?P<second_part>\d{1,2})/(?P<year>\d{4})",
        r"(?P<first>\d{1,2})-(?P<second_part>\d{1,2})-(?P<year>\d{4})",
        r"(?P<name>[A-Za-z]{3,9})\.? (?P<day>\d{1,2}),? (?P<year>\d{4})",
        r"(?P<day>\d{1,2})[ -](?P<name>[A-Za-z]{3,9})\.?[ -](?P<year>\d{4})",
    )
]
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september",
           "october", "november", "december")  # fmt: skip
_YEARS = range(1900, 2200)


@dataclass(frozen=True)
class DateForm:
    """How the dates of a column are written.

    `ordered` is whether the form itself tells the day from the month. Otherwise `day_first` is
    whether the day precedes it, None if these dates exist either way.
    """

    pattern: re.Pattern[str]
    day_first: bool | None
    ordered: bool

    def read(self, text: str, *, day_first: bool) -> str | None:
        """Return a date or a time in UTC as ISO 8601, None if there is no such date."""
        match = self.pattern.fullmatch(text)
        return None if match is None else _as_iso(match.groupdict(), day_first=day_first)


def read_date_form(texts: Iterable[str]) -> DateForm | None:
    """Return how all of these dates are written, None if they are no dates of one form."""
    values = list(texts)
    for pattern in _FORMS:
        if not values or not pattern.fullmatch(values[0]):
            continue
        matches = [match and match.groupdict() for match in map(pattern.fullmatch, values)]
        found = [match for match in matches if match]
        if len(found) < len(matches):
            return None
        ordered = "first" not in found[0]
        possible = (False,) if ordered else (True, False)
        orders = [order for order in possible if _all_exist(found, day_first=order)]
        if not orders:
            return None
        return DateForm(pattern, orders[0] if len(orders) == 1 else None, ordered)
    return None


def most_dates(counted: Mapping[str, int]) -> list[str]:
    """Return those of the texts that are dates of one form, that of the most cells.

    Where the day precedes the month in some and follows it in others, the most have one order.
    `counted` has the cells of each text.
    """
    by_pattern: dict[re.Pattern[str], list[str]] = {}
    for text in counted:
        form = read_date_form([text])
        if form:
            by_pattern.setdefault(form.pattern, []).append(text)

    def cells(texts: Iterable[str]) -> int:
        return sum(counted[text] for text in texts)

    most = max(by_pattern.values(), key=cells, default=[])
    if not most or read_date_form(most):
        return most
    orders = (
        [t for t in most if (form := read_date_form([t])) and form.read(t, day_first=order)]
        for order in (True, False)
    )
    return max(orders, key=cells)


def looks_like_a_date(text: str) -> bool:
    """Whether a text is a date."""
    return read_date_form([text]) is not None


def _all_exist(found: list[dict[str, str | None]], *, day_first: bool) -> bool:
    return all(_as_iso(parts, day_first=day_first) for parts in found)


def _as_iso(parts: dict[str, str | None], *, day_first: bool) -> str | None:
    try:
        day = _day(parts, day_first=day_first)
        if day is None or day.year not in _YEARS:
            return None
        if parts["hour"] is None:
            return day.isoformat()
        at = datetime.fromisoformat(f"{day.isoformat()}T{_clock(parts)}{_offset(parts)}")
        return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError):
        return None


def _day(parts: dict[str, str | None], *, day_first: bool) -> date | None:
    year = int(parts["year"] or 0)
    if "first" in parts:
        numbers = int(parts["first"] or 0), int(parts["second_part"] or 0)
        day, month = numbers if day_first else numbers[::-1]
        return date(year, month, day)
    if "name" in parts:
        name = (parts["name"] or "").lower()
        month = next((i for i, full in enumerate(_MONTHS, 1) if full.startswith(name)), 0)
        return date(year, month, int(parts["day"] or 0))
    return date(year, int(parts["month"] or 0), int(parts["day"] or 0))


def _clock(parts: dict[str, str | None]) -> str:
    hour = int(parts["hour"] or 0)
    if parts["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("there is no such hour")
        hour = hour % 12 + (12 if parts["half"].lower() == "p" else 0)
    return f"{hour:02}:{parts['minute']}:{parts['second'] or '00'}"


def _offset(parts: dict[str, str | None]) -> str:
    """Return the offset; a time without one is in UTC, as those of events are."""
    offset = parts["offset"]
    return "+00:00" if offset in (None, "Z", "UTC", "GMT") else str(offset)
