"""Companies of lists, written to the table without an evaluation, and what lists contain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from dashboard.filters.field_filters import FieldFilter, Verb, conditions
from models.companies import company_list
from models.companies.company_filter import ALL_COMPANIES, CompanyFilter
from models.companies.company_list import BY_NAME, ListedCompany, Sorting
from models.companies.fields import export
from models.companies.filters.conditions import Condition, Operator
from models.database import json, query
from models.organizations import organizations

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)


@dataclass(frozen=True)
class ListCompany:
    """A company of a test; `days` since its status changed, `quiet` days since its last event."""

    id: str
    name: str = "Acme"
    status: str = "Healthy"
    score: int | None = 100
    days: float | None = None
    quiet: float | None = 1
    traits: dict[str, Any] | None = None
    crm_provider: str | None = None
    owner: str | None = None
    value: Decimal | None = None
    renews_on: date | None = None


def organization(name: str = "o") -> int:
    return organizations.create(name).id


def add(organization_id: int, *companies: ListCompany) -> list[int]:
    return [_add(organization_id, company) for company in companies]


def _add(organization_id: int, company: ListCompany) -> int:
    changed_at = None if company.days is None else NOW - timedelta(days=company.days)
    rows = query(
        "insert into companies (organization_id, external_id, name, health_status, score,"
        " changed_at, first_seen_at, traits, last_event_at, crm_provider, owner, value, renews_on)"
        " values (%(org)s, %(id)s, %(name)s, %(status)s, %(score)s, %(changed_at)s, %(first)s,"
        " %(traits)s, %(last)s, %(crm_provider)s, %(owner)s, %(value)s, %(renews_on)s)"
        " returning id",
        {
            "org": organization_id,
            **vars(company),
            "changed_at": changed_at,
            "first": NOW - timedelta(days=100),
            "traits": json(company.traits or {}),
            "last": None if company.quiet is None else NOW - timedelta(days=company.quiet),
        },
    )
    row_id: int = rows[0]["id"]
    return row_id


def ids(listed: Sequence[ListedCompany]) -> list[str]:
    return [company.id for company in listed]


def field_is(name: str, *texts: str) -> Condition:
    """Return a condition on a field, as `dashboard.filters` reads it from a query string."""
    filters = [FieldFilter(f"field.{name}", Verb.IS, text) for text in texts]
    if not filters:
        return Condition(f"field.{name}", Operator.IS, ())
    [condition] = conditions(filters, (), NOW.date())
    return condition


def matches(organization_id: int, **given: Any) -> list[str]:
    page = company_list.read_page(organization_id, CompanyFilter(**given))
    assert page.total == len(page.companies)
    assert ids(exported(organization_id, CompanyFilter(**given))) == ids(page.companies)
    return ids(page.companies)


def exported(
    organization_id: int, company_filter: CompanyFilter = ALL_COMPANIES, sorting: Sorting = BY_NAME
) -> list[ListedCompany]:
    found = export.find(organization_id, company_filter, sorting, most_fields=10)
    return [
        company
        for chunk in found.chunks
        for company in company_list.read(organization_id, chunk, company_filter)
    ]


def walk(
    organization_id: int, company_filter: CompanyFilter, sorting: Sorting, limit: int
) -> list[str]:
    walked: list[str] = []
    cursor = None
    while True:
        page = company_list.read_page(
            organization_id, company_filter, sorting, after=cursor, limit=limit
        )
        walked += ids(page.companies)
        assert len(page.companies) <= limit
        if page.next is None:
            assert page.total == len(walked)
            return walked
        cursor = page.next
