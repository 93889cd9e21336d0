"""Finds when a company's flags change, by evaluating them at each instant at which they can."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.durations import shift
from rules.facts import Facts
from rules.flags import Flag, FlagMemory, Verdict
from rules.judging.state import Cause, FlagChange, FlagState, dominant_cause
from rules.phrases.condition import Level, Situation

RESOLUTION = timedelta(microseconds=1)
"""The resolution of instants."""

Checkpoint = tuple[datetime, Cause]
"""An instant at which to evaluate a flag, and the cause of a change at that instant."""


@dataclass
class _Timeline:
    """A flag's levels over time, each with the instant since when, and its next `due_at`."""

    levels: list[tuple[datetime, Level]]
    due_at: datetime | None


class CrossingFinder:
    """Finds the crossings of one settlement, flag by flag, in dependency order.

    `states` and `changes` collect the results.
    """

    def __init__(
        self,
        facts: Facts,
        now: datetime,
        unsettled_since: datetime | None,
        recorded: Mapping[str, FlagState],
    ) -> None:
        self.states = dict(recorded)
        self._recorded = recorded
        self.changes: list[FlagChange] = []
        self._facts = facts
        self._now = now
        self._unsettled_since = unsettled_since
        self._timelines: dict[str, _Timeline] = {}

    def find_crossings(self, flag: Flag) -> None:
        """Find a flag's crossings up to now, if it can have changed at all."""
        state = self.states.get(flag.name)
        if state is None:
            since = self._unsettled_since or self._facts.first_seen_at
            self._follow(flag, (since, Cause.EVENT), self._memory_before(flag, since))
        else:
            self._follow(flag, self._start(flag, state), state.memory)

    def reevaluate(self, flag: Flag, since: datetime, *, has_memory: bool) -> None:
        """Find the crossings of a flag whose rule is another one since an instant."""
        state = self.states.get(flag.name)
        since = max(since, state.fixed_until if state else since)
        memory = self._memory_before(flag, since) if has_memory else FlagMemory()
        self._follow(flag, (since, Cause.RULE_CHANGE), memory)

    def _follow(self, flag: Flag, start: Checkpoint | None, memory: FlagMemory) -> None:
        """Follow a flag from where it starts; None if it cannot have changed."""
        state = self.states.get(flag.name)
        level = state.level if state else None
        timeline = _Timeline([(start[0] if start else self._now, level)], None)
        if start is None and state is not None:
            timeline.due_at = state.due_at
        elif start is not None:
            self.states[flag.name] = self._advance(flag, state, memory, start, timeline)
        self._timelines[flag.name] = timeline

    def level(self, flag: str, at: datetime) -> Level:
        """See `rules.phrases.condition.OtherFlags`."""
        levels = self._timelines[flag].levels
        return next((level for since, level in reversed(levels) if since <= at), levels[0][1])

    def next_change(self, flag: str, after: datetime) -> datetime | None:
        """See `rules.phrases.condition.OtherFlags`."""
        timeline = self._timelines[flag]
        recorded = [since for since, _ in timeline.levels[1:]]
        due = [timeline.due_at] if timeline.due_at else []
        return min((at for at in recorded + due if at > after), default=None)

    def _start(self, flag: Flag, state: FlagState) -> Checkpoint | None:
        """Return where to start with a recorded flag; None if it cannot have changed."""
        candidates: list[Checkpoint] = []
        if state.due_at is not None and state.due_at <= self._now:
            candidates.append((state.due_at, Cause.TIME))
        since = self._unsettled_since
        # A late event can show that a company is no longer new.
        depends_on_past = state.level is None or flag.affected_by_late_events or flag.company_fields
        if since is not None and (state.awaits_event or depends_on_past):
            candidates.append((since, Cause.EVENT))
        others = [change for change in self.changes if change.flag in flag.other_flags]
        candidates += [(change.at, change.cause) for change in others]
        if not candidates:
            return None
        at, cause = min(candidates, key=lambda start: start[0])
        tie = len({instant for instant, _ in candidates}) < len(candidates)
        if tie and cause is Cause.TIME:
            event = self._has_event_at(flag, state, at)
            cause = Cause.EVENT if event else self._cause_of_change(flag, at)
        # Changes of other flags since then are evaluated together with this flag, not skipped.
        others_recorded = (self._recorded.get(name) for name in flag.other_flags)
        fixed = [other.fixed_until for other in others_recorded if other]
        return max([at, state.fixed_until, *fixed]), cause

    def _advance(
        self,
        flag: Flag,
        state: FlagState | None,
        memory: FlagMemory,
        start: Checkpoint,
        timeline: _Timeline,
    ) -> FlagState:
        """Evaluate the flag at each instant at which it may change, and record its changes."""
        at, cause = start
        level = state.level if state else None
        changed_at = moved_at = at
        if state is not None:
            changed_at, moved_at = state.changed_at, state.fixed_until
        while True:
            verdict = self._evaluate(flag, memory, at)
            if verdict.level != level:
                change = FlagChange(at, flag.name, level, verdict.level, cause, verdict)
                self.changes.append(change)
                timeline.levels.append((at, verdict.level))
                level, changed_at = verdict.level, at
            if verdict.memory != memory:
                memory, moved_at = verdict.memory, at
            checkpoint = self._next_checkpoint(flag, verdict, at, self._now)
            if checkpoint is None:
                break
            at, cause = checkpoint
        timeline.due_at = verdict.changes_at
        return FlagState(
            level,
            changed_at,
            verdict.changes_at,
            verdict.awaits_event,
            memory.holding_since,
            moved_at,
        )

    def _next_checkpoint(
        self, flag: Flag, verdict: Verdict, at: datetime, until: datetime
    ) -> Checkpoint | None:
        checkpoints: list[Checkpoint] = []
        if verdict.changes_at is not None and verdict.changes_at <= until:
            checkpoints.append(
                (verdict.changes_at, self._cause_of_change(flag, verdict.changes_at))
            )
        if verdict.awaits_event:
            event_at = self._facts.next_after(flag.selector, at, until)
            checkpoints += [(event_at, Cause.EVENT)] if event_at else []
        if flag.company_fields:
            field_at = self._facts.next_field_change(flag.company_fields, at, until)
            checkpoints += [(field_at, Cause.EVENT)] if field_at else []
        return min(checkpoints, default=None)

    def _cause_of_change(self, flag: Flag, at: datetime) -> Cause:
        """Return the cause of a change: time, unless a flag it depends on changed just then."""
        causes = [c.cause for c in self.changes if c.at == at and c.flag in flag.other_flags]
        return dominant_cause(causes, default=Cause.TIME)

    def _memory_before(self, flag: Flag, at: datetime) -> FlagMemory:
        """Return the memory a new flag would have, had it been evaluated since its `warm_up`."""
        memory = FlagMemory()
        instant = max(self._facts.first_seen_at, shift(at, -flag.warm_up))
        while instant < at:
            verdict = self._evaluate(flag, memory, instant)
            memory = verdict.memory
            checkpoint = self._next_checkpoint(flag, verdict, instant, at - RESOLUTION)
            if checkpoint is None:
                break
            instant = checkpoint[0]
        return memory

    def _evaluate(self, flag: Flag, memory: FlagMemory, at: datetime) -> Verdict:
        return flag.evaluate(Situation(self._facts, flag.selector, at, self), memory)

    def _has_event_at(self, flag: Flag, state: FlagState, at: datetime) -> bool:
        event = state.awaits_event and self._facts.next_after(flag.selector, at - RESOLUTION, at)
        return bool(
            event or self._facts.next_field_change(flag.company_fields, at - RESOLUTION, at)
        )
