"""The recorded state of a company's health, and the changes that can happen to it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rules.book import RuleBook
from rules.flags import FlagMemory, Verdict
from rules.phrases.condition import Level


class Cause(StrEnum):
    """Why a flag's level or effective level changed; of several causes, the last one dominates.

    `IMPORT` is that of transitions before an import of events of the past.
    """

    TIME = "time"
    EVENT = "event"
    OVERRIDE = "override"
    RULE_CHANGE = "rule_change"
    IMPORT = "import"


def dominant_cause(causes: Iterable[Cause], default: Cause = Cause.TIME) -> Cause:
    """Return the dominant one of several causes, `default` if there are none."""
    return max(causes, key=list(Cause).index, default=default)


@dataclass(frozen=True)
class FlagState:
    """The recorded state of one flag of one company.

    `due_at` is when time alone may next change it; it may be too early, since the flag may have
    changed since, but never too late. `awaits_event` is whether a matching event may change it.
    For flags with a `for`, `holding_since` maps levels to the instant since when their phrases
    have held. `moved_at` is when the level or `holding_since` last changed; None means that it was
    at `changed_at`, when the level last changed.
    """

    level: Level
    changed_at: datetime
    due_at: datetime | None
    awaits_event: bool
    holding_since: Mapping[int, datetime] = field(default_factory=dict)
    moved_at: datetime | None = None

    @property
    def fixed_until(self) -> datetime:
        """The instant up to which what is recorded is never revised."""
        return max(self.changed_at, self.moved_at or self.changed_at)

    @property
    def memory(self) -> FlagMemory:
        """The memory to pass to the flag's next evaluation."""
        return FlagMemory(self.level, self.holding_since)


@dataclass(frozen=True)
class FlagChange:
    """A flag's change from one level to another; `verdict` is its evaluation at that instant.

    `verdict` is None if only its effective level changed then.
    """

    at: datetime
    flag: str
    before: Level
    after: Level
    cause: Cause
    verdict: Verdict | None = field(default=None, compare=False, repr=False)

    @property
    def is_crossing(self) -> bool:
        """Whether it is worth announcing: a flag starting or ceasing to apply, unraised, is not."""
        return (self.before or 0) != (self.after or 0)


@dataclass(frozen=True)
class Transition:
    """Everything that changed about a company at one instant.

    `before` and `after` are its status names; they are equal if flags changed level but the status
    of the company did not. `levels` are the effective levels of all flags afterwards, `overridden`
    are the names of the flags that are overridden then.
    """

    at: datetime
    before: str
    after: str
    cause: Cause
    changes: tuple[FlagChange, ...]
    levels: Mapping[str, Level]
    overridden: frozenset[str] = frozenset()

    def threshold(self, book: RuleBook, flag: str, level: Level) -> str:
        """Return what is behind a flag's level: a phrase in canonical form, or an override."""
        if flag in self.overridden:
            return "Snoozed" if self.levels[flag] is None else "Set by hand"
        return book.threshold(flag, level)

    def describe(self, book: RuleBook, change: FlagChange) -> str:
        """Describe a flag's change: its new status, and what is behind it."""
        if change.flag in self.overridden:
            threshold = self.threshold(book, change.flag, change.after)
            return f"{change.flag}: {book.status_name(change.after)} ({threshold})"
        return book.describe_change(change.flag, change.before, change.after)


@dataclass(frozen=True)
class Override:
    """An override of a flag of a company, from one instant to another.

    The flag counts as `status`; None is snoozed: it does not count at all. `ends_at` is when the
    flag's own level takes effect again, None if only on request. `started` is whether the start is
    already recorded; `id` identifies the override where it is stored.
    """

    id: int
    flag: str
    status: str | None
    starts_at: datetime
    ends_at: datetime | None
    started: bool = False


@dataclass(frozen=True)
class EndedOverride:
    """An override that ended; `missing` is what the rules no longer have, if they ended it."""

    override: Override
    at: datetime
    missing: str | None


@dataclass(frozen=True)
class CompanyState:
    """The recorded health of one company.

    `changed_at` is when its status last changed, `recorded_until` when anything last changed.
    `flags` are the flags' own states, without overrides; `overrides` are those in force and those
    yet to start, at most one per flag at any instant.
    """

    status: str
    first_seen_at: datetime
    changed_at: datetime | None
    flags: Mapping[str, FlagState]
    recorded_until: datetime | None = None
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True)
class NewRules:
    """A change of rules: until `since`, the company was evaluated by the `previous` book.

    `without_memory` are flags whose level at `since` does not depend on what was before, so that
    nothing before needs to be evaluated. It is for predictions: what is to be recorded does depend
    on it.
    """

    since: datetime
    previous: RuleBook
    without_memory: Collection[str] = ()


@dataclass(frozen=True)
class Settlement:
    """A company's state brought up to date, and the transitions on the way, in order.

    `changes` are all changes of the flags' own levels, including overridden and unannounced ones,
    in order per flag. `ended` are the overrides that have ended.
    """

    state: CompanyState
    transitions: tuple[Transition, ...]
    changes: tuple[FlagChange, ...] = ()
    ended: tuple[EndedOverride, ...] = ()
