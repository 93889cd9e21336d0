"""Health flags: a phrase for each level, and the further conditions for raising it.

A flag is N/A while a new company is exempt and where the flag does not apply. Otherwise its level
is the worst one whose phrase holds; with `for`, only once the phrase has held that long. A raised
flag with `recover` stays raised, at its mildest level, until the `recover` phrase holds. If no
phrase holds and one cannot be evaluated, `if_missing` sets the level.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Any, NamedTuple

from rules.durations import END, format_duration, shift
from rules.facts import Path, Selector
from rules.phrases.condition import Condition, Finding, Level, Situation
from rules.phrases.fields import matches_value


class Reason(Enum):
    """Why a flag has its level."""

    WAITING = "the company is new"
    DOES_NOT_APPLY = "it does not apply to this company"
    HOLDS = "its condition is met"
    RECOVERING = "it has not recovered yet"
    MISSING = "it cannot be judged"
    PENDING = "its condition has not been met for long enough yet"
    CLEAR = "none of its conditions is met"


@dataclass(frozen=True)
class FlagMemory:
    """The state that a flag carries from one evaluation to the next.

    For flags with a `for`, `holding_since` maps each level whose phrase holds to the instant since
    when it has held.
    """

    level: Level = None
    holding_since: Mapping[int, datetime] = field(default_factory=dict)


NONE_HOLDING: Mapping[int, datetime] = {}
"""Of a flag without `for`: it is not recorded since when its phrases have held."""


class Verdict(NamedTuple):
    """The result of evaluating a flag for a company at an instant.

    `changes_at` is the next instant at which the level can change without a further event, None if
    never; `awaits_event` is whether a further event can change it. `findings` are those of each
    level's phrase, worst first; `recovery` is that of `recover`, if it was evaluated.
    """

    level: Level
    reason: Reason
    changes_at: datetime | None = None
    awaits_event: bool = False
    holding_since: Mapping[int, datetime] = NONE_HOLDING
    findings: tuple[Finding, ...] = ()
    recovery: Finding | None = None

    @property
    def memory(self) -> FlagMemory:
        """The memory to pass to the next evaluation."""
        return FlagMemory(self.level, self.holding_since)


@dataclass(frozen=True)
class Flag:
    """One health flag; `conditions` are worst level first, `line` is its line in the rule file.

    `applies_to` lists pairs of a path below `company` and the values accepted at that path.
    `weight` is the flag's weight in the score. `if_missing` is a level, None for N/A.
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
        """The flags that this flag refers to."""
        return frozenset(name for part in self._parts for name in part.other_flags)

    @cached_property
    def company_fields(self) -> frozenset[str]:
        """The company fields that this flag depends on."""
        fields = {name.split(".")[0] for part in self._parts for name in part.company_fields}
        return frozenset(fields | {path[0] for path, _ in self.applies_to})

    @cached_property
    def counts_events(self) -> bool:
        """Whether any phrase counts events."""
        return any(part.counts_events for part in self._parts)

    @cached_property
    def affected_by_late_events(self) -> bool:
        """See `Condition.affected_by_late_events`."""
        return any(part.affected_by_late_events for part in self._parts)

    @cached_property
    def events_needed(self) -> int:
        """See `Condition.events_needed`."""
        return max((part.events_needed for part in self._parts), default=0)

    @cached_property
    def warm_up(self) -> timedelta:
        """How far back to start evaluating in order to reconstruct the flag's memory."""
        if self.recover is None and not self.lasting:
            return timedelta(0)
        return self.lasting + max(part.lookback for part in self._parts)

    @cached_property
    def _parts(self) -> tuple[Condition, ...]:
        return tuple(part for phrase in self.phrases for part in phrase)

    @property
    def phrases(self) -> tuple[Condition, ...]:
        """Every phrase of the flag, worst level first, `recover` last."""
        levels = tuple(condition for _, condition in self.conditions)
        return (*levels, self.recover) if self.recover else levels

    def evaluate(self, situation: Situation, memory: FlagMemory) -> Verdict:
        """Evaluate the flag in a situation, with the memory of its previous evaluation."""
        starts = shift(situation.facts.first_seen_at, self.wait)
        if situation.at < starts:
            return Verdict(None, Reason.WAITING, changes_at=starts)
        if not self._applies(situation):
            return Verdict(None, Reason.DOES_NOT_APPLY)
        findings = tuple(condition.evaluate(situation) for _, condition in self.conditions)
        holding_since, due = self._holding_since(situation.at, memory, findings)
        level, reason = self._level(situation.at, memory, findings, holding_since)
        recovery = None
        if self.recover and memory.level and reason in (Reason.CLEAR, Reason.PENDING):
            recovery = self.recover.evaluate(situation)
            if recovery.holds is not True:
                level, reason = self.conditions[-1][0], Reason.RECOVERING
        evaluated = (*findings, recovery) if recovery else findings
        changes = [finding.changes_at for finding in evaluated if finding.changes_at]
        return Verdict(
            level,
            reason,
            changes_at=min(changes + due, default=None),
            awaits_event=any(finding.awaits_event for finding in evaluated),
            holding_since=holding_since,
            findings=findings,
            recovery=recovery,
        )

    def threshold(self, level: Level) -> str:
        """Return the phrase behind a level, in canonical form; the mildest one if not raised."""
        by_level = dict(self.conditions)
        mildest = self.conditions[-1][1]
        phrase = str(by_level.get(level, mildest) if level else mildest)
        return f"{phrase}, for {format_duration(self.lasting)}" if self.lasting else phrase

    def _applies(self, situation: Situation) -> bool:
        for path, accepted in self.applies_to:
            value = situation.facts.field(path, situation.at)
            if value is None or not any(matches_value(value, expected) for expected in accepted):
                return False
        return True

    def _holding_since(
        self, at: datetime, memory: FlagMemory, findings: tuple[Finding, ...]
    ) -> tuple[dict[int, datetime], list[datetime]]:
        """Return since when each level's phrase has held, and the instants when `for` elapses."""
        if not self.lasting:
            return {}, []
        levels = (level for level, _ in self.conditions)
        holding_since = {
            level: memory.holding_since.get(level, at)
            for level, finding in zip(levels, findings, strict=True)
            if finding.holds
        }
        due = (shift(since, self.lasting) for since in holding_since.values())
        return holding_since, [instant for instant in due if instant > at]

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
