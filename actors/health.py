"""Judges one company: its stored state and events in, its state brought up to date out."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from actors.recording import record
from actors.rulebooks import RuleBooks
from actors.stored_facts import StoredFacts
from models import companies, events, flag_states, rule_versions
from models.companies import Company
from models.database import transaction
from models.events import Selection
from models.flag_states import StoredFlagState
from rules.book import RuleBook
from rules.durations import END
from rules.settlement import settle
from rules.state import CompanyState, FlagState, NewRules, Settlement


def evaluate(
    company_id: int, rulebooks: RuleBooks, now: datetime, *, known_until: datetime | None = None
) -> list[UUID]:
    """Bring a company's health up to date, in one transaction under its row's lock.

    `known_until` is up to when all events are stored, `now` by default (see `Horizon`): there
    judging stops, but for an event of the company that is stored already. Whoever comes second,
    by a repeated message or a second worker, finds nothing left to do. Returns the ids of the
    webhook deliveries that were written.

    Raises:
        OperationalError, InterfaceError: PostgreSQL cannot be reached; nothing was changed.
    """
    with transaction():
        company = companies.lock_by_id(company_id)
        if company is None:
            return []
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
        if until < now if unsettled is None else unsettled <= until:
            # What is stored of the time after that is left for the next judgement.
            company.unsettled_since = events.first(Selection(company.id, None, (), until, END))
        _save(company, settlement.state, book, stored)
        return written


def company_state(
    company: Company, stored: Sequence[StoredFlagState], book: RuleBook
) -> CompanyState:
    """A company's rows as `rules` takes them."""
    return CompanyState(
        status=company.health_status,
        first_seen_at=company.first_seen_at,
        changed_at=company.changed_at,
        flags={
            s.flag: FlagState(
                book.level_of(s.status),
                s.changed_at,
                s.due_at,
                s.awaits_event,
                {
                    book.statuses.index(status): datetime.fromisoformat(since)
                    for status, since in s.holding.items()
                    if status in book.statuses
                },
                s.moved_at,
            )
            for s in stored
        },
        recorded_until=company.recorded_until,
    )


def facts_of(company: Company) -> StoredFacts:
    """The facts that a company is judged by."""
    return StoredFacts(company.id, company.external_id, company.first_seen_at)


def settlements_of(
    company: Company,
    stored: Sequence[StoredFlagState],
    version: int,
    rulebooks: RuleBooks,
    until: datetime,
) -> list[tuple[RuleBook, int, Settlement]]:
    """What each version of the rules says of its time, from the one last judged by on.

    Each with its book and number; the last is that of the rules in force. Nothing is written.
    """
    organization_id, facts = company.organization_id, facts_of(company)
    number = company.judged_version
    book = rulebooks.book(organization_id, number)
    state = company_state(company, stored, book)
    newer = rule_versions.after(organization_id, number) if number != version else []
    settlements = []
    new_rules: NewRules | None = None
    for following in [*newer, None]:
        end = following.applied_at if following else until
        unsettled = company.unsettled_since
        if unsettled is not None and unsettled > end:
            unsettled = None
        settlement = settle(
            book, state, facts, now=end, unsettled_since=unsettled, new_rules=new_rules
        )
        settlements.append((book, number, settlement))
        state = settlement.state
        if following:
            number, new_rules = following.version, NewRules(following.applied_at, former=book)
            book = rulebooks.book(organization_id, number)
    return settlements


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
    flag_states.save(
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
