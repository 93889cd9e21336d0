"""Judges one company: its stored state and events in, its state brought up to date out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from actors.judging import settlements_of
from actors.recording import record
from actors.rulebooks import RuleBooks
from models import companies, events, flag_states, rule_versions
from models.companies import Company
from models.database import transaction
from models.events import Selection
from models.flag_states import StoredFlagState
from rules.book import RuleBook
from rules.durations import END
from rules.state import CompanyState


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
        until = min(now, known_until or now)
        if company.unsettled_since is not None and company.unsettled_since <= now:
            until = max(until, company.unsettled_since)
        current = rule_versions.current_numbers([company.organization_id])
        version = current[company.organization_id]
        stored = flag_states.of_company(company_id)
        settlements = settlements_of(company, stored, version, rulebooks, until)
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
        _save(company, settlement.state, book, stored)
        unsettled = company.unsettled_since
        return Evaluated(written, unsettled is not None and unsettled <= now)


def _save(
    company: Company, state: CompanyState, book: RuleBook, stored: Sequence[StoredFlagState]
) -> None:
    company.health_status = state.status
    company.changed_at = state.changed_at
    company.recorded_until = state.recorded_until
    company.score = book.score({name: flag.level for name, flag in state.flags.items()})
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
