"""Turns the parse trees of phrases about notifications into conditions and times."""

from dataclasses import dataclass
from datetime import time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from lark import Token, Transformer, v_args

from rules.durations import format_duration
from rules.faults import did_you_mean, unknown_status
from rules.language.mistakes import PhraseError
from rules.language.texts import unquote
from rules.notify.entries import Becomes, ChangeCondition, Changes, Raised, Recovers
from rules.notify.schedule import EVERY_DAY, WEEKEND, WORKING_DAYS, Digest, Hours, Quiet

LONGEST_TOGETHER = timedelta(hours=24)
"""Beyond that, a digest is meant."""

MOST_HOURS = 5
"""The most ranges of hours in `quiet`."""

_FIRST_LETTERS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class _Days:
    days: frozenset[int]


@v_args(inline=True)
class NotifyTree(Transformer[Token, Any]):
    """The part of the transformer of phrases that is about notifications."""

    statuses: tuple[str, ...]

    def notify_when(self, *parts: Any) -> tuple[ChangeCondition, ...]:
        conditions = [part for part in parts if isinstance(part, ChangeCondition)]
        return tuple(dict.fromkeys(conditions))

    def status_becomes(
        self, _status: Token, _becomes: Token, value: Token, or_worse: Token | None
    ) -> Becomes:
        return self._becomes(None, value, or_worse)

    def status_recovers(self, *_words: Token) -> Recovers:
        return Recovers()

    def status_changes(self, *_words: Token) -> Changes:
        return Changes()

    def flag_becomes(
        self, _flag: Token, name: Token, _becomes: Token, value: Token, or_worse: Token | None
    ) -> Becomes:
        return self._becomes(unquote(name), value, or_worse)

    def flag_recovers(self, _flag: Token, name: Token, _recovers: Token) -> Recovers:
        return Recovers(unquote(name))

    def flag_raised(self, _flag: Token, name: Token, *_words: Token) -> Raised:
        return Raised(unquote(name))

    def _becomes(self, flag: str | None, value: Token, or_worse: Token | None) -> Becomes:
        written, by_folded = unquote(value), {s.casefold(): s for s in self.statuses}
        status = by_folded.get(written.casefold())
        if status is None:
            raise PhraseError(unknown_status(written, self.statuses), value.start_pos or 0)
        level = self.statuses.index(status)
        if level == 0 and or_worse is not None:
            raise PhraseError(
                f"every status is `{status}` or worse; write `status changes`", value.start_pos or 0
            )
        return Becomes(status, level, or_worse is not None, flag)

    def together(self, _together: Token, within: Token, duration: timedelta) -> timedelta:
        if duration > LONGEST_TOGETHER:
            raise PhraseError(
                f"{format_duration(duration)} is too long; together is within 24 hours at most."
                " For more, use `digest`",
                within.start_pos or 0,
            )
        return duration

    def quiet(self, *children: Any) -> Quiet:
        hours = dict.fromkeys(part for part in children if isinstance(part, Hours))
        if len(hours) > MOST_HOURS:
            raise PhraseError(f"there are more than {MOST_HOURS} ranges of hours")
        days = [part.days for part in children if isinstance(part, _Days)]
        quiet = Quiet(tuple(sorted(hours)), frozenset().union(*days), _zone(children[-1]))
        if quiet.is_endless:
            raise PhraseError("it would always be quiet, so nothing would ever be sent")
        return quiet

    def hours(self, start: Token, end: Token) -> Hours:
        if _time(start) == _time(end):
            raise PhraseError(
                "a range of hours ends at another time than it begins", start.start_pos or 0
            )
        return Hours(_time(start), _time(end))

    def weekends(self, _weekends: Token) -> _Days:
        return _Days(WEEKEND)

    def one_day(self, day: Token) -> _Days:
        return _Days(frozenset({_day(day)}))

    def digest(self, days: _Days, _at: Token, at: Token, _in: Token, zone: Token) -> Digest:
        return Digest(days.days, _time(at), _zone(zone))

    def daily(self, _daily: Token) -> _Days:
        return _Days(EVERY_DAY)

    def weekdays(self, _weekdays: Token) -> _Days:
        return _Days(WORKING_DAYS)

    def some_days(self, *days: Token) -> _Days:
        return _Days(frozenset(_day(day) for day in days if day.type == "DAY"))


def _day(token: Token) -> int:
    return _FIRST_LETTERS.index(token[:3].lower())


def _time(token: Token) -> time:
    hour, minute = map(int, token.split(":"))
    if (hour, minute) == (24, 0):
        return time(0)
    if hour > 23 or minute > 59:
        raise PhraseError(f"`{token}` is not a time of the day", token.start_pos or 0)
    return time(hour, minute)


def _zone(token: Token) -> str:
    """Return the name of a time zone of the IANA database.

    Raises:
        PhraseError: there is no such zone.
    """
    try:
        return ZoneInfo(token).key
    except (KeyError, ValueError, OSError):
        raise PhraseError(
            f"the time zone `{token}` is not known{_similar_zone(token)}", token.start_pos or 0
        ) from None


def _similar_zone(name: str) -> str:
    folded = name.casefold()
    for zone in _zones():
        if zone.casefold() == folded or zone.casefold().rpartition("/")[2] == folded:
            return f"; did you mean `{zone}`?"
    area = [zone for zone in _zones() if zone.casefold().startswith(folded[:8])]
    return did_you_mean(name, area) or "; write for example `Europe/Berlin` or `UTC`"


@cache
def _zones() -> list[str]:
    return sorted(available_timezones())
