"""The views of the demo are those that the lists save, and its rules have what they name."""

from datetime import UTC, datetime

import pytest

from dashboard.pages.companies.query import CompanyQuery
from dashboard.pages.worklist.query import WorklistQuery
from demo.customers.organization import create_organization
from models.database import transaction
from models.organizations import organizations
from models.people import memberships, people, saved_views
from models.people.saved_views import ViewedList
from services.accounts.roles import Role
from services.rules.rule_books import RuleBooks

pytestmark = pytest.mark.usefixtures("settings")

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)


def test_each_list_of_the_demo_has_a_shared_view_that_its_rules_can_answer() -> None:
    with transaction():
        administrator = people.create("ann@acme.com", "Ann", None)
        first = organizations.create("default")
        memberships.add(first.id, administrator.id, Role.ADMINISTRATOR)
    demo = create_organization("demo", NOW)
    with transaction():
        reader = people.create("ben@acme.com", "Ben", None)
        memberships.add(demo.id, reader.id, Role.VIEWER)
        [companies] = saved_views.list_visible_to(demo.id, reader.id, ViewedList.COMPANIES)
        [worklist] = saved_views.list_visible_to(demo.id, reader.id, ViewedList.WORKLIST)
        book = RuleBooks().book(demo.id, 2)
    listed = CompanyQuery.from_query(companies.query)
    assert listed.query_string == companies.query
    assert listed == listed.sortable(book.team)
    assert len(listed.filters) == 1
    assert {*listed.flags} <= {*book.flags_by_name}
    items = WorklistQuery.from_query(worklist.query)
    assert items.query_string == worklist.query
    assert items == items.sortable(book.team)
    assert items.status in book.statuses
