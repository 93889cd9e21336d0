"""The reader's companies at risk on Today: the worst first, of these the most valuable."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboard.access import Member
from dashboard.pages.companies.columns import Column
from dashboard.pages.companies.reasons import reasons_of
from models.companies import company_list
from models.companies.company_list import ListedCompany
from models.portfolio import worst_companies
from models.portfolio.present_figures import PresentFigures
from rules.book import RuleBook

FIRST = 8
"""Rows of the table."""

COLUMNS = ("status", "why", "value", "renewal")


@dataclass(frozen=True)
class WorstCompanies:
    """Companies with why they have their status, and the columns that show them."""

    companies: Sequence[ListedCompany]
    reasons: dict[str, dict[str, str]]
    columns: Sequence[Column]


def read_worst(
    member: Member, present: PresentFigures, book: RuleBook, at: datetime
) -> WorstCompanies:
    """Read the first of the reader's companies at risk, in the current transaction."""
    organization = member.organization
    worst_first = tuple(reversed(book.statuses[1:]))
    ids = worst_companies.list_ids(organization.id, present.my_owners, worst_first, limit=FIRST)
    companies = company_list.read(organization.id, ids)
    reasons = reasons_of(member, companies, at)
    shown = [Column(name) for name in COLUMNS if getattr(book.team, name, True)]
    return WorstCompanies(companies, reasons, shown)
