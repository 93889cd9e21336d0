"""Evaluates companies: judges them by their rules and events and records what changed."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.companies import companies
from models.companies.companies import Company
from models.companies.fields import field_history
from models.events import bulk_lookups
from models.organizations import rule_versions
from models.webhooks.deliveries import Request
from services.health.history import REWRITTEN_AT_ONCE, may_be_rewritten, rewrite_histories
from services.health.judged import JudgedCompany, save_judged
from services.health.recorded_overrides import save_overrides
from services.health.settlements import facts_of_all, settlements_of, stored_health_of
from services.health.transitions import TransitionRecorder
from services.rules.rule_books import RuleBooks
from services.work_items.opening import update_items

StoredUntilOf = Callable[[int, str], datetime]
"""Returns the instant up to which all events of a company are stored, by its organization and the
client's own id of it."""

OldestUnresolved = Callable[[int], datetime | None]
"""Returns when the oldest accepted record that names no company was accepted, by organization; None
if none waits to be stored. It may be about any company."""


@dataclass(frozen=True)
class EvaluationResult:
    """The attempts to make of deliveries written, and companies that still have events to judge.

    `must_wait` is whether some of these cannot be judged before other records are stored.
    """

    written: Sequence[Request] = ()
    unsettled: Sequence[Company] = ()
    must_wait: bool = False


def evaluate(
    organization_id: int,
    company_ids: Collection[int],
    rulebooks: RuleBooks,
    now: datetime,
    *,
    stored_until: StoredUntilOf | None = None,
    oldest_unresolved: OldestUnresolved = lambda _: None,
) -> EvaluationResult:
    """Lock companies of an organization and bring their health up to date.

    All events of a company up to `stored_until` are stored, `now` by default (see
    `queues.backlog`). Judging stops there, unless an event of the company that is already stored
    comes later. It always stops at the oldest record that names no company. Evaluating a company
    again, for a repeated message or in a second worker, changes nothing.
    """
    locked = list(companies.lock(organization_id, company_ids).values())
    return bring_up_to_date(
        organization_id,
        locked,
        rulebooks,
        now,
        stored_until=stored_until,
        oldest_unresolved=oldest_unresolved,
    )


def rewrite(
    organization_id: int,
    company_ids: Collection[int],
    rulebooks: RuleBooks,
    until: datetime,
) -> None:
    """Lock companies whose past was imported at `until`, and rewrite their history up to then.

    All events of theirs up to `until` are stored. Companies that more events of the past arrive for
    at the same time are left to `evaluate`.
    """
    locked = [
        company
        for company in companies.lock(organization_id, company_ids).values()
        if company.history_until is not None and company.history_until <= until
    ]
    recorder = TransitionRecorder(organization_id)
    judged = rewrite_histories(organization_id, {until: locked}, rulebooks, recorder, until)
    fields = frozenset(name for item in judged for name in item.book.company_fields)
    judged_until = {company.id: until for company in locked}
    _leave_later_records(organization_id, locked, judged_until, fields)
    update_items(organization_id, save_judged(organization_id, judged), until)
    recorder.save()


