"""Keeps the daily figures up to date: counts companies again whose history changed.

What a company has contributed is stored, so that it can be taken back when its history is
rewritten, however long ago it changed. The figures are always the sum of what companies contribute.
"""

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from models.organizations import rule_versions
from models.portfolio import contributions as stored_contributions
from models.portfolio import daily_figures, stale_companies
from models.portfolio.daily_figures import NOTHING, Amount, FigureDay
from rules.book import RuleBook
from rules.team import TeamFields, team_values
from services.portfolio.company_days import DayState, contributions, day_states
from services.rules.rule_books import NO_RULES, RuleBooks

COMPANIES_AT_ONCE = 100
"""Companies that one transaction counts."""


def catch_up(organization_id: int, rulebooks: RuleBooks) -> bool:
    """Count the next companies of an organization; return whether there may be more.

    Runs in the current transaction. Only one process may do this at a time.
    """
    backfill = stale_companies.lock_backfill(organization_id)
    version = rule_versions.read_current(organization_id)
    book = rulebooks.book_if_readable(organization_id, version)
    company_ids = stale_companies.take(organization_id, limit=COMPANIES_AT_ONCE)
    room = COMPANIES_AT_ONCE - len(company_ids)
    more = len(company_ids) == COMPANIES_AT_ONCE
    if backfill is not None and room:
        following = stale_companies.next_companies(organization_id, backfill, limit=room)
        company_ids = sorted({*company_ids, *following})
        more = len(following) == room
        stale_companies.advance(organization_id, following[-1] if more else None)
    _count(organization_id, company_ids, book or NO_RULES, rulebooks)
    return more


def _count(
    organization_id: int, company_ids: Collection[int], book: RuleBook, rulebooks: RuleBooks
) -> None:
    """Replace what companies contribute to the figures."""
    if not company_ids:
        return
    team = TeamFields(value=book.team.value)
    field = team.value[0] if team.value else None
    before = stored_contributions.lock(organization_id, sorted(company_ids))
    companies = stored_contributions.read_histories(organization_id, company_ids, field)

    def book_of(version: int) -> RuleBook:
        return rulebooks.book_if_readable(organization_id, version) or book

    def value_of(value: Any) -> Decimal | None:
        return team_values(team, {str(field): value}).value

    changes: dict[FigureDay, Amount] = {}
    days: dict[int, list[list[Any]]] = {}
    for company in companies:
        states = day_states(company, book_of, value_of)
        days[company.id] = [state.as_json() for state in states]
        former = [DayState.from_json(state) for state in before.get(company.id, ())]
        for figure, amount in contributions(states).items():
            changes[figure] = changes.get(figure, NOTHING) + amount
        for figure, amount in contributions(former).items():
            changes[figure] = changes.get(figure, NOTHING) - amount
    daily_figures.add(organization_id, changes)
    stored_contributions.save(organization_id, days)
