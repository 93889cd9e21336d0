"""Records the past of companies as if they had been judged all along, with ordinary causes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from random import Random
from uuid import UUID

from models.companies import companies
from rules.judging.state import Transition
from services.health.history import judge_pasts
from services.health.judged import JudgedCompany, save_judged
from services.health.transitions import TransitionRecorder
from services.rules.rule_books import RuleBooks
from services.work_items.opening import add_past_items


def judge_history(
    organization_id: int,
    company_ids: Sequence[int],
    rulebooks: RuleBooks,
    now: datetime,
    *,
    recorded_at: Callable[[Transition], datetime],
    chance: Random,
) -> None:
    """Judge companies that were never judged, up to `now`; people get no messages about it.

    `recorded_at` returns when a transition was written; the rest of its id comes from `chance`.
    """
    locked = companies.lock(organization_id, company_ids).values()
    judged, recorder = [], TransitionRecorder(organization_id)
    for past in judge_pasts(organization_id, list(locked), {}, rulebooks, now):
        company = past.company
        for book, number, transition in past.transitions:
            at = recorded_at(transition)
            silent = replace(book, notify=())
            recorder.record(company, transition, silent, number, at, partial(uuid7_at, at, chance))
        company.judged_version = past.settlements[-1][1]
        company.unsettled_since = None
        judged.append(JudgedCompany(company, past.settlements))
    add_past_items(save_judged(organization_id, judged), now)
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
