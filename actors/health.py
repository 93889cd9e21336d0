"""Judges one company: its stored state and events in, transitions and webhooks out."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from actors.rulebooks import RuleBooks
from actors.times import iso_milliseconds
from actors.webhooks.payload import build_payload
from models import companies, deliveries, events, flag_states, rule_versions, transitions
from models.companies import Company
from models.database import transaction
from models.flag_states import StoredFlagState
from models.transitions import StoredTransition
from rules.book import RuleBook
from rules.facts import Selector
from rules.settlement import CompanyState, FlagState, NewRules, Settlement, Transition, settle

logger = logging.getLogger("brazebee.health")


@dataclass(frozen=True)
class StoredFacts:
    """The events of one company, as `rules` asks for them, read from their table."""

    company_id: int

    def latest(self, selector: Selector, limit: int, until: datetime) -> Sequence[datetime]:
        """See `rules.facts.Facts.latest`."""
        return events.latest(
            self.company_id, selector.event_key, selector.where, limit=limit, until=until
        )

    def next_after(self, selector: Selector, after: datetime, until: datetime) -> datetime | None:
        """See `rules.facts.Facts.next_after`."""
        return events.next_after(
            self.company_id, selector.event_key, selector.where, after=after, until=until
        )


def evaluate(company_id: int, rulebooks: RuleBooks, now: datetime) -> list[UUID]:
    """Bring a company's health up to `now`, in one transaction under its row's lock.

    Whoever comes second, by a repeated message or a second worker, finds nothing left to do.
    Returns the ids of the webhook deliveries that were written.

    Raises:
        OperationalError, InterfaceError: PostgreSQL cannot be reached; nothing was changed.
    """
    with transaction():
        company = companies.lock_by_id(company_id)
        if company is None:
            return []
        current = rule_versions.current_numbers([company.organization_id])
        version = current[company.organization_id]
        stored = flag_states.of_company(company_id)
        written: list[UUID] = []
        for book, number, settlement in _settlements(company, stored, version, rulebooks, now):
            for transition in settlement.transitions:
                written += _record(company, transition, book, number, now)
            _save(company, settlement.state, book, number, now)
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
            s.flag: FlagState(book.level_of(s.status), s.changed_at, s.due_at, s.awaits_event)
            for s in stored
        },
        recorded_until=company.recorded_until,
    )


def _settlements(
    company: Company,
    stored: Sequence[StoredFlagState],
    version: int,
    rulebooks: RuleBooks,
    now: datetime,
) -> list[tuple[RuleBook, int, Settlement]]:
    """What each version of the rules says of its time, from the one last judged by on."""
    organization_id, facts = company.organization_id, StoredFacts(company.id)
    number = company.judged_version
    book = rulebooks.book(organization_id, number)
    state = company_state(company, stored, book)
    newer = rule_versions.after(organization_id, number) if number != version else []
    settlements = []
    new_rules: NewRules | None = None
    for following in [*newer, None]:
        until = following.applied_at if following else now
        unsettled = company.unsettled_since
        if unsettled is not None and unsettled > until:
            unsettled = None
        settlement = settle(
            book, state, facts, now=until, unsettled_since=unsettled, new_rules=new_rules
        )
        settlements.append((book, number, settlement))
        state = settlement.state
        if following:
            number, new_rules = following.version, NewRules(following.applied_at, former=book)
            book = rulebooks.book(organization_id, number)
    return settlements


def _record(
    company: Company, transition: Transition, book: RuleBook, version: int, now: datetime
) -> list[UUID]:
    company.sequence += 1
    stored = StoredTransition(
        id=uuid7(),
        organization_id=company.organization_id,
        company_id=company.id,
        sequence=company.sequence,
        at=transition.at,
        from_status=transition.before,
        to_status=transition.after,
        cause=str(transition.cause),
        changes=[
            {
                "flag": change.flag,
                "from": book.status_name(change.before),
                "to": book.status_name(change.after),
                "threshold": _threshold(book, change.flag, change.after or change.before),
            }
            for change in transition.changes
        ],
        rules_version=version,
        recorded_at=now,
    )
    transitions.add(stored)
    if transition.before != transition.after:
        company.previous_status = transition.before
    _log(company, stored)
    message_id = f"msg_{stored.id.hex}"
    payload = build_payload(
        message_id=message_id,
        transition=stored,
        company_id=company.external_id,
        company_name=company.name,
        triggers=_triggers(transition, book),
    )
    return deliveries.add(
        organization_id=company.organization_id,
        transition_id=stored.id,
        message_id=message_id,
        payload=payload,
        now=now,
    )


def _triggers(transition: Transition, book: RuleBook) -> list[dict[str, str]]:
    """What explains a transition: the flags at the new status, or those that recovered."""
    level = book.level_of(transition.after)
    if transition.before == transition.after or not level:
        explaining: Mapping[str, int | None] = {
            change.flag: change.before if not change.after else change.after
            for change in transition.changes
        }
    else:
        explaining = {name: level for name, at in transition.levels.items() if at == level}
    return [
        {
            "flag": name,
            "status": book.status_name(transition.levels.get(name)),
            "threshold": _threshold(book, name, raised),
        }
        for name, raised in explaining.items()
    ]


def _threshold(book: RuleBook, flag: str, level: int | None) -> str:
    known = book.flags_by_name.get(flag)
    return known.threshold(level) if known else "The flag was removed from the rules"


def _save(
    company: Company, state: CompanyState, book: RuleBook, version: int, now: datetime
) -> None:
    company.health_status = state.status
    company.changed_at = state.changed_at
    company.recorded_until = state.recorded_until
    company.judged_version = version
    if company.unsettled_since is not None and company.unsettled_since <= now:
        company.unsettled_since = None  # a later one was stamped by a clock ahead of ours
    companies.save_health(company)
    gone = [s.flag for s in flag_states.of_company(company.id) if s.flag not in state.flags]
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
        )
        for name, s in state.flags.items()
    )


def _log(company: Company, transition: StoredTransition) -> None:
    reasons = "; ".join(
        f"{change['flag']}: {change['to']}, {change['threshold'].lower()}"
        for change in transition.changes
    )
    if transition.from_status == transition.to_status:
        what = f"stays {transition.to_status}"
    else:
        what = f"{transition.from_status} -> {transition.to_status}"
    logger.info(
        "%s (%s): %s at %s by %s [%s]",
        company.name,
        company.external_id,
        what,
        iso_milliseconds(transition.at),
        transition.cause,
        reasons,
    )
