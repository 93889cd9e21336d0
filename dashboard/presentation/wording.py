"""How instants, numbers and statuses are written on pages."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from rules.durations import pluralize

_UNITS = (
    ("year", timedelta(days=365)),
    ("month", timedelta(days=30)),
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)

TONES = ("good", "fair", "poor", "bad")
"""The colours of statuses, from the best to the worst."""

DELIVERY_TONES = {
    "delivered": "good",
    "waiting": "fair",
    "parked": "fair",
    "paused": "poor",
    "failed": "bad",
    "cancelled": "none",
}
"""The colours of the states of deliveries."""


def relative_time(at: datetime, now: datetime) -> str:
    """How long ago an instant was, or how far off it is: `3 hours ago`, `in 2 days`, `just now`."""
    distance = abs(now - at)
    for noun, unit in _UNITS:
        if distance >= unit:
            words = pluralize(distance // unit, noun)
            return f"{words} ago" if at <= now else f"in {words}"
    return "just now" if at <= now else "in a moment"


def approximate_duration(duration: timedelta) -> str:
    """About how long something took: `3 hours`, `2 days`."""
    for noun, unit in _UNITS:
        if duration >= unit:
            return pluralize(duration // unit, noun)
    return "a moment"


def machine_time(at: datetime) -> str:
    """An instant as the attribute `datetime` has it."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def exact_time(at: datetime) -> str:
    """An instant to the second, such as `20 Jan 2026, 10:30:05 UTC`."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M:%S} UTC"


def day_and_time(at: datetime, now: datetime) -> str:
    """An instant to the minute, UTC: `Thursday 14:05` if it is near, else with its date."""
    at = at.astimezone(UTC)
    if abs(at - now) < timedelta(days=6):
        return f"{at:%A %H:%M}"
    return f"{at:%a} {at.day} {at:%b}{f' {at.year}' if at.year != now.year else ''}, {at:%H:%M}"


def tone_of(status: str | None, statuses: Sequence[str]) -> str:
    """The colour of a status by its place among all, which go from the best to the worst.

    `none` for one that is not among them, such as N/A.
    """
    if status is None or status not in statuses:
        return "none"
    place, last = statuses.index(status), len(statuses) - 1
    if place == 0:
        return TONES[0]
    if place == last:
        return TONES[-1]
    return TONES[1] if place * 2 <= last else TONES[2]


def grouped(number: int) -> str:
    """A number with its thousands set apart: `12,345`."""
    return f"{number:,}"


def browser_name(agent: str) -> str:
    """A browser and its system, from what it says of itself: `Firefox on Linux`."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in agent), None)
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
"""In this order: most browsers also name those that they resemble."""

_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
