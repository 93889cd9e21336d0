"""Brings one company up to date: finds each crossing since its last evaluation, at its instant.

A flag can change only at the instant that its verdict predicts (`changes_at`), at the next matching
event if the verdict awaits one, when a company field that it depends on changes, or when another
flag that it refers to changes. A flag is therefore evaluated at each of these instants in turn,
however late the evaluation runs: a clock that stopped for an hour finds the same crossings as
one that did not.

An overridden flag is evaluated as well; `rules.judging.overrides` determines its effective level.

What is recorded is never revised. A new fact is taken into account from the instant at which it
took effect, but never from before the flag's last recorded change.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from rules.book import RuleBook, worst_level
from rules.facts import Facts
from rules.judging.crossings import CrossingFinder
from rules.judging.overrides import EffectiveLevels
from rules.judging.state import (
    Cause,
    CompanyState,
    EndedOverride,
    FlagChange,
    FlagState,
    NewRules,
    Settlement,
    Transition,
    dominant_cause,
)
from rules.phrases.condition import Level


def settle(
    book: RuleBook,
    company: CompanyState,
    facts: Facts,
    *,
    now: datetime,
    unsettled_since: datetime | None,
    new_rules: NewRules | None = None,
) -> Settlement:
    """Evaluate every flag that can have changed up to `now`.

    `unsettled_since` is the earliest instant at which an event took effect that no evaluation has
    included yet. `new_rules` is passed once, when the book replaces another: flags that are new or
    changed are reevaluated from then on, flags that the book no longer has are dropped, and levels
    keep their status names.
    """
    recorded = dict(company.flags)
    changes: list[FlagChange] = []
    changed_flags: set[str] = set()
    if new_rules is not None:
        changed_flags = new_or_changed_flags(new_rules.previous, book)
        recorded = _renumber_levels(recorded, new_rules.previous, book)
        changes += _removal_changes(recorded, book, new_rules.since)
    effective = EffectiveLevels(company.overrides, book, now=now, new_rules=new_rules)
    finder = CrossingFinder(facts, now, unsettled_since, recorded)
    for flag in book.in_dependency_order:
        if new_rules is not None and flag.name in changed_flags:
            has_memory = flag.name not in new_rules.without_memory
            finder.reevaluate(flag, new_rules.since, has_memory=has_memory)
        else:
            finder.find_crossings(flag)
    changes += finder.changes
    levels: dict[str, Level] = dict.fromkeys(book.flags_by_name)
    levels |= {name: state.level for name, state in recorded.items()}
    states = {flag.name: finder.states[flag.name] for flag in book.flags}
    states |= dict(_fix_after_overrides(states, effective.ended))
    after = replace(company, flags=states, overrides=effective.remaining)
    after, transitions = _merge_into_transitions(book, after, effective, levels, changes, new_rules)
    return Settlement(after, tuple(transitions), tuple(changes), effective.ended)


def new_or_changed_flags(previous: RuleBook, book: RuleBook) -> set[str]:
    """Return the flags of a book that a previous one does not have, or has otherwise."""
    former = previous.flags_by_meaning
    return {name for name, meaning in book.flags_by_meaning.items() if former.get(name) != meaning}


def _renumber_levels(
    states: Mapping[str, FlagState], previous: RuleBook, book: RuleBook
) -> dict[str, FlagState]:
    """Convert the levels of states to those of another book, by status name.

    A level whose name is gone keeps its number, capped at the book's worst level.
    """
    if previous.statuses == book.statuses:
        return dict(states)

    def renumber(level: int) -> int:
        name = previous.statuses[level]
        if name in book.statuses:
            return book.statuses.index(name)
        return min(level, len(book.statuses) - 1)

    return {
        name: replace(
            state,
            level=None if state.level is None else renumber(state.level),
            holding_since={renumber(level): since for level, since in state.holding_since.items()},
        )
        for name, state in states.items()
    }


def _removal_changes(
    states: Mapping[str, FlagState], book: RuleBook, at: datetime
) -> Iterator[FlagChange]:
    for name, state in states.items():
        if name not in book.flags_by_name:
            yield FlagChange(at, name, state.level, None, Cause.RULE_CHANGE)


def _fix_after_overrides(
    states: Mapping[str, FlagState], ended: Iterable[EndedOverride]
) -> Iterator[tuple[str, FlagState]]:
    """Fix the states of flags whose override ended: later facts count only from that instant."""
    for end in ended:
        if state := states.get(end.override.flag):
            yield end.override.flag, replace(state, moved_at=max(state.fixed_until, end.at))


def _merge_into_transitions(
    book: RuleBook,
    company: CompanyState,
    effective: EffectiveLevels,
    own_levels: Mapping[str, Level],
    changes: list[FlagChange],
    new_rules: NewRules | None,
) -> tuple[CompanyState, list[Transition]]:
    """Merge the flags' changes into the company's transitions, one for each instant."""
    levels = effective.levels_before(own_levels)
    status, changed_at, recorded_until = company.status, company.changed_at, company.recorded_until
    transitions = []
    by_instant: dict[datetime, list[FlagChange]] = {}
    if new_rules is not None:
        by_instant[new_rules.since] = []  # a status may be renamed although no flag changed
    for change in effective.effective_changes(own_levels, changes):
        by_instant.setdefault(change.at, []).append(change)
    for instant, steps in sorted(by_instant.items(), key=lambda item: item[0]):
        levels |= {step.flag: step.after for step in steps}
        crossings = tuple(step for step in steps if step.is_crossing)
        after = book.statuses[worst_level(levels.values())]
        if not crossings and after == status:
            continue
        # A company's history never runs backwards, even if a flag was evaluated late.
        at = max(instant, recorded_until) if recorded_until else instant
        cause = dominant_cause((step.cause for step in crossings), default=Cause.RULE_CHANGE)
        present = {name: level for name, level in levels.items() if name in book.flags_by_name}
        overridden = effective.overridden(instant)
        transitions.append(Transition(at, status, after, cause, crossings, present, overridden))
        recorded_until = at
        if after != status:
            status, changed_at = after, at
    state = replace(company, status=status, changed_at=changed_at, recorded_until=recorded_until)
    return state, transitions
