"""The entries of `notify`: whom to notify of which health changes, and when."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from rules.facts import Path, value_at
from rules.notify.schedule import AT_ONCE, Schedule
from rules.phrases.condition import Level
from rules.phrases.fields import matches_value

OWNER = "owner"
"""The owner of each company, in a list of addresses, which all contain an `@`."""


class Service(StrEnum):
    """What messages are sent by."""

    SLACK = "slack"
    TEAMS = "teams"
    EMAIL = "email"

    @property
    def title(self) -> str:  # type: ignore[override]  # the name for people, not `str.title`
        """Its name for people."""
        return {"slack": "Slack", "teams": "Microsoft Teams", "email": "Email"}[self.value]


@dataclass(frozen=True)
class HealthChange:
    """What changed about a company at one instant: the level of its status, and those of flags."""

    before: Level
    after: Level
    flags: Mapping[str, tuple[Level, Level]] = field(default_factory=dict)


class ChangeCondition(ABC):
    """A phrase of `when`, such as `status becomes Critical`."""

    flag: str | None = None
    """The flag that it is about, None for the status."""

    @abstractmethod
    def holds(self, change: HealthChange) -> bool:
        """Whether a change is one of those that are meant."""


@dataclass(frozen=True)
class Changes(ChangeCondition):
    """`status changes`."""

    def holds(self, change: HealthChange) -> bool:
        """See `ChangeCondition.holds`."""
        return change.before != change.after

    def __str__(self) -> str:
        return "status changes"


@dataclass(frozen=True)
class Becomes(ChangeCondition):
    """`status becomes At Risk`, or the same of a flag.

    With `or worse`, a change to a worse level holds too, and one to a better level does not.
    """

    status: str
    level: int
    or_worse: bool = False
    flag: str | None = None

    def holds(self, change: HealthChange) -> bool:
        """See `ChangeCondition.holds`."""
        before, after = _levels(change, self.flag)
        if self.or_worse:
            return after >= self.level and after > before
        return after == self.level and after != before

    def __str__(self) -> str:
        return f"{_subject(self.flag)} becomes {self.status}{' or worse' if self.or_worse else ''}"


@dataclass(frozen=True)
class Recovers(ChangeCondition):
    """`status recovers`, or the same of a flag: it becomes the best one."""

    flag: str | None = None

    def holds(self, change: HealthChange) -> bool:
        """See `ChangeCondition.holds`."""
        before, after = _levels(change, self.flag)
        return after == 0 < before

    def __str__(self) -> str:
        return f"{_subject(self.flag)} recovers"


@dataclass(frozen=True)
class Raised(ChangeCondition):
    """`flag Usage drop is raised`: it was at the best status, or N/A, before."""

    flag: str

    def holds(self, change: HealthChange) -> bool:
        """See `ChangeCondition.holds`."""
        before, after = _levels(change, self.flag)
        return before == 0 < after

    def __str__(self) -> str:
        return f"{_subject(self.flag)} is raised"


def _levels(change: HealthChange, flag: str | None) -> tuple[int, int]:
    before, after = change.flags.get(flag, (0, 0)) if flag else (change.before, change.after)
    return before or 0, after or 0


def _subject(flag: str | None) -> str:
    return f"flag {flag}" if flag else "status"


@dataclass(frozen=True)
class Span:
    """A part of a rule file: from one index up to another, and its 1-based line and column."""

    start: int
    end: int
    line: int
    column: int


@dataclass(frozen=True)
class Target:
    """Whom to notify: the name of a Slack or Teams destination, or addresses and `OWNER`.

    `url` is a destination's URL that was written instead of its name.
    """

    service: Service
    names: tuple[str, ...]
    url: str | None = field(default=None, repr=False)
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class NotifyEntry:
    """One entry of `notify`; one of `when` has to hold, and every pair of `where`.

    `where` has pairs of a path below `company` and the values accepted at that path.
    """

    target: Target
    when: tuple[ChangeCondition, ...] = (Changes(),)
    where: tuple[tuple[Path, tuple[Any, ...]], ...] = ()
    schedule: Schedule = AT_ONCE
    line: int = field(default=0, compare=False)

    def applies(self, change: HealthChange, fields: Mapping[str, Any]) -> bool:
        """Whether a change of a company with these fields causes a notification."""
        return any(condition.holds(change) for condition in self.when) and all(
            _is_one_of(value_at(fields, path), accepted) for path, accepted in self.where
        )


def _is_one_of(value: Any, accepted: tuple[Any, ...]) -> bool:
    return value is not None and any(matches_value(value, expected) for expected in accepted)
