"""Replays a period of the past under a rule book, as if it had been in force."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rules.book import RuleBook
from rules.facts import Facts
from rules.judging.accuracy import Period
from rules.judging.settlement import settle
from rules.judging.state import CompanyState, NewRules, Transition
from rules.phrases.condition import Level


@dataclass(frozen=True)
class Replay:
    """A company's status and levels at the start of a period, and its transitions within it."""

    status: str
    levels: Mapping[str, Level]
    transitions: tuple[Transition, ...]


def replay(book: RuleBook, facts: Facts, *, since: datetime, until: datetime) -> Replay:
    """Evaluate one company from `since` to `until`, both inclusive."""
    best = book.statuses[0]
    state = CompanyState(best, facts.first_seen_at, None, {})
    if facts.first_seen_at > until:
        return Replay(best, {}, ())
    if facts.first_seen_at > since:
        since = facts.first_seen_at
        settled = settle(book, state, facts, now=until, unsettled_since=since)
        return Replay(best, {}, settled.transitions)
    no_flags = RuleBook(book.statuses, book.events, ())
    opening = settle(
        book,
        state,
        facts,
        now=since,
        unsettled_since=None,
        new_rules=NewRules(since, previous=no_flags),
    ).state
    settled = settle(book, opening, facts, now=until, unsettled_since=since)
    levels = {name: flag.level for name, flag in opening.flags.items()}
    return Replay(opening.status, levels, settled.transitions)


def raised_periods(
    replayed: Replay, flag: str | None, best: str, *, since: datetime, until: datetime
) -> list[Period]:
    """Return when a flag was raised; with None, when the company's status was not the best."""
    if flag is None:
        raised = replayed.status != best
        steps = [(transition.at, transition.after != best) for transition in replayed.transitions]
    else:
        raised = bool(replayed.levels.get(flag))
        steps = [
            (step.at, bool(step.after))
            for transition in replayed.transitions
            for step in transition.changes
            if step.flag == flag
        ]
    started, periods = since, list[Period]()
    for at, raised_after in steps:
        if raised and not raised_after:
            periods.append((started, at))
        elif raised_after and not raised:
            started = at
        raised = raised_after
    return [*periods, (started, until)] if raised else periods
