"""Judges companies whose events are all of the past, as if they had been judged all along.

What is recorded is what live judging would have: the same transitions at the same instants, by
the versions of the rules in their time. Only the facts come from memory, read once, since a year
has thousands of instants at which something may change.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from random import Random
from uuid import UUID

from models.companies import companies
from models.organizations import rule_versions
from rules.durations import BEGINNING
from rules.judging.state import Transition
from services.health.evaluation import Judged, save_judged
from services.health.settlements import Recorded, settlements_of
from services.health.transitions import record
from services.rules.backtest import Stretch, facts_in_memory
from services.rules.rule_books import RuleBooks


def judge_past(
    organization_id: int,
    company_ids: Sequence[int],
    rulebooks: RuleBooks,
    now: datetime,
    *,
    recorded_at: Callable[[Transition], datetime],
    chance: Random,
) -> None:
    """Judge companies of which none was judged yet, up to `now`, within the transaction at hand.

    `recorded_at` tells when each transition was written; `chance` makes the rest of the ids.
    """
    versions = rule_versions.after(organization_id, 0)
    books = [rulebooks.book(organization_id, version.version) for version in versions]
    held = companies.lock(company_ids)
    judged = []
    found = facts_in_memory(company_ids, books, Stretch(BEGINNING, now))
    for read, facts in sorted(found, key=lambda one: one[0].id):
        company = held[read.id]
        in_force = [v.version for v in versions if v.applied_at <= company.first_seen_at]
        company.judged_version = max(in_force, default=0)
        current = versions[-1].version
        settlements = settlements_of(Recorded(company, [], []), current, rulebooks, now, facts)
        for book, number, settlement in settlements:
            for transition in settlement.transitions:
                at = recorded_at(transition)
                record(company, transition, book, number, at, partial(id_of_time, at, chance))
        book, company.judged_version, settlement = settlements[-1]
        company.unsettled_since = None
        judged.append(Judged(company, settlement.state, book))
    save_judged(judged)


def id_of_time(at: datetime, chance: Random) -> UUID:
    """A UUID of version 7, as if it had been made then: it sorts by time, to the millisecond."""
    milliseconds = int(at.timestamp() * 1000)
    return UUID(
        int=(milliseconds << 80)
        | (7 << 76)
        | (chance.getrandbits(12) << 64)
        | (2 << 62)
        | chance.getrandbits(62)
    )
