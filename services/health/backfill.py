"""Judges companies with a past as if they had been judged all along.

It records what live judging would have recorded: the same transitions at the same instants, by
the version of the rules in force at the time. The facts are read into memory once, because a year
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
from services.health.judged import JudgedCompany, save_judged
from services.health.settlements import StoredHealth, settlements_of
from services.health.transitions import TransitionRecorder
from services.rules.backtest import ReplayPeriod, facts_in_memory
from services.rules.rule_books import RuleBooks


def judge_history(
    organization_id: int,
    company_ids: Sequence[int],
    rulebooks: RuleBooks,
    now: datetime,
    *,
    recorded_at: Callable[[Transition], datetime],
    chance: Random,
) -> None:
    """Judge companies that were never judged, up to `now`.

    `recorded_at` returns when a transition was written; the rest of its id comes from `chance`.
    """
    versions = rule_versions.list_after(organization_id, 0)
    books = [rulebooks.book(organization_id, version.version) for version in versions]
    locked = companies.lock(organization_id, company_ids)
    judged, recorder = [], TransitionRecorder(organization_id)
    facts_of_companies = facts_in_memory(
        organization_id, company_ids, books, ReplayPeriod(BEGINNING, now)
    )
    for unlocked, facts in sorted(facts_of_companies, key=lambda pair: pair[0].id):
        company = locked[unlocked.id]
        in_force = [v.version for v in versions if v.applied_at <= company.first_seen_at]
        company.judged_version = max(in_force, default=0)
        current = versions[-1].version
        settlements = settlements_of(StoredHealth(company, [], []), current, rulebooks, now, facts)
        for book, number, settlement in settlements:
            for transition in settlement.transitions:
                at = recorded_at(transition)
                recorder.record(
                    company, transition, book, number, at, partial(uuid7_at, at, chance)
                )
        book, company.judged_version, settlement = settlements[-1]
        company.unsettled_since = None
        judged.append(JudgedCompany(company, settlement.state, book))
    save_judged(organization_id, judged)
    recorder.save()


def uuid7_at(at: datetime, chance: Random) -> UUID:
    """Return a UUID of version 7 for a time, by which it sorts to the millisecond."""
    milliseconds = int(at.timestamp() * 1000)
    return UUID(
        int=(milliseconds << 80)
        | (7 << 76)
        | (chance.getrandbits(12) << 64)
        | (2 << 62)
        | chance.getrandbits(62)
    )
