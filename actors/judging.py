"""Judges companies as they are stored, by every version of the rules in its time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from actors.rulebooks import RuleBooks
from actors.stored_facts import StoredFacts
from models import flag_overrides, flag_states, rule_versions
from models.companies import Company
from models.flag_overrides import StoredOverride
from models.flag_states import StoredFlagState
from rules.book import RuleBook
from rules.facts import Facts
from rules.settlement import settle
from rules.state import CompanyState, FlagState, NewRules, Override, Settlement


@dataclass(frozen=True)
class Recorded:
    """All that is recorded of a company's health; of its overrides those that are not over."""

    company: Company
    flags: Sequence[StoredFlagState]
    overrides: Sequence[StoredOverride]


def all_recorded(some: Sequence[Company]) -> list[Recorded]:
    """What is recorded of these companies."""
    ids = [company.id for company in some]
    flags, overrides = flag_states.of_companies(ids), flag_overrides.open_of_companies(ids)
    return [Recorded(one, flags[one.id], overrides.get(one.id, [])) for one in some]


def recorded(company: Company) -> Recorded:
    """What is recorded of a company."""
    return all_recorded([company])[0]


def company_state(recorded: Recorded, book: RuleBook) -> CompanyState:
    """A company's rows as `rules` takes them."""
    company = recorded.company
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
            for s in recorded.flags
        },
        recorded_until=company.recorded_until,
        overrides=tuple(
            Override(o.id, o.flag, o.status, o.starts_at, o.over_at, begun=o.start_recorded)
            for o in recorded.overrides
        ),
    )


def facts_of(company: Company) -> StoredFacts:
    """The facts that a company is judged by."""
    return StoredFacts(company.id, company.external_id, company.first_seen_at)


def settlements_of(
    recorded: Recorded,
    version: int,
    rulebooks: RuleBooks,
    until: datetime,
    facts: Facts | None = None,
) -> list[tuple[RuleBook, int, Settlement]]:
    """What each version of the rules says of its time, from the one last judged by on.

    Each with its book and number; the last is that of the rules in force at `until`. Nothing is
    written. `facts` are the stored ones, unless somebody holds all that can be asked for already.
    """
    company = recorded.company
    organization_id, facts = company.organization_id, facts or facts_of(company)
    number = company.judged_version
    book = rulebooks.book(organization_id, number)
    state = company_state(recorded, book)
    newer = rule_versions.after(organization_id, number) if number != version else []
    known = [following for following in newer if following.applied_at <= until]
    settlements = []
    new_rules: NewRules | None = None
    for following in [*known, None]:
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
