"""Evaluates companies: judges them by their rules and events and records what changed."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from models.companies import companies
from models.companies.companies import Company
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


@dataclass(frozen=True)
class EvaluationResult:
    """The attempts to make of deliveries written, and companies that still have events to judge."""

    written: Sequence[Request] = ()
    unsettled: Sequence[Company] = ()


def evaluate(
    organization_id: int,
    company_ids: Collection[int],
    rulebooks: RuleBooks,
    now: datetime,
    *,
    stored_until: StoredUntilOf | None = None,
) -> EvaluationResult:
    """Lock companies of an organization and bring their health up to date.

    All events of a company up to `stored_until` are stored, `now` by default (see
    `queues.backlog`). Judging stops there, unless an event of the company that is already stored
    comes later. Evaluating a company again, for a repeated message or in a second worker, changes
    nothing.
    """
    locked = list(companies.lock(organization_id, company_ids).values())
    return bring_up_to_date(organization_id, locked, rulebooks, now, stored_until=stored_until)


def bring_up_to_date(
    organization_id: int,
    locked: Sequence[Company],
    rulebooks: RuleBooks,
    now: datetime,
    *,
    stored_until: StoredUntilOf | None = None,
) -> EvaluationResult:
    """Evaluate companies that are locked already; see `evaluate`."""
    version = rule_versions.read_current(organization_id)
    facts = facts_of_all(organization_id, locked, version, rulebooks)
    recorder = TransitionRecorder(organization_id)
    judged: list[JudgedCompany] = []
    judged_until: dict[int, datetime] = {}
    for stored in stored_health_of(organization_id, locked):
        company = stored.company
        until = _judge_until(company, now, stored_until)
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
    _leave_later_events(organization_id, locked, judged_until)
    save_judged(organization_id, judged)
    written = recorder.save()
    left = [c for c in locked if c.unsettled_since is not None and c.unsettled_since <= now]
    return EvaluationResult(written, left)


def _judge_until(company: Company, now: datetime, stored_until: StoredUntilOf | None) -> datetime:
    until = now
    if stored_until is not None:
        until = min(now, stored_until(company.organization_id, company.external_id))
    if company.unsettled_since is not None and company.unsettled_since <= now:
        # Events are stored in order, so all that came before the newest one are stored.
        newest = company.traits.newest_event_at or company.unsettled_since
        return max(until, company.unsettled_since, min(newest, now))
    return until


def _leave_later_events(
    organization_id: int, locked: Sequence[Company], judged_until: Mapping[int, datetime]
) -> None:
    """Leave the stored events after each company's `judged_until` to the next evaluation."""
    next_events = bulk_lookups.find_firsts_after(organization_id, judged_until)
    for company in locked:
        if company.id in judged_until:
            company.unsettled_since = next_events.get(company.id)


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
