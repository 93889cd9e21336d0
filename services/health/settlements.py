"""Judges companies as they are stored, by every version of the rules in its time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.companies.companies import Company
from models.events import events
from models.events.events import Latest
from models.health import flag_overrides, flag_states
from models.health.flag_overrides import StoredOverride
from models.health.flag_states import StoredFlagState
from models.organizations import rule_versions
from rules.book import RuleBook
from rules.durations import BEGINNING
from rules.facts import Facts
from rules.judging.settlement import settle
from rules.judging.state import CompanyState, FlagState, NewRules, Override, Settlement
from services.health.stored_facts import AHEAD, LatestByKey, LatestTimes, StoredFacts
from services.rules.rule_books import RuleBooks

DEEPEST_READ_AHEAD = 100
"""Events of which the times are read before anybody asks; not every flag is judged each time."""


@dataclass(frozen=True)
class StoredHealth:
    """All that is recorded of a company's health; of its overrides those that are not over."""

    company: Company
    flags: Sequence[StoredFlagState]
    overrides: Sequence[StoredOverride]


def stored_health_of(some: Sequence[Company]) -> list[StoredHealth]:
    """What is recorded of these companies."""
    ids = [company.id for company in some]
    flags, overrides = flag_states.of_companies(ids), flag_overrides.open_of_companies(ids)
    return [StoredHealth(one, flags[one.id], overrides.get(one.id, [])) for one in some]


def recorded(company: Company) -> StoredHealth:
    """What is recorded of a company."""
    return stored_health_of([company])[0]


def company_state(recorded: StoredHealth, book: RuleBook) -> CompanyState:
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
                s.flag in company.awaiting,
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
            Override(o.id, o.flag, o.status, o.starts_at, o.over_at, started=o.start_recorded)
            for o in recorded.overrides
        ),
    )


def facts_of(company: Company, latest: LatestByKey | None = None) -> StoredFacts:
    """The facts that a company is judged by, of which the latest events may be known."""
    return StoredFacts(company.id, company.external_id, company.first_seen_at, latest)


def facts_of_all(
    some: Sequence[Company], versions: Mapping[int, int], rulebooks: RuleBooks
) -> dict[int, StoredFacts]:
    """The facts that these companies are judged by, by company id.

    The latest events that decide their flags are read at once, by the rules in force, of which
    `versions` has the number for each organization; whatever else is asked for is read then.
    """
    wanted = [
        Latest(company.id, key, depth + AHEAD)
        for company in some
        for number in [versions[company.organization_id]]
        for book in [rulebooks.book_if_readable(company.organization_id, number)]
        for key, depth in (book.events_needed_by_key if book else {}).items()
        if depth <= DEEPEST_READ_AHEAD
    ]
    latest: dict[int, dict[str | None, LatestTimes]] = {company.id: {} for company in some}
    for one, times in zip(wanted, events.times_of_latest(wanted), strict=True):
        known = LatestTimes(BEGINNING, one.limit, times[::-1])
        latest[one.company_id][one.event_key] = known
    return {company.id: facts_of(company, latest[company.id]) for company in some}


def settlements_of(
    recorded: StoredHealth,
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
            number, new_rules = following.version, NewRules(following.applied_at, previous=book)
            book = rulebooks.book(organization_id, number)
    return settlements
