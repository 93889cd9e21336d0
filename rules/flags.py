"""A health flag: a phrase for each level that it can raise, and what it needs besides to be raised.

A flag that waits for a new company, or does not apply, is N/A. Otherwise the worst level whose
phrase holds is raised; with `for`, only once it has held that long. A raised flag with `recover`
stays raised, at its mildest level, until that holds. Where no phrase holds and one cannot be
judged, `if_missing` decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Any

from rules.durations import END, format_duration, shift
from rules.facts import Path, Selector
from rules.phrases.condition import Condition, Finding, Level, Situation
from rules.phrases.fields import matches_value


class Reason(Enum):
    """Why a flag has its level."""

    WAITING = "the company is new"
    DOES_NOT_APPLY = "it does not apply to this company"
    HOLDS = "its phrase holds"
    RECOVERING = "it has not recovered yet"
    MISSING = "it cannot be judged"
    PENDING = "its phrase has not held long enough yet"
    CLEAR = "no phrase of it holds"


@dataclass(frozen=True)
class FlagMemory:
    """What a flag keeps from one judgement to the next: its level, and since when phrases hold.

    `holding` has an entry for each level whose phrase holds, where the flag has a `for`.
    """

    level: Level = None
    holding_since: Mapping[int, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What a flag says about a company at an instant.

    `changes_at` is the next instant at which it can change by itself, None if never;
    `awaits_event` tells whether a further event can change it; `findings` are those of each level,
    worst first, `recovery` that of `recover` where it was asked.
    """

    level: Level
    reason: Reason
    changes_at: datetime | None = None
    awaits_event: bool = False
    holding_since: Mapping[int, datetime] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    recovery: Finding | None = None

    @property
    def memory(self) -> FlagMemory:
        """What is to be kept for the next judgement."""
        return FlagMemory(self.level, self.holding_since)


@dataclass(frozen=True)
class Flag:
    """One health flag; `conditions` are worst first, `line` is where it stands in its file.

    `applies_to` holds pairs of a path below `company` and the values of which one must stand
    there. `weight` counts in the score. `if_missing` is a level, None for N/A.
    """

    name: str
    selector: Selector
    conditions: tuple[tuple[int, Condition], ...]
    wait: timedelta = timedelta(0)
    recover: Condition | None = None
    lasting: timedelta = timedelta(0)
    applies_to: tuple[tuple[Path, tuple[Any, ...]], ...] = ()
    if_missing: Level = None
    weight: Decimal = field(default=Decimal(1), compare=False)
    note: str | None = field(default=None, compare=False)
    line: int = field(default=0, compare=False)

    @cached_property
    def other_flags(self) -> frozenset[str]:
        """The flags that it refers to."""
        return frozenset(name for part in self._parts for name in part.other_flags)

    @cached_property
    def company_fields(self) -> frozenset[str]:
        """The fields of the company that it rests on."""
        fields = {name.split(".")[0] for part in self._parts for name in part.company_fields}
        return frozenset(fields | {path[0] for path, _ in self.applies_to})

    @cached_property
    def counts_events(self) -> bool:
        """Whether it is about events at all."""
        return any(part.counts_events for part in self._parts)

    @cached_property
    def affected_by_late_events(self) -> bool:
        """See `Condition.heeds_late_events`."""
        return any(part.affected_by_late_events for part in self._parts)

    @cached_property
    def events_needed(self) -> int:
        """See `Condition.latest_read`."""
        return max((part.events_needed for part in self._parts), default=0)

    @cached_property
    def warm_up(self) -> timedelta:
        """How much of the past tells what the flag would remember, had it been judged then."""
        if self.recover is None and not self.lasting:
            return timedelta(0)
        return self.lasting + max(part.lookback for part in self._parts)

    @cached_property
    def _parts(self) -> tuple[Condition, ...]:
        return tuple(part for phrase in self.phrases for part in phrase)

    @property
    def phrases(self) -> tuple[Condition, ...]:
        """Every phrase of the flag, the worst level's first, `recover` last."""
        levels = tuple(condition for _, condition in self.conditions)
        return (*levels, self.recover) if self.recover else levels

    def evaluate(self, situation: Situation, memory: FlagMemory) -> Verdict:
        """The verdict in a situation, from all facts up to it and what was kept from before."""
        starts = shift(situation.facts.first_seen_at, self.wait)
        if situation.at < starts:
            return Verdict(None, Reason.WAITING, changes_at=starts)
        if not self._applies(situation):
            return Verdict(None, Reason.DOES_NOT_APPLY)
        findings = tuple(condition.evaluate(situation) for _, condition in self.conditions)
        holding_since, ripening = self._holding(situation.at, memory, findings)
        level, reason = self._level(situation.at, memory, findings, holding_since)
        recovery = None
        if self.recover and memory.level and reason in (Reason.CLEAR, Reason.PENDING):
            recovery = self.recover.evaluate(situation)
            if recovery.holds is not True:
                level, reason = self.conditions[-1][0], Reason.RECOVERING
        asked = (*findings, recovery) if recovery else findings
        changes = [found.changes_at for found in asked if found.changes_at] + ripening
        return Verdict(
            level,
            reason,
            changes_at=min(changes, default=None),
            awaits_event=any(found.awaits_event for found in asked),
            holding_since=holding_since,
            findings=findings,
            recovery=recovery,
        )

    def threshold(self, level: Level) -> str:
        """The phrase behind a level, in canonical form; for a flag not raised, its mildest."""
        by_level = dict(self.conditions)
        mildest = self.conditions[-1][1]
        phrase = str(by_level.get(level, mildest) if level else mildest)
        return f"{phrase}, for {format_duration(self.lasting)}" if self.lasting else phrase

    def _applies(self, situation: Situation) -> bool:
        for path, wanted in self.applies_to:
            value = situation.facts.field(path, situation.at)
            if value is None or not any(matches_value(value, one) for one in wanted):
                return False
        return True

    def _holding(
        self, at: datetime, memory: FlagMemory, findings: tuple[Finding, ...]
    ) -> tuple[dict[int, datetime], list[datetime]]:
        """Since when each level's phrase has held, and when those that are not old enough are."""
        if not self.lasting:
            return {}, []
        levels = (level for level, _ in self.conditions)
        holding_since = {
            level: memory.holding_since.get(level, at)
            for level, finding in zip(levels, findings, strict=True)
            if finding.holds
        }
        ripe = (shift(since, self.lasting) for since in holding_since.values())
        return holding_since, [instant for instant in ripe if instant > at]

    def _level(
        self,
        at: datetime,
        memory: FlagMemory,
        findings: tuple[Finding, ...],
        holding_since: Mapping[int, datetime],
    ) -> tuple[Level, Reason]:
        for (level, _), finding in zip(self.conditions, findings, strict=True):
            lasted = not self.lasting or at >= shift(holding_since.get(level, END), self.lasting)
            if finding.holds and (lasted or (memory.level or 0) >= level):
                return level, Reason.HOLDS
        if any(finding.holds for finding in findings):
            return 0, Reason.PENDING
        if any(finding.holds is None for finding in findings):
            return self.if_missing, Reason.MISSING
        return 0, Reason.CLEAR
