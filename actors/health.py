"""Judges one company: its stored state and events in, its state brought up to date out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from actors.judging import recorded, settlements_of
from actors.recording import record
from actors.rulebooks import RuleBooks
from models import companies, events, flag_overrides, flag_states, rule_versions
from models.companies import Company
from models.database import transaction
from models.events import Selection
from models.flag_overrides import StoredOverride
from models.flag_states import StoredFlagState
from rules.book import RuleBook
from rules.durations import END
from rules.overrides import counted_levels
from rules.state import CompanyState, Settlement


@dataclass(frozen=True)
class Evaluated:
    """The webhook deliveries that were written, and whether events are left to judge with."""

    written: Sequence[UUID] = ()
    unsettled: bool = False


def evaluate(
    company_id: int, rulebooks: RuleBooks, now: datetime, *, known_until: datetime | None = None
) -> Evaluated:
    """Bring a company's health up to date, in one transaction under its row's lock.

    `known_until` is up to when all events are stored, `now` by default (see `Horizon`): there
    judging stops, but for an event of the company that is stored already. Whoever comes second,
    by a repeated message or a second worker, finds nothing left to do.

    Raises:
        OperationalError, InterfaceError: PostgreSQL cannot be reached; nothing was changed.
    """
    with transaction():
        company = companies.lock([company_id]).get(company_id)
        if company is None:
            return Evaluated()
        return bring_up_to_date(company, rulebooks, now, known_until=known_until)


def bring_up_to_date(
    company: Company, rulebooks: RuleBooks, now: datetime, *, known_until: datetime | None = None
) -> Evaluated:
    """The same with a company that is locked, within the transaction at hand."""
    until = min(now, known_until or now)
    if company.unsettled_since is not None and company.unsettled_since <= now:
        until = max(until, company.unsettled_since)
    current = rule_versions.current_numbers([company.organization_id])
    version = current[company.organization_id]
    stored = recorded(company)
    settlements = settlements_of(stored, version, rulebooks, until)
    written = [
        delivery_id
        for book, number, settlement in settlements
        for transition in settlement.transitions
        for delivery_id in record(company, transition, book, number, now)
    ]
    book, company.judged_version, settlement = settlements[-1]
    unsettled = company.unsettled_since
    all_judged = unsettled is None or unsettled <= until
    if all_judged and (until < now or unsettled is not None):
        # What is stored of the time after that is left for the next judgement.
        company.unsettled_since = events.first(Selection(company.id, None, (), until, END))
    save_judged(company, settlement.state, book, stored.flags)
    if stored.overrides:
        _save_overrides(stored.overrides, settlements)
    unsettled = company.unsettled_since
    return Evaluated(written, unsettled is not None and unsettled <= now)


def save_judged(
    company: Company, state: CompanyState, book: RuleBook, stored: Sequence[StoredFlagState]
) -> None:
    """Write a company's health and its flags, of which these were stored before."""
    company.health_status = state.status
    company.changed_at = state.changed_at
    company.recorded_until = state.recorded_until
    company.score = book.score(counted_levels(book, state))
    companies.save_health(company)
    gone = [before.flag for before in stored if before.flag not in state.flags]
    if gone:
        flag_states.remove(company.id, gone)
    recorded = {before.flag: before for before in stored}
    present = (
        StoredFlagState(
            organization_id=company.organization_id,
            company_id=company.id,
            flag=name,
            status=None if s.level is None else book.status_name(s.level),
            changed_at=s.changed_at,
            due_at=s.due_at,
            awaits_event=s.awaits_event,
            moved_at=s.moved_at,
            holding={book.statuses[n]: since.isoformat() for n, since in s.holding.items()},
        )
        for name, s in state.flags.items()
    )
    flag_states.save(one for one in present if one != recorded.get(one.flag))


def _save_overrides(
    stored: Iterable[StoredOverride], settlements: Sequence[tuple[RuleBook, int, Settlement]]
) -> None:
    """Note of each override that its start is recorded, and its end with who ended it."""
    begun = {one.id for one in settlements[-1][2].state.overrides if one.begun}
    ended = {
        one.override.id: (one, number)
        for _, number, settlement in settlements
        for one in settlement.ended
    }
    for row in stored:
        if row.id in begun and not row.start_recorded:
            flag_overrides.save(replace(row, start_recorded=True))
        elif row.id in ended:
            end, number = ended[row.id]
            over = replace(row, start_recorded=True, end_recorded=True)
            if end.because is not None:
                because = f"version {number} of the rules does not have {end.because}"
                over = replace(over, ended_by="rules", ended_because=because, ended_at=end.at)
            elif row.ended_at is None:
                over = replace(over, ended_by="time", ended_at=end.at)
            flag_overrides.save(over)
