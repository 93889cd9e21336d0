"""A rule file once read: statuses, events and flags, and what a flag says at an instant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rules.conditions import Condition
from rules.facts import Facts, Selector

Level = int | None
"""Index of a status, 0 the best; None is not applicable (N/A)."""

NOT_APPLICABLE = "N/A"


@dataclass(frozen=True)
class EventSetting:
    """An event key that clients may send."""

    key: str
    name: str
    enabled: bool = True


@dataclass(frozen=True)
class Verdict:
    """What a flag says about a company at an instant.

    `changes_at` is the next instant at which it can change by itself, None if never;
    `awaits_event` tells whether a further event can change it; `count` is the number of
    events found in the window of the threshold that `level` names.
    """

    level: Level
    changes_at: datetime | None
    awaits_event: bool
    count: int = 0


@dataclass(frozen=True)
class Flag:
    """One health flag: a condition for each level that it can raise, worst first."""

    name: str
    selector: Selector
    conditions: tuple[tuple[int, Condition], ...]
    wait: timedelta = timedelta(0)
    note: str | None = None
    line: int = 0

    def judge(self, facts: Facts, first_seen_at: datetime, at: datetime) -> Verdict:
        """The verdict at the instant `at`, from all events up to it."""
        if at < first_seen_at + self.wait:
            return Verdict(None, changes_at=first_seen_at + self.wait, awaits_event=False)
        depth = max(condition.depth for _, condition in self.conditions)
        latest = facts.latest(self.selector, depth, at)
        findings = [(level, condition.find(latest, at)) for level, condition in self.conditions]
        raised = next(((level, found) for level, found in findings if found.holds), None)
        level, deciding = raised or (0, findings[-1][1])
        return Verdict(
            level,
            changes_at=min((f.changes_at for _, f in findings if f.changes_at), default=None),
            awaits_event=any(found.awaits_event for _, found in findings),
            count=deciding.count,
        )

    def threshold(self, level: Level) -> str:
        """The phrase behind a level, in canonical form; for a flag not raised, its mildest."""
        by_level = dict(self.conditions)
        mildest = self.conditions[-1][1]
        return str(by_level.get(level, mildest) if level else mildest)


@dataclass(frozen=True)
class RuleBook:
    """One version of an organization's rules."""

    statuses: tuple[str, ...]
    events: Mapping[str, EventSetting]
    flags: tuple[Flag, ...]
    flags_by_name: Mapping[str, Flag] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "flags_by_name", {flag.name: flag for flag in self.flags})

    def status_name(self, level: Level) -> str:
        """The status that a level names, `N/A` for none."""
        return NOT_APPLICABLE if level is None else self.statuses[level]

    def level_of(self, status: str | None) -> Level:
        """The level that a status names; one that the book no longer knows counts as the best."""
        if status is None or status == NOT_APPLICABLE:
            return None
        return self.statuses.index(status) if status in self.statuses else 0
