"""The rules of an organization as read from a rule file: statuses, events and flags."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from graphlib import TopologicalSorter

from rules.flags import Flag
from rules.notify.entries import NotifyEntry
from rules.phrases.condition import Level
from rules.scores import score_of, score_range
from rules.statuses import NOT_APPLICABLE
from rules.team import NO_TEAM, TeamFields


@dataclass(frozen=True)
class EventSetting:
    """An event key that clients may send."""

    key: str
    name: str
    enabled: bool = True
    called: tuple[str, ...] = ()
    """The names by which other products send it."""


@dataclass(frozen=True)
class RuleBook:
    """One version of an organization's rules."""

    statuses: tuple[str, ...]
    events: Mapping[str, EventSetting]
    flags: tuple[Flag, ...]
    team: TeamFields = NO_TEAM
    paused: tuple[Flag, ...] = ()
    """Flags with `enabled: false`, which are not evaluated, as if they were not in the file."""
    notify: tuple[NotifyEntry, ...] = ()

    @cached_property
    def flags_by_name(self) -> Mapping[str, Flag]:
        """Flags by name."""
        return {flag.name: flag for flag in self.flags}

    @cached_property
    def flags_by_meaning(self) -> Mapping[str, object]:
        """What each flag means, to be compared with that of other books: with names of statuses."""
        return {flag.name: self._meaning(flag) for flag in self.flags}

    def _meaning(self, flag: Flag) -> object:
        conditions = tuple((self.statuses[level], phrase) for level, phrase in flag.conditions)
        bare = replace(flag, conditions=(), if_missing=None)
        return bare, conditions, self.status_name(flag.if_missing)

    @cached_property
    def in_dependency_order(self) -> tuple[Flag, ...]:
        """Flags ordered so that each follows the flags that it refers to."""
        order = TopologicalSorter({flag.name: flag.other_flags for flag in self.flags})
        flags = self.flags_by_name
        return tuple(flags[name] for name in order.static_order() if name in flags)

    @cached_property
    def company_fields(self) -> frozenset[str]:
        """The company fields that any flag depends on."""
        return frozenset(name for flag in self.flags for name in flag.company_fields)

    def flags_counting(self, event_key: str) -> Sequence[Flag]:
        """Return the flags that count events of this key, including flags that count any event."""
        return self._flags_by_event_key.get(event_key, self._flags_by_event_key[None])

    @cached_property
    def _flags_by_event_key(self) -> Mapping[str | None, Sequence[Flag]]:
        keys = {None, *(flag.selector.event_key for flag in self.flags)}
        return {
            key: tuple(f for f in self.flags if f.selector.event_key in (None, key)) for key in keys
        }

    @cached_property
    def events_needed_by_key(self) -> Mapping[str | None, int]:
        """How many of the latest events decide a flag, by event key; None is any event.

        Flags that filter on event data are left out: how many events they read is not known in
        advance.
        """
        return events_needed_by_key(self.flags)

    def status_name(self, level: Level) -> str:
        """Return the status of a level, `N/A` for None."""
        return NOT_APPLICABLE if level is None else self.statuses[level]

    def level_of(self, status: str | None) -> Level:
        """Return the level of a status; a status no longer in the book is the best level."""
        if status is None or status == NOT_APPLICABLE:
            return None
        return self.statuses.index(status) if status in self.statuses else 0

    def threshold(self, flag: str, level: Level) -> str:
        """Return the phrase behind a flag's level, in canonical form."""
        current = self.flags_by_name.get(flag)
        return current.threshold(level) if current else "The flag was removed from the rules"

    def describe_change(self, flag: str, before: Level, after: Level) -> str:
        """Describe a flag's change: its new status, and the phrase that holds or held."""
        phrase = self.threshold(flag, after or before)
        return f"{flag}: {self.status_name(after)} ({'' if after else 'no longer: '}{phrase})"

    def score(self, levels: Mapping[str, Level]) -> int | None:
        """Return a company's score, 0 to 100; None if no flag with a weight applies."""
        applying = ((levels.get(flag.name), flag.weight) for flag in self.flags)
        return score_of(
            ((level, weight) for level, weight in applying if level is not None), len(self.statuses)
        )

    def score_range(self, status: str) -> range:
        """Return the scores that a company with this status may have."""
        return score_range(self.level_of(status) or 0, len(self.statuses))


def events_needed_by_key(flags: Iterable[Flag]) -> dict[str | None, int]:
    """Return how many of the latest events decide one of some flags; see `RuleBook`."""
    needed: dict[str | None, int] = {}
    for flag in flags:
        key = flag.selector.event_key
        if flag.events_needed and not flag.selector.where:
            needed[key] = max(needed.get(key, 0), flag.events_needed)
    return needed


def worst_level(levels: Iterable[Level]) -> int:
    """Return the worst of the levels that apply; 0, the best, when none applies."""
    return max((level for level in levels if level is not None), default=0)