def bring_up_to_date(
    organization_id: int,
    locked: Sequence[Company],
    rulebooks: RuleBooks,
    now: datetime,
    *,
    stored_until: StoredUntilOf | None = None,
    oldest_unresolved: OldestUnresolved = lambda _: None,
) -> EvaluationResult:
    """Evaluate companies that are locked already; see `evaluate`.

    The history of a company with imported events is rewritten, once that is possible; until then,
    the company is left as it is.
    """
    # Read after the companies are locked: what is stored afterwards is not about them.
    unresolved_since = (
        oldest_unresolved(organization_id) if any(_is_unsettled(c, now) for c in locked) else None
    )
    untils = {c.id: _judge_until(c, now, stored_until, unresolved_since) for c in locked}
    without_history = [company for company in locked if company.history_until is None]
    # An older record that waits may be the first that names the company.
    too_early = [
        c for c in without_history if _is_unsettled(c, now) and untils[c.id] < c.first_seen_at
    ]
    settled = [company for company in without_history if company not in too_early]
    with_history = [c for c in locked if may_be_rewritten(c, untils[c.id])]
    rewritten = with_history[:REWRITTEN_AT_ONCE]
    recorder = TransitionRecorder(organization_id)
    judged = [
        *_rewrite(organization_id, rewritten, untils, rulebooks, recorder, now),
        *_settle(organization_id, settled, untils, rulebooks, recorder, now),
    ]
    companies_judged = [item.company for item in judged]
    judged_until = {
        company.id: until
        for company in companies_judged
        for until in [untils[company.id]]
        if (until < now if company.unsettled_since is None else company.unsettled_since <= until)
    }
    must_wait = bool(too_early) or any(
        _is_unsettled(c, now) and c.id not in judged_until for c in companies_judged
    )
    fields = frozenset(name for item in judged for name in item.book.company_fields)
    _leave_later_records(organization_id, companies_judged, judged_until, fields)
    update_items(organization_id, save_judged(organization_id, judged), now)
    written = recorder.save()
    left = [company for company in companies_judged if _is_unsettled(company, now)]
    left += [*too_early, *with_history[REWRITTEN_AT_ONCE:]]
    return EvaluationResult(written, left, must_wait)


def _settle(
    organization_id: int,
    settled: Sequence[Company],
    untils: Mapping[int, datetime],
    rulebooks: RuleBooks,
    recorder: TransitionRecorder,
    now: datetime,
) -> list[JudgedCompany]:
    """Follow companies from their last judgement on."""
    version = rule_versions.read_current(organization_id)
    facts = facts_of_all(organization_id, settled, version, rulebooks)
    judged = []
    for stored in stored_health_of(organization_id, settled):
        company = stored.company
        until = untils[company.id]
        settlements = settlements_of(stored, version, rulebooks, until, facts[company.id])
        for book, number, settlement in settlements:
            for transition in settlement.transitions:
                recorder.record(company, transition, book, number, now)
        company.judged_version = settlements[-1][1]
        judged.append(JudgedCompany(company, settlements, stored.flags))
        if stored.overrides:
            save_overrides(stored.overrides, settlements)
    return judged


def _rewrite(
    organization_id: int,
    rewritten: Sequence[Company],
    untils: Mapping[int, datetime],
    rulebooks: RuleBooks,
    recorder: TransitionRecorder,
    now: datetime,
) -> list[JudgedCompany]:
    """Rewrite the history of companies with imported events."""
    by_until: dict[datetime, list[Company]] = {}
    for company in rewritten:
        by_until.setdefault(untils[company.id], []).append(company)
    return rewrite_histories(organization_id, by_until, rulebooks, recorder, now)


def _is_unsettled(company: Company, now: datetime) -> bool:
    return company.unsettled_since is not None and company.unsettled_since <= now


def _judge_until(
    company: Company,
    now: datetime,
    stored_until: StoredUntilOf | None,
    unresolved_since: datetime | None,
) -> datetime:
    until = now
    if stored_until is not None:
        until = min(now, stored_until(company.organization_id, company.external_id))
    if company.unsettled_since is not None and company.unsettled_since <= now:
        # The records of a lane are stored in order, so all that came before the newest one are
        # stored, unless that one came by another way.
        newest = company.traits.newest_record_at or company.unsettled_since
        newest = max(company.unsettled_since, min(newest, now))
        if company.unordered_until is None or company.unordered_until < newest:
            until = max(until, newest)
        if unresolved_since is not None:
            until = min(until, unresolved_since)
    return until


def _leave_later_records(
    organization_id: int,
    locked: Sequence[Company],
    judged_until: Mapping[int, datetime],
    fields: Collection[str],
) -> None:
    """Leave what is stored after each company's `judged_until` to the next evaluation.

    These are events, and changes of the fields that rules use.
    """
    events = bulk_lookups.find_firsts_after(organization_id, judged_until)
    changes = field_history.find_firsts_after(organization_id, judged_until, fields)
    for company in locked:
        if company.id in judged_until:
            following = (found.get(company.id) for found in (events, changes))
            company.unsettled_since = min((at for at in following if at), default=None)
