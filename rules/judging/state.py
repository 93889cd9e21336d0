"""What is recorded of a company's health, and what can happen to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rules.book import RuleBook
from rules.flags import FlagMemory, Verdict
from rules.phrases.condition import Level


class Cause(StrEnum):
    """What made a flag change, or count otherwise; of several, the last of this list is told."""

    TIME = "time"
    EVENT = "event"
    OVERRIDE = "override"
    RULE_CHANGE = "rule_change"


@dataclass(frozen=True)
class FlagState:
    """What is recorded of one flag of one company.

    `due_at` is when time alone may next change it, never later than the truth: it may have
    moved on since. `awaits_event` tells whether a matching event may change it. `holding` is
    since when the phrases of a flag with `for` hold, by level. `moved_at` is when the level or
    `holding` last changed; None is `changed_at`, when the level did.
    """

    level: Level
    changed_at: datetime
    due_at: datetime | None
    awaits_event: bool
    holding_since: Mapping[int, datetime] = field(default_factory=dict)
    moved_at: datetime | None = None

    @property
    def fixed_until(self) -> datetime:
        """What was recorded up to then stays as it is."""
        return max(self.changed_at, self.moved_at or self.changed_at)

    @property
    def memory(self) -> FlagMemory:
        """What the next judgement of the flag is to know."""
        return FlagMemory(self.level, self.holding_since)


@dataclass(frozen=True)
class FlagChange:
    """A flag's step from one level to another; `verdict` is what it was judged as just then.

    None where it was not judged then, but came to count otherwise.
    """

    at: datetime
    flag: str
    before: Level
    after: Level
    cause: Cause
    verdict: Verdict | None = field(default=None, compare=False, repr=False)

    @property
    def is_crossing(self) -> bool:
        """Whether it is worth telling: a flag that begins or ceases to apply, unraised, is not."""
        return (self.before or 0) != (self.after or 0)


@dataclass(frozen=True)
class Transition:
    """All that changed about a company at one instant.

    `before` and `after` are its status names; they are equal when flags changed level and the
    company's status stayed. `levels` holds the level as which every flag counts afterwards,
    `overridden` names the flags that then count otherwise than they are judged.
    """

    at: datetime
    before: str
    after: str
    cause: Cause
    changes: tuple[FlagChange, ...]
    levels: Mapping[str, Level]
    overridden: frozenset[str] = frozenset()

    def threshold(self, book: RuleBook, flag: str, level: Level) -> str:
        """What is behind a flag's level: a phrase in canonical form, or somebody's word."""
        if flag in self.overridden:
            return "Snoozed" if self.levels[flag] is None else "Set by hand"
        return book.threshold(flag, level)

    def describe(self, book: RuleBook, change: FlagChange) -> str:
        """A flag's step in words: what it is now, and what is behind it."""
        if change.flag in self.overridden:
            behind = self.threshold(book, change.flag, change.after)
            return f"{change.flag}: {book.status_name(change.after)} ({behind})"
        return book.describe_change(change.flag, change.before, change.after)


@dataclass(frozen=True)
class Override:
    """That a flag of a company counts otherwise than it is judged, from an instant to another.

    It counts as `status`; None is snoozed: it does not count at all. `ends_at` is when it counts
    as judged again, None for not by itself. `begun` tells whether its start is recorded already;
    `id` is for whoever keeps it.
    """

    id: int
    flag: str
    status: str | None
    starts_at: datetime
    ends_at: datetime | None
    started: bool = False


@dataclass(frozen=True)
class EndedOverride:
    """That an override ended at an instant; `because` is what the rules lack, if they ended it."""

    override: Override
    at: datetime
    missing: str | None


@dataclass(frozen=True)
class CompanyState:
    """What is recorded of one company's health.

    `changed_at` is when its status last changed, `recorded_until` when anything last did.
    `flags` are as they are judged; `overrides` are those in force, and those yet to begin, at
    most one of a flag at an instant.
    """

    status: str
    first_seen_at: datetime
    changed_at: datetime | None
    flags: Mapping[str, FlagState]
    recorded_until: datetime | None = None
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True)
class NewRules:
    """That a company was judged by another book until `since`."""

    since: datetime
    previous: RuleBook


@dataclass(frozen=True)
class Settlement:
    """A company's state brought up to date, and the transitions on the way, in order.

    `changes` are what the flags themselves came to, also where that does not count or is not
    told; of each flag in order. `ended` are the overrides that are over.
    """

    state: CompanyState
    transitions: tuple[Transition, ...]
    changes: tuple[FlagChange, ...] = ()
    ended: tuple[EndedOverride, ...] = ()
