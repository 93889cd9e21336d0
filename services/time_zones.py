"""Time zones of the IANA database: their names, and the instants of local days and times.

Instants are aware and in UTC. A local time that occurs twice, because clocks were put back, is the
first of the two.
"""

from datetime import UTC, date, datetime, time
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from services.errors import ServiceError

DEFAULT = ZoneInfo("UTC")

SUGGESTIONS = 3

_REGIONS = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)


class TimeZoneError(ServiceError):
    """Raised when a time zone, or a time in one, does not exist; the message is for people."""


@cache
def names() -> frozenset[str]:
    """Return all names, including former ones, which some browsers still report."""
    return frozenset((files("tzdata") / "zones").read_text().split()) - {"Factory"}


@cache
def offered() -> tuple[str, ...]:
    """Return the names to choose from: `UTC`, and those of places."""
    places = (name for name in names() if name.partition("/")[0] in _REGIONS and "/" in name)
    return (DEFAULT.key, *sorted(places))


def find(name: str | None) -> ZoneInfo | None:
    """Return the time zone with exactly this name."""
    return ZoneInfo(name) if name in names() else None


def read(text: str) -> ZoneInfo:
    """Return the time zone that a person entered, regardless of case and with spaces.

    Raises:
        TimeZoneError: There is none.
    """
    entered = text.strip().replace(" ", "_").casefold()
    for name in names():
        if name.casefold() == entered:
            return ZoneInfo(name)
    similar = [name for name in offered() if entered and entered in name.casefold()]
    if similar:
        raise TimeZoneError(f"Did you mean {' or '.join(similar[:SUGGESTIONS])}?")
    raise TimeZoneError("There is no such time zone. Choose one from the list.")


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a day; where clocks skip midnight, that is not at 00:00."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def instant_of(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant of a local time, which has no zone of its own.

    Raises:
        TimeZoneError: The time is skipped because clocks are put forward.
    """
    at = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None, fold=0) != local.replace(fold=0):
        raise TimeZoneError(
            f"{local:%H:%M} does not exist on {local.day} {local:%b %Y} in {zone.key}: clocks are"
            " put forward. Enter another time."
        )
    return at
