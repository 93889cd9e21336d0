"""Follows the flags of one company from one instant at which they can change to the next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.durations import shift
from rules.facts import Facts
from rules.flags import Flag, FlagMemory, Verdict
from rules.judging.state import Cause, FlagChange, FlagState
from rules.phrases.condition import Level, Situation

MOMENT = timedelta(microseconds=1)
"""The shortest time that an instant can be before another."""

Hop = tuple[datetime, Cause]


@dataclass
class _Course:
    """A flag's levels from one instant on; its state is where it ends."""

    levels: list[tuple[datetime, Level]]
    due_at: datetime | None


class CrossingFinder:
    """One settling of a company: flags are followed one after the other, in judging order.

    `states` and `changes` gather what comes of it.
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
        self._courses: dict[str, _Course] = {}

    def find_crossings(self, flag: Flag, *, judge_anew_since: datetime | None) -> None:
        """Follow a flag up to now, if it can have changed at all."""
        state = self.states.get(flag.name)
        if judge_anew_since is not None:
            since = max(judge_anew_since, state.fixed_until if state else judge_anew_since)
            start: Hop | None = (since, Cause.RULE_CHANGE)
            memory = self._memory_before(flag, since)
        elif state is None:
            since = self._unsettled_since or self._facts.first_seen_at
            start, memory = (since, Cause.EVENT), self._memory_before(flag, since)
        else:
            start, memory = self._start(flag, state), state.memory
        level = state.level if state else None
        course = _Course([(start[0] if start else self._now, level)], None)
        if start is None and state is not None:
            course.due_at = state.due_at
        elif start is not None:
            self.states[flag.name] = self._hop_along(flag, state, memory, start, course)
        self._courses[flag.name] = course

    def level(self, flag: str, at: datetime) -> Level:
        """See `rules.phrases.condition.OtherFlags`."""
        levels = self._courses[flag].levels
        return next((level for since, level in reversed(levels) if since <= at), levels[0][1])

    def next_change(self, flag: str, after: datetime) -> datetime | None:
        """See `rules.phrases.condition.OtherFlags`."""
        course = self._courses[flag]
        recorded = [since for since, _ in course.levels[1:]]
        due = [course.due_at] if course.due_at else []
        return min((at for at in recorded + due if at > after), default=None)

    def _start(self, flag: Flag, state: FlagState) -> Hop | None:
        """From when on, and why, to follow a flag that is recorded; None if nothing can differ."""
        starts: list[Hop] = []
        if state.due_at is not None and state.due_at <= self._now:
            starts.append((state.due_at, Cause.TIME))
        since = self._unsettled_since
        # An event of the past can show that a company need not be waited for any more.
        heeds_past = state.level is None or flag.affected_by_late_events or flag.company_fields
        if since is not None and (state.awaits_event or heeds_past):
            starts.append((since, Cause.EVENT))
        others = [change for change in self.changes if change.flag in flag.other_flags]
        starts += [(change.at, change.cause) for change in others]
        if not starts:
            return None
        at, cause = min(starts, key=lambda start: start[0])
        tie = len({instant for instant, _ in starts}) < len(starts)
        if tie and cause is Cause.TIME:
            event = self._has_event_at(flag, state, at)
            cause = Cause.EVENT if event else self._cause_of_change(flag, at)
        # What others have come to since is followed along with this flag, not skipped.
        others_recorded = (self._recorded.get(name) for name in flag.other_flags)
        fixed = [other.fixed_until for other in others_recorded if other]
        return max([at, state.fixed_until, *fixed]), cause

    def _hop_along(
        self, flag: Flag, state: FlagState | None, memory: FlagMemory, start: Hop, course: _Course
    ) -> FlagState:
        """Hop to each instant at which the flag may change, and note its steps."""
        at, cause = start
        level = state.level if state else None
        changed_at = moved_at = at
        if state is not None:
            changed_at, moved_at = state.changed_at, state.fixed_until
        while True:
            verdict = self._judge(flag, memory, at)
            if verdict.level != level:
                change = FlagChange(at, flag.name, level, verdict.level, cause, verdict)
                self.changes.append(change)
                course.levels.append((at, verdict.level))
                level, changed_at = verdict.level, at
            if verdict.memory != memory:
                memory, moved_at = verdict.memory, at
            hop = self._next_hop(flag, verdict, at, self._now)
            if hop is None:
                break
            at, cause = hop
        course.due_at = verdict.changes_at
        return FlagState(
            level,
            changed_at,
            verdict.changes_at,
            verdict.awaits_event,
            memory.holding_since,
            moved_at,
        )

    def _next_hop(self, flag: Flag, verdict: Verdict, at: datetime, until: datetime) -> Hop | None:
        hops: list[Hop] = []
        if verdict.changes_at is not None and verdict.changes_at <= until:
            hops.append((verdict.changes_at, self._cause_of_change(flag, verdict.changes_at)))
        if verdict.awaits_event:
            event_at = self._facts.next_after(flag.selector, at, until)
            hops += [(event_at, Cause.EVENT)] if event_at else []
        if flag.company_fields:
            field_at = self._facts.next_field_change(flag.company_fields, at, until)
            hops += [(field_at, Cause.EVENT)] if field_at else []
        return min(hops, default=None)

    def _cause_of_change(self, flag: Flag, at: datetime) -> Cause:
        """A change at an instant is by time, unless a flag that it rests on changed just then."""
        causes = [c.cause for c in self.changes if c.at == at and c.flag in flag.other_flags]
        return max(causes, key=list(Cause).index, default=Cause.TIME)

    def _memory_before(self, flag: Flag, at: datetime) -> FlagMemory:
        """What a flag without a past would remember, had it been judged for its `lookback`."""
        memory = FlagMemory()
        instant = max(self._facts.first_seen_at, shift(at, -flag.warm_up))
        while instant < at:
            verdict = self._judge(flag, memory, instant)
            memory = verdict.memory
            hop = self._next_hop(flag, verdict, instant, at - MOMENT)
            if hop is None:
                break
            instant = hop[0]
        return memory

    def _judge(self, flag: Flag, memory: FlagMemory, at: datetime) -> Verdict:
        return flag.evaluate(Situation(self._facts, flag.selector, at, self), memory)

    def _has_event_at(self, flag: Flag, state: FlagState, at: datetime) -> bool:
        event = state.awaits_event and self._facts.next_after(flag.selector, at - MOMENT, at)
        return bool(event or self._facts.next_field_change(flag.company_fields, at - MOMENT, at))
