"""Evaluates companies: judges them by their rules and events and records what changed."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from models.companies import companies
from models.companies.companies import Company
from models.companies.fields import field_history
from models.events import bulk_lookups
from models.health import flag_overrides
from models.health.flag_overrides import StoredOverride
from models.organizations import rule_versions
from models.webhooks.deliveries import Request
from rules.book import RuleBook
from rules.judging.state import Settlement
from services.health.judged import JudgedCompany, save_judged
from services.health.settlements import facts_of_all, settlements_of, stored_health_of
from services.health.transitions import TransitionRecorder
from services.rules.rule_books import RuleBooks

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


def bring_up_to_date(
    organization_id: int,
    locked: Sequence[Company],
    rulebooks: RuleBooks,
    now: datetime,
    *,
    stored_until: StoredUntilOf | None = None,
    oldest_unresolved: OldestUnresolved = lambda _: None,
) -> EvaluationResult:
    """Evaluate companies that are locked already; see `evaluate`."""
    # Read after the companies are locked: what is stored afterwards is not about them.
    unresolved_since = (
        oldest_unresolved(organization_id) if any(_is_unsettled(c, now) for c in locked) else None
    )
    version = rule_versions.read_current(organization_id)
    facts = facts_of_all(organization_id, locked, version, rulebooks)
    recorder = TransitionRecorder(organization_id)
    judged: list[JudgedCompany] = []
    judged_until: dict[int, datetime] = {}
    fields: frozenset[str] = frozenset()
    must_wait = False
    for stored in stored_health_of(organization_id, locked):
        company = stored.company
        until = _judge_until(company, now, stored_until, unresolved_since)
        settlements = settlements_of(stored, version, rulebooks, until, facts[company.id])
        for book, number, settlement in settlements:
            for transition in settlement.transitions:
                recorder.record(company, transition, book, number, now)
        book, company.judged_version, settlement = settlements[-1]
        judged.append(JudgedCompany(company, settlement.state, book, stored.flags))
        if stored.overrides:
            _save_overrides(stored.overrides, settlements)
        unsettled = company.unsettled_since
        if (unsettled is None and until < now) or (unsettled is not None and unsettled <= until):
            judged_until[company.id] = until
        elif unsettled is not None and unsettled <= now:
            must_wait = True
        fields |= book.company_fields
    _leave_later_records(organization_id, locked, judged_until, fields)
    save_judged(organization_id, judged)
    written = recorder.save()
    left = [c for c in locked if c.unsettled_since is not None and c.unsettled_since <= now]
    return EvaluationResult(written, left, must_wait)


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


def _save_overrides(
    stored: Iterable[StoredOverride], settlements: Sequence[tuple[RuleBook, int, Settlement]]
) -> None:
    """Record which overrides have started, and which have ended and by whom."""
    started = {o.id for o in settlements[-1][2].state.overrides if o.started}
    ended = {
        end.override.id: (end, number)
        for _, number, settlement in settlements
        for end in settlement.ended
    }
    for row in stored:
        if row.id in started and not row.start_recorded:
            flag_overrides.save(replace(row, start_recorded=True))
        elif row.id in ended:
            end, number = ended[row.id]
            over = replace(row, start_recorded=True, end_recorded=True)
            if end.missing is not None:
                because = f"version {number} of the rules does not have {end.missing}"
                over = replace(over, ended_by="rules", ended_because=because, ended_at=end.at)
            elif row.ended_at is None:
                over = replace(over, ended_by="time", ended_at=end.at)
            flag_overrides.save(over)
