"""Judges stored companies by each version of their rules, for the time it was in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.companies.companies import Company
from models.events import bulk_lookups
from models.events.bulk_lookups import LatestEvents
from models.health import flag_overrides, flag_states
from models.health.flag_overrides import StoredOverride
from models.health.flag_states import StoredFlagState
from models.organizations import rule_versions
from rules.book import RuleBook
from rules.durations import BEGINNING
from rules.facts import Facts, Selector
from rules.judging.settlement import settle
from rules.judging.state import CompanyState, FlagState, NewRules, Override, Settlement
from services.health.stored_facts import READ_AHEAD, LatestBySelector, LatestTimes, StoredFacts
from services.rules.rule_books import RuleBooks

MAX_PREFETCH_DEPTH = 100
"""The deepest event whose time is read in advance; not every flag is judged each time."""


@dataclass(frozen=True)
class StoredHealth:
    """The recorded health of a company, with its overrides that have not ended."""

    company: Company
    flags: Sequence[StoredFlagState]
    overrides: Sequence[StoredOverride]


def stored_health_of(organization_id: int, companies: Sequence[Company]) -> list[StoredHealth]:
    """Return the recorded health of companies of an organization."""
    ids = [company.id for company in companies]
    flags = flag_states.list_for_companies(organization_id, ids)
    overrides = flag_overrides.list_open(organization_id, ids)
    return [StoredHealth(c, flags[c.id], overrides.get(c.id, [])) for c in companies]


def stored_health(company: Company) -> StoredHealth:
    """Return the recorded health of a company."""
    return stored_health_of(company.organization_id, [company])[0]


def company_state(stored: StoredHealth, book: RuleBook) -> CompanyState:
    """Return a company's rows in the form that `rules` takes."""
    company = stored.company
    return CompanyState(
        status=company.health_status,
        first_seen_at=company.first_seen_at,
        changed_at=company.changed_at,
        flags={
            s.flag: FlagState(
                book.level_of(s.status),
                s.changed_at,
                s.due_at,
                s.flag in company.awaiting,
                {
                    book.statuses.index(status): datetime.fromisoformat(since)
                    for status, since in s.holding.items()
                    if status in book.statuses
                },
                s.moved_at,
            )
            for s in stored.flags
        },
        recorded_until=company.recorded_until,
        overrides=tuple(
            Override(o.id, o.flag, o.status, o.starts_at, o.over_at, started=o.start_recorded)
            for o in stored.overrides
        ),
    )


def facts_of(company: Company, latest: LatestBySelector | None = None) -> StoredFacts:
    """Return the facts that a company is judged by; `latest` are its latest events, if read."""
    return StoredFacts(
        company.organization_id, company.id, company.external_id, company.first_seen_at, latest
    )


def facts_of_all(
    organization_id: int, companies: Sequence[Company], version: int, rulebooks: RuleBooks
) -> dict[int, StoredFacts]:
    """Return the facts that companies of an organization are judged by, by company id.

    The latest events that decide their flags under the rules in force, those of `version`, are
    read at once; all other facts are read when needed.
    """
    book = rulebooks.book_if_readable(organization_id, version)
    needed = book.events_needed_by_key if book else {}
    deeper = {key: depth + READ_AHEAD for key, depth in needed.items()}
    latest = latest_needed(organization_id, [company.id for company in companies], deeper)
    return {company.id: facts_of(company, latest[company.id]) for company in companies}


def latest_needed(
    organization_id: int, company_ids: Sequence[int], needed: Mapping[str | None, int]
) -> dict[int, dict[str, LatestTimes]]:
    """Return so many of the latest events of each key of companies, unless these are very many.

    They are by company, and by `Selector.identity`.
    """
    probes = [
        LatestEvents(company_id, key, depth)
        for company_id in company_ids
        for key, depth in needed.items()
        if depth <= MAX_PREFETCH_DEPTH + READ_AHEAD
    ]
    identities = {key: Selector(key).identity for key in needed}
    latest: dict[int, dict[str, LatestTimes]] = {company_id: {} for company_id in company_ids}
    found = bulk_lookups.find_times_of_latest(organization_id, probes)
    for (company_id, key, depth), times in zip(probes, found, strict=True):
        latest[company_id][identities[key]] = LatestTimes(BEGINNING, depth, times[::-1])
    return latest


def settlements_of(
    stored: StoredHealth,
    version: int,
    rulebooks: RuleBooks,
    until: datetime,
    facts: Facts | None = None,
) -> list[tuple[RuleBook, int, Settlement]]:
    """Settle a company by each version of the rules since the one it was last judged by.

    Each settlement comes with its book and the number of the version; the last is by the rules in
    force at `until`. Nothing is written. `facts` replaces the stored facts, for a caller that has
    all of them in memory.
    """
    company = stored.company
    organization_id, facts = company.organization_id, facts or facts_of(company)
    number = company.judged_version
    book = rulebooks.book(organization_id, number)
    state = company_state(stored, book)
    newer = rule_versions.list_after(organization_id, number) if number != version else []
    versions = [newer_version for newer_version in newer if newer_version.applied_at <= until]
    settlements = []
    new_rules: NewRules | None = None
    for following in [*versions, None]:
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
            number, new_rules = following.version, NewRules(following.applied_at, previous=book)
            book = rulebooks.book(organization_id, number)
    return settlements
