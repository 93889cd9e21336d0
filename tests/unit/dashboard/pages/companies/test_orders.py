"""The orders of the list of companies that a phone offers."""

from dashboard.pages.companies.columns import Column
from dashboard.pages.companies.orders import orders_of
from dashboard.pages.companies.query import CompanyQuery

COLUMNS = [Column("status"), Column("why"), Column("value"), Column("field.plan")]


def test_each_column_that_sorts_is_offered_as_its_title_sorts_it_at_first() -> None:
    assert orders_of(CompanyQuery(), COLUMNS) == [
        ("name", "Company"), ("-status", "Status"), ("-value", "Value"), ("field.plan", "plan"),
    ]  # fmt: skip


def test_the_present_order_is_offered_as_it_is_also_by_a_column_that_is_not_shown() -> None:
    assert ("value", "Value") in orders_of(CompanyQuery(sort="value"), COLUMNS)
    assert orders_of(CompanyQuery(sort="-renewal"), COLUMNS)[-1] == ("-renewal", "Renewal")


def test_an_order_reverses_and_keeps_the_rest_of_the_query() -> None:
    query = CompanyQuery(text="acme", sort="-value")
    assert query.reversed() == CompanyQuery(text="acme", sort="value")
    assert query.reversed().reversed() == query
