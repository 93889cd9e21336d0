"""Judges companies: their stored state and events in, their state brought up to date out."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from models.companies import companies
from models.companies.companies import Company
from models.database import transaction
from models.events import events
from models.health import flag_overrides, flag_states
from models.health.flag_overrides import StoredOverride
from models.health.flag_states import StoredFlagState
from models.organizations import rule_versions
from rules.book import RuleBook
from rules.judging.overrides import effective_levels
from rules.judging.state import CompanyState, Settlement
from services.health.settlements import stored_health_of, facts_of_all, settlements_of
from services.health.transitions import record_transition
from services.rules.rule_books import RuleBooks


@dataclass(frozen=True)
class EvaluationResult:
    """The webhook deliveries that were written, and the companies with events left to judge."""

    written: Sequence[UUID] = ()
    unsettled: Sequence[int] = ()


@dataclass(frozen=True)
class JudgedCompany:
    """A company's health as it was judged: its state, by which rules, and its flags before."""

    company: Company
    state: CompanyState
    book: RuleBook
    flags_before: Sequence[StoredFlagState] = ()


def evaluate(
    company_ids: Collection[int],
    rulebooks: RuleBooks,
    now: datetime,
    *,
    stored_until: datetime | None = None,
) -> EvaluationResult:
    """Bring companies' health up to date, in one transaction under their rows' locks.

    `stored_until` is up to when all events are stored, `now` by default (see `Horizon`): there
    judging stops, but for an event of the company that is stored already. Whoever comes second,
    by a repeated message or a second worker, finds nothing left to do.

    Raises:
        OperationalError, InterfaceError: PostgreSQL cannot be reached; nothing was changed.
    """
    with transaction():
        held = list(companies.lock(company_ids).values())
        return bring_up_to_date(held, rulebooks, now, stored_until=stored_until)


def bring_up_to_date(
    held: Sequence[Company],
    rulebooks: RuleBooks,
    now: datetime,
    *,
    stored_until: datetime | None = None,
) -> EvaluationResult:
    """The same with companies that are locked, within the transaction at hand."""
    versions = rule_versions.current_numbers(list({one.organization_id for one in held}))
    facts = facts_of_all(held, versions, rulebooks)
    written: list[UUID] = []
    judged: list[JudgedCompany] = []
    judged_until: dict[int, datetime] = {}
    for stored in stored_health_of(held):
        company = stored.company
        until = _settled_until(company, now, stored_until)
        settlements = settlements_of(
            stored, versions[company.organization_id], rulebooks, until, facts[company.id]
        )
        for book, number, settlement in settlements:
            for transition in settlement.transitions:
                written += record_transition(company, transition, book, number, now)
        book, company.judged_version, settlement = settlements[-1]
        judged.append(JudgedCompany(company, settlement.state, book, stored.flags))
        if stored.overrides:
            _save_overrides(stored.overrides, settlements)
        unsettled = company.unsettled_since
        if (unsettled is None and until < now) or (unsettled is not None and unsettled <= until):
            judged_until[company.id] = until
    _note_unsettled(held, judged_until)
    save_judged(judged)
    left = [c.id for c in held if c.unsettled_since is not None and c.unsettled_since <= now]
    return EvaluationResult(written, left)


def _settled_until(company: Company, now: datetime, stored_until: datetime | None) -> datetime:
    until = min(now, stored_until or now)
    if company.unsettled_since is not None and company.unsettled_since <= now:
        return max(until, company.unsettled_since)
    return until


def _note_unsettled(held: Sequence[Company], judged_until: Mapping[int, datetime]) -> None:
    """Leave what is stored of the time after that for the next judgement."""
    following = events.firsts_after(judged_until)
    for company in held:
        if company.id in judged_until:
            company.unsettled_since = following.get(company.id)


def save_judged(judged: Sequence[JudgedCompany]) -> None:
    """Write companies' health and their flags."""
    gone: list[StoredFlagState] = []
    changed: list[StoredFlagState] = []
    for one in judged:
        company, state = one.company, one.state
        company.health_status = state.status
        company.changed_at = state.changed_at
        company.recorded_until = state.recorded_until
        company.awaiting = sorted(name for name, flag in state.flags.items() if flag.awaits_event)
        company.score = one.book.score(effective_levels(one.book, state))
        before = {flag.flag: flag for flag in one.flags_before}
        gone += (flag for flag in one.flags_before if flag.flag not in state.flags)
        changed += (flag for flag in _flag_states(one) if flag != before.get(flag.flag))
    companies.save_health([one.company for one in judged])
    flag_states.remove(gone)
    flag_states.save(changed)


def _flag_states(judged: JudgedCompany) -> Iterator[StoredFlagState]:
    company, book = judged.company, judged.book
    for name, state in judged.state.flags.items():
        yield StoredFlagState(
            organization_id=company.organization_id,
            company_id=company.id,
            flag=name,
            status=None if state.level is None else book.status_name(state.level),
            changed_at=state.changed_at,
            due_at=state.due_at,
            moved_at=state.moved_at,
            holding={book.statuses[n]: since.isoformat() for n, since in state.holding_since.items()},
        )


def _save_overrides(
    stored: Iterable[StoredOverride], settlements: Sequence[tuple[RuleBook, int, Settlement]]
) -> None:
    """Note of each override that its start is recorded, and its end with who ended it."""
    begun = {one.id for one in settlements[-1][2].state.overrides if one.started}
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
            if end.missing is not None:
                because = f"version {number} of the rules does not have {end.missing}"
                over = replace(over, ended_by="rules", ended_because=because, ended_at=end.at)
            elif row.ended_at is None:
                over = replace(over, ended_by="time", ended_at=end.at)
            flag_overrides.save(over)
