"""A rule file once read: statuses, events and flags, and what all flags together say."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from graphlib import TopologicalSorter

from rules.flags import Flag
from rules.phrases.condition import Level
from rules.statuses import NOT_APPLICABLE


@dataclass(frozen=True)
class EventSetting:
    """An event key that clients may send."""

    key: str
    name: str
    enabled: bool = True


@dataclass(frozen=True)
class RuleBook:
    """One version of an organization's rules."""

    statuses: tuple[str, ...]
    events: Mapping[str, EventSetting]
    flags: tuple[Flag, ...]

    @cached_property
    def flags_by_name(self) -> Mapping[str, Flag]:
        """The flags by their names."""
        return {flag.name: flag for flag in self.flags}

    @cached_property
    def in_dependency_order(self) -> tuple[Flag, ...]:
        """The flags such that each comes after those that it refers to."""
        order = TopologicalSorter({flag.name: flag.other_flags for flag in self.flags})
        known = self.flags_by_name
        return tuple(known[name] for name in order.static_order() if name in known)

    @cached_property
    def company_fields(self) -> frozenset[str]:
        """The fields of companies that any flag rests on."""
        return frozenset(name for flag in self.flags for name in flag.company_fields)

    def flags_counting(self, event_key: str) -> Sequence[Flag]:
        """The flags that count events of this key, or of any."""
        return self._flags_by_event_key.get(event_key, self._flags_by_event_key[None])

    @cached_property
    def _flags_by_event_key(self) -> Mapping[str | None, Sequence[Flag]]:
        keys = {None, *(flag.selector.event_key for flag in self.flags)}
        return {
            key: tuple(f for f in self.flags if f.selector.event_key in (None, key)) for key in keys
        }

    @cached_property
    def events_needed_by_key(self) -> Mapping[str | None, int]:
        """Of events of which key, None for any, how many of the latest decide a flag.

        Flags that look into the data of events are left out: how many events they read cannot
        be told.
        """
        read: dict[str | None, int] = {}
        for flag in self.flags:
            key = flag.selector.event_key
            if flag.events_needed and not flag.selector.where:
                read[key] = max(read.get(key, 0), flag.events_needed)
        return read

    def status_name(self, level: Level) -> str:
        """The status that a level names, `N/A` for none."""
        return NOT_APPLICABLE if level is None else self.statuses[level]

    def level_of(self, status: str | None) -> Level:
        """The level that a status names; one that the book no longer knows counts as the best."""
        if status is None or status == NOT_APPLICABLE:
            return None
        return self.statuses.index(status) if status in self.statuses else 0

    def threshold(self, flag: str, level: Level) -> str:
        """The phrase behind a flag's level, in canonical form."""
        known = self.flags_by_name.get(flag)
        return known.threshold(level) if known else "The flag was removed from the rules"

    def describe_change(self, flag: str, before: Level, after: Level) -> str:
        """A flag's step in words: what it is now, and the phrase that holds, or does not."""
        phrase = self.threshold(flag, after or before)
        return f"{flag}: {self.status_name(after)} ({'' if after else 'no longer: '}{phrase})"

    def score(self, levels: Mapping[str, Level]) -> int | None:
        """The weighted share of health among the flags that apply, 0 to 100; None if none does.

        Level i of n counts 1 - i/(n-1). Halves are rounded up.
        """
        worst_level = len(self.statuses) - 1
        weights = health = Decimal(0)
        for flag in self.flags:
            level = levels.get(flag.name)
            if level is not None:
                weights += flag.weight
                health += flag.weight * (worst_level - level)
        if not weights:
            return None
        share = health * 100 / (weights * worst_level)
        return int(share.to_integral_value(rounding=ROUND_HALF_UP))


def worst_level(levels: Iterable[Level]) -> int:
    """The worst of the levels that apply; the best status when none does."""
    return max((level for level in levels if level is not None), default=0)
