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
from datetime import datetime
from enum import StrEnum
from itertools import groupby

from rules.book import Flag, Level, RuleBook
from rules.facts import Facts


class Cause(StrEnum):
    """What made a flag change."""

    TIME = "time"
    EVENT = "event"
    RULE_CHANGE = "rule_change"


@dataclass(frozen=True)
class FlagState:
    """What is recorded of one flag of one company.

    `due_at` is when time alone may next change it, never later than the truth: it may have
    moved on since. `awaits_event` tells whether a matching event may change it.
    """

    level: Level
    changed_at: datetime
    due_at: datetime | None
    awaits_event: bool


@dataclass(frozen=True)
class FlagChange:
    """A flag's crossing from one level to another."""

    at: datetime
    flag: str
    before: Level
    after: Level
    cause: Cause


@dataclass(frozen=True)
class Transition:
    """All that changed about a company at one instant.

    `before` and `after` are its status names; they are equal when flags changed level and the
    company's status stayed. `levels` holds every flag's level afterwards.
    """

    at: datetime
    before: str
    after: str
    cause: Cause
    changes: tuple[FlagChange, ...]
    levels: Mapping[str, Level]


@dataclass(frozen=True)
class CompanyState:
    """What is recorded of one company's health."""

    status: str
    first_seen_at: datetime
    changed_at: datetime | None
    flags: Mapping[str, FlagState]


@dataclass(frozen=True)
class Settlement:
    """A company's state brought up to date, and the transitions on the way, in order."""

    state: CompanyState
    transitions: tuple[Transition, ...]


def settle(
    book: RuleBook,
    company: CompanyState,
    facts: Facts,
    *,
    now: datetime,
    unsettled_since: datetime | None,
    rules_since: datetime | None = None,
) -> Settlement:
    """Follow every flag that can have changed up to `now`.

    `unsettled_since` is the earliest instant at which an event took effect that no judgement
    has seen yet. `rules_since` is when this book came into force, given once, for a company
    judged by another book until then: every flag is judged anew from that instant on, and
    flags that the book no longer has are dropped.
    """
    states = dict(company.flags)
    changes: list[FlagChange] = []
    if rules_since is not None:
        changes += _drop_missing(states, book, rules_since)
    for flag in book.flags:
        start = _start(states.get(flag.name), company, now, unsettled_since, rules_since)
        if start is not None:
            state, followed = _follow(
                flag, states.get(flag.name), company.first_seen_at, facts, start, now
            )
            states[flag.name] = state
            changes += followed
    return _gather(book, replace(company, flags=states), company.flags, changes, rules_since)


def worst(levels: Iterable[Level]) -> int:
    """The worst of the levels that apply; the best status when none does."""
    return max((level for level in levels if level is not None), default=0)


def _drop_missing(
    states: dict[str, FlagState], book: RuleBook, at: datetime
) -> Iterator[FlagChange]:
    for name in [name for name in states if name not in book.flags_by_name]:
        dropped = states.pop(name)
        if dropped.level:
            yield FlagChange(at, name, dropped.level, None, Cause.RULE_CHANGE)


def _start(
    state: FlagState | None,
    company: CompanyState,
    now: datetime,
    unsettled_since: datetime | None,
    rules_since: datetime | None,
) -> tuple[datetime, Cause] | None:
    """From when on, and why, a flag must be followed; None if nothing can have changed."""
    if rules_since is not None:
        return max(rules_since, state.changed_at) if state else rules_since, Cause.RULE_CHANGE
    if state is None:
        return unsettled_since or company.first_seen_at, Cause.EVENT
    starts = []
    if state.due_at is not None and state.due_at <= now:
        starts.append((state.due_at, Cause.TIME))
    # An event of the past can show that a company need not be waited for any more.
    if unsettled_since is not None and (state.awaits_event or state.level is None):
        starts.append((unsettled_since, Cause.EVENT))
    if not starts:
        return None
    at, cause = min(starts)
    return max(at, state.changed_at), cause


def _follow(
    flag: Flag,
    state: FlagState | None,
    first_seen_at: datetime,
    facts: Facts,
    start: tuple[datetime, Cause],
    now: datetime,
) -> tuple[FlagState, list[FlagChange]]:
    at, cause = start
    level = state.level if state else None
    changed_at = state.changed_at if state else at
    changes = []
    while True:
        verdict = flag.judge(facts, first_seen_at, at)
        if verdict.level != level:
            if (verdict.level or 0) != (level or 0):
                changes.append(FlagChange(at, flag.name, level, verdict.level, cause))
            level, changed_at = verdict.level, at
        hops = []
        if verdict.changes_at is not None and verdict.changes_at <= now:
            hops.append((verdict.changes_at, Cause.TIME))
        if verdict.awaits_event and (event_at := facts.next_after(flag.selector, at, now)):
            hops.append((event_at, Cause.EVENT))
        if not hops:
            state = FlagState(level, changed_at, verdict.changes_at, verdict.awaits_event)
            return state, changes
        at, cause = min(hops)


def _gather(
    book: RuleBook,
    company: CompanyState,
    states_before: Mapping[str, FlagState],
    changes: list[FlagChange],
    rules_since: datetime | None,
) -> Settlement:
    """Merge the flags' changes into the company's transitions, one for each instant."""
    levels: dict[str, Level] = {name: state.level for name, state in states_before.items()}
    status, changed_at = company.status, company.changed_at
    transitions = []
    changes = sorted(changes, key=lambda change: change.at)
    for crossed_at, group in groupby(changes, key=lambda change: change.at):
        together = tuple(group)
        for change in together:
            levels[change.flag] = change.after
        after = book.statuses[worst(levels.values())]
        # A company's own history never runs backwards, even where a flag was judged late.
        at = max(crossed_at, changed_at) if changed_at else crossed_at
        cause = max((c.cause for c in together), key=list(Cause).index)
        transitions.append(Transition(at, status, after, cause, together, dict(levels)))
        if after != status:
            status, changed_at = after, at
    if rules_since is not None and status not in book.statuses:
        # The book renamed the status that the company had, and no flag moved.
        after = book.statuses[worst(state.level for state in company.flags.values())]
        transitions.append(
            Transition(rules_since, status, after, Cause.RULE_CHANGE, (), dict(levels))
        )
        status, changed_at = after, rules_since
    return Settlement(replace(company, status=status, changed_at=changed_at), tuple(transitions))
