"""The wording of times, durations, numbers, statuses and browsers on pages.

Times are written in the time zone of their reader, which the page names once.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from models.people.mentions import MOST_UNREAD
from rules.durations import pluralize
from rules.wording.names import is_visible

_UNITS = (
    ("year", timedelta(days=365)),
    ("month", timedelta(days=30)),
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)

_UTC = ZoneInfo("UTC")

_EMAIL = re.compile(r"([^@\s]+)@[^@\s]+")

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC")

TONES = ("good", "fair", "poor", "bad")
"""The colours of statuses, best first."""

DELIVERY_TONES = {
    "delivered": "good",
    "waiting": "fair",
    "parked": "fair",
    "paused": "poor",
    "failed": "bad",
    "cancelled": "none",
}
"""The colours of delivery states."""


def relative_time(at: datetime, now: datetime) -> str:
    """Return a time relative to now, in its largest unit: `3 hours ago`, `in 2 days`."""
    distance = abs(now - at)
    for noun, unit in _UNITS:
        if distance >= unit:
            words = pluralize(distance // unit, noun)
            return f"{words} ago" if at <= now else f"in {words}"
    return "just now" if at <= now else "in a moment"


def approximate_duration(duration: timedelta) -> str:
    """Return a duration in its largest unit: `3 hours`, `2 days`."""
    for noun, unit in _UNITS:
        if duration >= unit:
            return pluralize(duration // unit, noun)
    return "a moment"


def machine_time(at: datetime) -> str:
    """Return a time in the format of the HTML attribute `datetime`."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def exact_time(at: datetime, zone: ZoneInfo) -> str:
    """Return a time to the second with its offset: `20 Jan 2026, 16:15:05 UTC+5:45`."""
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M:%S} {_offset(local)}"


def full_time(at: datetime, zone: ZoneInfo) -> str:
    """Return a time to the second as the reader's clock shows it, and in UTC if that differs."""
    local, utc = exact_time(at, zone), exact_time(at, _UTC)
    return utc if local == utc else f"{local} = {utc}"


def short_time(at: datetime, zone: ZoneInfo) -> str:
    """Return a time to the minute: `20 Jan 2026, 16:15`."""
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y}, {_clock(local)}"


def day_and_time(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return a time to the minute: `Thursday 14:05` within six days, else with its date."""
    local = at.astimezone(zone)
    if abs(at - now) < timedelta(days=6):
        return f"{local:%A} {_clock(local)}"
    year = f" {local.year}" if local.year != now.astimezone(zone).year else ""
    return f"{local:%a} {local.day} {local:%b}{year}, {_clock(local)}"


def moment(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return a time for a sentence: `16:15` today, `Thursday 16:15`, `3 Nov`, `3 Nov 2025`."""
    local, day = at.astimezone(zone), recent_day(at, now, zone)
    return f"{day} {_clock(local)}" if day == _weekday(local) else day


def recent_day(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return a day, or of today the time: `16:15`, `Thursday`, `3 Nov`, `3 Nov 2025`."""
    local, today = at.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return _clock(local)
    if abs(at - now) < timedelta(days=6):
        return _weekday(local)
    return f"{local.day} {local:%b}{f' {local.year}' if local.year != today.year else ''}"


def _weekday(local: datetime) -> str:
    return f"{local:%A}"


def visible_or(name: str | None, substitute: str) -> str:
    """Return a name, or the substitute, such as an id, if the name cannot be seen."""
    return name if name and any(map(is_visible, name)) else substitute


def owner_names(owners: Iterable[str | None]) -> dict[str, str]:
    """Return how a list names its owners: an email as what is before the `@`.

    Emails that would be named alike, or like an owner that is no email, are named in full.
    """
    short = {owner: _before_at(owner) for owner in owners if owner}
    people = {owner.casefold(): name.casefold() for owner, name in short.items()}
    uses = Counter(people.values())
    return {owner: name if uses[name.casefold()] == 1 else owner for owner, name in short.items()}


def _before_at(owner: str) -> str:
    match = _EMAIL.fullmatch(owner)
    return match[1] if match and any(map(is_visible, match[1])) else owner


def breakable(url: str) -> Markup:
    """Return a URL that is broken into lines after its slashes rather than inside of words."""
    return Markup("/<wbr>").join(escape(part) for part in url.split("/"))


def unread_count(number: int) -> str:
    """Return a number of unread mentions; from `MOST_UNREAD` on, such as 99+."""
    return str(number) if number < MOST_UNREAD else f"{MOST_UNREAD - 1}+"


def time_of_today(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return a time to the second: `16:15:05` today, else with its date."""
    local = at.astimezone(zone)
    if local.date() == now.astimezone(zone).date():
        return _clock(local, "%H:%M:%S")
    return f"{local.day} {local:%b %Y}, {_clock(local, '%H:%M:%S')}"


def with_local_times(text: str, zone: ZoneInfo) -> str:
    """Replace the times that `rules.durations.format_instant` wrote into a text."""

    def local(match: re.Match[str]) -> str:
        return exact_time(datetime.fromisoformat(match[1]).replace(tzinfo=UTC), zone)

    return _INSTANT.sub(local, text)


def _clock(local: datetime, pattern: str = "%H:%M") -> str:
    """Return the time of day; with its offset if it occurs twice on this day."""
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{local:{pattern}} {_offset(local)}" if twice else f"{local:{pattern}}"


def _offset(local: datetime) -> str:
    """Return an offset: `UTC`, `UTC+2`, `UTC-3:30`."""
    minutes = round((local.utcoffset() or timedelta(0)).total_seconds() / 60)
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{hours}{f':{rest:02}' if rest else ''}"


def plain_day(day: date) -> str:
    """Return a day: `20 Jan 2026`."""
    return f"{day.day} {day:%b %Y}"


def relative_day(day: date, now: datetime, zone: ZoneInfo) -> str:
    """Return a day relative to the reader's today: `in 36 days`, `today`, `2 days ago`."""
    days = (day - now.astimezone(zone).date()).days
    if days == 0:
        return "today"
    words = pluralize(abs(days), "day")
    return f"in {words}" if days > 0 else f"{words} ago"


def tone_of(status: str | None, statuses: Sequence[str]) -> str:
    """Return the colour of a status by its rank among all statuses, which are ordered best first.

    `none` for a status that is not among them, such as N/A.
    """
    if status is None or status not in statuses:
        return "none"
    rank, last = statuses.index(status), len(statuses) - 1
    if rank == 0:
        return TONES[0]
    if rank == last:
        return TONES[-1]
    return TONES[1] if rank * 2 <= last else TONES[2]


def grouped(number: int) -> str:
    """Return a number with thousands separators: `12,345`."""
    return f"{number:,}"


def amount(value: Decimal) -> str:
    """Return an amount with thousands separators, and decimals if there are any: `1,234.50`."""
    return f"{value:,.0f}" if value == value.to_integral_value() else f"{value:,.2f}"


def browser_name(agent: str) -> str:
    """Return the browser and system that a User-Agent header names: `Firefox on Linux`."""
    browser = next((name for token, name in _BROWSERS if token in agent), None)
    system = next((name for token, name in _SYSTEMS if token in agent), None)
    if browser is None:
        return agent[:60] or "unknown browser"
    return f"{browser} on {system}" if system else browser


_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""The order matters: most browsers also name the browsers that they are compatible with."""

_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
