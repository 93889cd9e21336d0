"""When notifications may be sent: together with others, outside of quiet hours, or as a digest.

Quiet hours and digests follow the clock of a time zone, over its changes to and from summer time.
A digest at a time that a change skips is sent as much later as the clock is put forward; one at a
time that a change repeats is sent the first time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rules.durations import format_duration

DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
WORKING_DAYS = frozenset(range(5))
WEEKEND = frozenset({5, 6})
EVERY_DAY = frozenset(range(7))

MOMENT = timedelta(seconds=2)
"""How long a notification that is sent at once waits for others: many changes are recorded in one
moment."""

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, order=True)
class Hours:
    """Hours of each day, from `start` up to `end`, over midnight if `end` is not later."""

    start: time
    end: time

    def include(self, at: time) -> bool:
        """Whether a time of the day is among them."""
        if self.start < self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


NIGHT = Hours(time(22), time(6))


@dataclass(frozen=True)
class Quiet:
    """Hours of each day and whole days of the week, 0 for Monday, in which nothing is sent."""

    hours: tuple[Hours, ...]
    days: frozenset[int]
    zone: str

    def holds(self, at: datetime) -> bool:
        """Whether an instant is quiet."""
        local = at.astimezone(ZoneInfo(self.zone))
        return self._holds(local.weekday(), local.time())

    def end(self, at: datetime) -> datetime:
        """Return the first instant from `at` on that is not quiet."""
        while self.holds(at):
            at = min(later for later in self._boundaries(at) if later > at)
        return at

    @property
    def is_endless(self) -> bool:
        """Whether all hours of all days are quiet."""
        return all(self._holds(day, at) for day in EVERY_DAY for at in self._times)

    @property
    def _times(self) -> set[time]:
        """The times of a day at which quiet may begin or end."""
        return {time(0), *(at for hours in self.hours for at in (hours.start, hours.end))}

    def _holds(self, weekday: int, at: time) -> bool:
        return weekday in self.days or any(hours.include(at) for hours in self.hours)

    def _boundaries(self, at: datetime) -> Iterator[datetime]:
        """Return the instants of about a day from `at` on at which quiet may begin or end."""
        zone = ZoneInfo(self.zone)
        today = at.astimezone(zone).date()
        for day in (today, today + _DAY):
            for moment in self._times:
                yield from (_instant(day, moment, zone, fold) for fold in (0, 1))
        if put_forward_or_back := _change_of_offset(zone, at, at + 2 * _DAY):
            yield put_forward_or_back

    def __str__(self) -> str:
        parts = [*(str(hours) for hours in sorted(self.hours)), *_day_names(self.days)]
        return f"{' and '.join(parts)} in {self.zone}"


@dataclass(frozen=True)
class Digest:
    """A time of some days of the week, 0 for Monday."""

    days: frozenset[int]
    at: time
    zone: str

    def next_after(self, after: datetime) -> datetime:
        """Return the first instant of a digest after another instant."""
        zone = ZoneInfo(self.zone)
        day = after.astimezone(zone).date()
        while True:
            at = _instant(day, self.at, zone)
            if day.weekday() in self.days and at > after:
                return at
            day += _DAY

    def __str__(self) -> str:
        if self.days == EVERY_DAY:
            days = "daily"
        elif self.days == WORKING_DAYS:
            days = "weekdays"
        else:
            days = " and ".join(DAYS[day] for day in sorted(self.days))
        return f"{days} at {self.at:%H:%M} in {self.zone}"


@dataclass(frozen=True)
class Schedule:
    """When the notifications of an entry are sent; without a `digest` as soon as the rest allows.

    Those within `together` after the first one are sent with it. There is never both a digest and
    one of the others.
    """

    together: timedelta = timedelta(0)
    quiet: Quiet | None = None
    digest: Digest | None = None

    @property
    def zone(self) -> str | None:
        """The time zone that the entry names."""
        named = self.digest or self.quiet
        return named.zone if named else None

    def due(self, at: datetime) -> datetime:
        """Return when a message may be sent whose first notification is of this instant."""
        if self.digest:
            return self.digest.next_after(at)
        due = at + max(self.together, MOMENT)
        return self.quiet.end(due) if self.quiet else due

    def __str__(self) -> str:
        parts = [
            f"together within {format_duration(self.together)}" if self.together else "",
            f"quiet {self.quiet}" if self.quiet else "",
            f"digest {self.digest}" if self.digest else "",
        ]
        return "; ".join(filter(None, parts)) or "at once"


AT_ONCE = Schedule()


def is_at_night(at: datetime, zone: str | None) -> bool:
    """Whether people in a time zone, UTC by default, are likely to sleep at an instant."""
    return NIGHT.include(at.astimezone(ZoneInfo(zone or "UTC")).time())


def _day_names(days: Iterable[int]) -> list[str]:
    days = set(days)
    names = ["weekends"] if days >= WEEKEND else []
    return [DAYS[day] for day in sorted(days - WEEKEND if names else days)] + names


def _instant(day: date, at: time, zone: ZoneInfo, fold: int = 0) -> datetime:
    return datetime.combine(day, at, zone).replace(fold=fold).astimezone(UTC)


def _change_of_offset(zone: ZoneInfo, since: datetime, until: datetime) -> datetime | None:
    """Return when the clock of a zone is put forward or back between two instants."""
    before = since.astimezone(zone).utcoffset()
    if until.astimezone(zone).utcoffset() == before:
        return None
    while until - since > _MINUTE:
        middle = since + (until - since) / 2
        if middle.astimezone(zone).utcoffset() == before:
            since = middle
        else:
            until = middle
    return until.replace(second=0, microsecond=0)
