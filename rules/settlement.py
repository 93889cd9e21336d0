"""Brings one company up to date: every crossing since it was last judged, at its own instant.

Between two instants a flag can change only where its verdict says so (`changes_at`) or, if
the verdict awaits an event, at the next matching event. So a flag is followed by hopping from
one such instant to the next, however late the judging: a clock that stood still for an hour
finds the same crossings as one that did not.

What is recorded stays recorded. A new fact is followed from the instant at which it took
effect, but never from before the flag's last recorded change.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rules.book import Flag, Level, RuleBook
from rules.facts import Facts
from rules.state import (
    Cause,
    CompanyState,
    FlagChange,
    FlagState,
    NewRules,
    Settlement,
    Transition,
)


def settle(
    book: RuleBook,
    company: CompanyState,
    facts: Facts,
    *,
    now: datetime,
    unsettled_since: datetime | None,
    new_rules: NewRules | None = None,
) -> Settlement:
    """Follow every flag that can have changed up to `now`.

    `unsettled_since` is the earliest instant at which an event took effect that no judgement
    has seen yet. `new_rules` is given once when the book takes over from another: every flag is
    judged anew from then on, a flag that the book no longer has is dropped, and a level keeps
    its name.
    """
    recorded = dict(company.flags)
    changes: list[FlagChange] = []
    if new_rules is not None:
        recorded = _renumbered(recorded, new_rules.former, book)
        changes += _dropped(recorded, book, new_rules.since)
    states = {name: state for name, state in recorded.items() if name in book.flags_by_name}
    judging = _Judging(company, facts, now, unsettled_since, new_rules)
    for flag in book.flags:
        start = judging.start(flag, states.get(flag.name))
        if start is not None:
            states[flag.name], followed = judging.follow(flag, states.get(flag.name), *start)
            changes += followed
    levels: dict[str, Level] = dict.fromkeys(states)
    levels |= {name: state.level for name, state in recorded.items()}
    return _gather(book, replace(company, flags=states), levels, changes, new_rules)


def worst(levels: Iterable[Level]) -> int:
    """The worst of the levels that apply; the best status when none does."""
    return max((level for level in levels if level is not None), default=0)


def _renumbered(
    states: Mapping[str, FlagState], former: RuleBook, book: RuleBook
) -> dict[str, FlagState]:
    """States with their levels in the numbers of another book, by the names of the statuses.

    A level whose name is gone keeps its number, as far as the book has that many.
    """

    def renumber(level: Level) -> Level:
        if level is None:
            return None
        name = former.status_name(level)
        if name in book.statuses:
            return book.statuses.index(name)
        return min(level, len(book.statuses) - 1)

    return {name: replace(state, level=renumber(state.level)) for name, state in states.items()}


def _dropped(states: Mapping[str, FlagState], book: RuleBook, at: datetime) -> Iterator[FlagChange]:
    for name, state in states.items():
        if name not in book.flags_by_name:
            yield FlagChange(at, name, state.level, None, Cause.RULE_CHANGE)


@dataclass(frozen=True)
class _Judging:
    """One call of `settle`: what is the same for all flags."""

    company: CompanyState
    facts: Facts
    now: datetime
    unsettled_since: datetime | None
    new_rules: NewRules | None

    def start(self, flag: Flag, state: FlagState | None) -> tuple[datetime, Cause] | None:
        """From when on, and why, to follow a flag; None if nothing can have changed."""
        if self.new_rules is not None:
            since = self.new_rules.since
            return max(since, state.changed_at) if state else since, Cause.RULE_CHANGE
        if state is None:
            return self.unsettled_since or self.company.first_seen_at, Cause.EVENT
        starts = []
        if state.due_at is not None and state.due_at <= self.now:
            starts.append((state.due_at, Cause.TIME))
        # An event of the past can show that a company need not be waited for any more.
        if self.unsettled_since is not None and (state.awaits_event or state.level is None):
            starts.append((self.unsettled_since, Cause.EVENT))
        if not starts:
            return None
        at, cause = min(starts, key=lambda start: start[0])
        tie = len({instant for instant, _ in starts}) < len(starts)
        if tie and state.awaits_event and self._has_event_at(flag, at):
            cause = Cause.EVENT
        return max(at, state.changed_at), cause

    def follow(
        self, flag: Flag, state: FlagState | None, at: datetime, cause: Cause
    ) -> tuple[FlagState, list[FlagChange]]:
        """Hop from `at` to each instant at which the flag may change; its state and its steps."""
        level = state.level if state else None
        changed_at = state.changed_at if state else at
        changes = []
        while True:
            verdict = flag.judge(self.facts, self.company.first_seen_at, at)
            if verdict.level != level:
                changes.append(FlagChange(at, flag.name, level, verdict.level, cause))
                level, changed_at = verdict.level, at
            hops = []
            if verdict.changes_at is not None and verdict.changes_at <= self.now:
                hops.append((verdict.changes_at, Cause.TIME))
            if verdict.awaits_event:
                event_at = self.facts.next_after(flag.selector, at, self.now)
                hops += [(event_at, Cause.EVENT)] if event_at else []
            if not hops:
                ended = FlagState(level, changed_at, verdict.changes_at, verdict.awaits_event)
                return ended, changes
            at, cause = min(hops)

    def _has_event_at(self, flag: Flag, at: datetime) -> bool:
        before = at - timedelta(microseconds=1)
        return self.facts.next_after(flag.selector, before, at) is not None


def _gather(
    book: RuleBook,
    company: CompanyState,
    levels_before: Mapping[str, Level],
    changes: list[FlagChange],
    new_rules: NewRules | None,
) -> Settlement:
    """Merge the flags' changes into the company's transitions, one for each instant."""
    levels = dict(levels_before)
    status, changed_at, recorded_until = company.status, company.changed_at, company.recorded_until
    transitions = []
    by_instant: dict[datetime, list[FlagChange]] = {}
    if new_rules is not None:
        by_instant[new_rules.since] = []  # statuses may have other names, though no flag moved
    for change in changes:
        by_instant.setdefault(change.at, []).append(change)
    for instant, steps in sorted(by_instant.items(), key=lambda item: item[0]):
        levels |= {step.flag: step.after for step in steps}
        told = tuple(step for step in steps if step.crosses)
        after = book.statuses[worst(levels.values())]
        if not told and after == status:
            continue
        # A company's history never runs backwards, even where a flag was judged late.
        at = max(instant, recorded_until) if recorded_until else instant
        causes = {step.cause for step in told} or {Cause.RULE_CHANGE}
        cause = max(causes, key=list(Cause).index)
        present = {name: level for name, level in levels.items() if name in book.flags_by_name}
        transitions.append(Transition(at, status, after, cause, told, present))
        recorded_until = at
        if after != status:
            status, changed_at = after, at
    state = replace(company, status=status, changed_at=changed_at, recorded_until=recorded_until)
    return Settlement(state, tuple(transitions))
