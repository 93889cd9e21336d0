"""Brings one company up to date: every crossing since it was last judged, at its own instant.

Between two instants a flag can change only where its verdict says so (`changes_at`), at the next
matching event if the verdict awaits one, where a field of the company that it rests on changes,
or where another flag does that it refers to. So a flag is followed by hopping from one such
instant to the next, however late the judging: a clock that stood still for an hour finds the same
crossings as one that did not.

A flag that is overridden is followed all the same; `rules.judging.overrides` tells how it counts.

What is recorded stays recorded. A new fact is followed from the instant at which it took
effect, but never from before the flag's last recorded change.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from rules.book import RuleBook, worst_level
from rules.facts import Facts
from rules.flags import Flag
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
    """Follow every flag that can have changed up to `now`.

    `unsettled_since` is the earliest instant at which an event took effect that no judgement
    has seen yet. `new_rules` is given once when the book takes over from another: a flag that is
    new or reads otherwise is judged anew from then on, one that the book no longer has is
    dropped, and a level keeps its name.
    """
    recorded = dict(company.flags)
    changes: list[FlagChange] = []
    anew: set[str] = set()
    if new_rules is not None:
        anew = {
            flag.name for flag in book.flags if _reads_otherwise(flag, new_rules.previous, book)
        }
        recorded = _renumbered(recorded, new_rules.previous, book)
        changes += _dropped(recorded, book, new_rules.since)
    counting = EffectiveLevels(company.overrides, book, now=now, new_rules=new_rules)
    following = CrossingFinder(facts, now, unsettled_since, recorded)
    for flag in book.in_dependency_order:
        since = new_rules.since if new_rules is not None and flag.name in anew else None
        following.find_crossings(flag, judge_anew_since=since)
    changes += following.changes
    levels: dict[str, Level] = dict.fromkeys(book.flags_by_name)
    levels |= {name: state.level for name, state in recorded.items()}
    states = {flag.name: following.states[flag.name] for flag in book.flags}
    states |= dict(_fixed_by_ends(states, counting.ended))
    after = replace(company, flags=states, overrides=counting.left)
    after, transitions = _gather(book, after, counting, levels, changes, new_rules)
    return Settlement(after, tuple(transitions), tuple(changes), counting.ended)


def _reads_otherwise(flag: Flag, previous: RuleBook, book: RuleBook) -> bool:
    """Whether a flag is new or says something else, whatever numbers its statuses have."""
    before = previous.flags_by_name.get(flag.name)
    return before is None or _with_names(before, previous) != _with_names(flag, book)


def _with_names(flag: Flag, book: RuleBook) -> tuple[object, ...]:
    named = tuple((book.statuses[level], phrase) for level, phrase in flag.conditions)
    bare = replace(flag, conditions=(), if_missing=None)
    return bare, named, book.status_name(flag.if_missing)


def _renumbered(
    states: Mapping[str, FlagState], previous: RuleBook, book: RuleBook
) -> dict[str, FlagState]:
    """States with their levels in the numbers of another book, by the names of the statuses.

    A level whose name is gone keeps its number, as far as the book has that many.
    """

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


def _dropped(states: Mapping[str, FlagState], book: RuleBook, at: datetime) -> Iterator[FlagChange]:
    for name, state in states.items():
        if name not in book.flags_by_name:
            yield FlagChange(at, name, state.level, None, Cause.RULE_CHANGE)


def _fixed_by_ends(
    states: Mapping[str, FlagState], ended: Iterable[EndedOverride]
) -> Iterator[tuple[str, FlagState]]:
    """States of flags that count again: what comes late from before counts from then on."""
    for end in ended:
        if state := states.get(end.override.flag):
            yield end.override.flag, replace(state, moved_at=max(state.fixed_until, end.at))


def _gather(
    book: RuleBook,
    company: CompanyState,
    counting: EffectiveLevels,
    own_levels: Mapping[str, Level],
    changes: list[FlagChange],
    new_rules: NewRules | None,
) -> tuple[CompanyState, list[Transition]]:
    """Merge the flags' changes into the company's transitions, one for each instant."""
    levels = counting.levels_before(own_levels)
    status, changed_at, recorded_until = company.status, company.changed_at, company.recorded_until
    transitions = []
    by_instant: dict[datetime, list[FlagChange]] = {}
    if new_rules is not None:
        by_instant[new_rules.since] = []  # statuses may have other names, though no flag moved
    for change in counting.count(own_levels, changes):
        by_instant.setdefault(change.at, []).append(change)
    for instant, steps in sorted(by_instant.items(), key=lambda item: item[0]):
        levels |= {step.flag: step.after for step in steps}
        told = tuple(step for step in steps if step.is_crossing)
        after = book.statuses[worst_level(levels.values())]
        if not told and after == status:
            continue
        # A company's history never runs backwards, even where a flag was judged late.
        at = max(instant, recorded_until) if recorded_until else instant
        causes = {step.cause for step in told} or {Cause.RULE_CHANGE}
        cause = max(causes, key=list(Cause).index)
        present = {name: level for name, level in levels.items() if name in book.flags_by_name}
        overridden = counting.overridden(instant)
        transitions.append(Transition(at, status, after, cause, told, present, overridden))
        recorded_until = at
        if after != status:
            status, changed_at = after, at
    state = replace(company, status=status, changed_at=changed_at, recorded_until=recorded_until)
    return state, transitions
