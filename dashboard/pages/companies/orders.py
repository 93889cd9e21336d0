"""The orders of the list of companies to choose from where its columns have no titles."""

from collections.abc import Sequence

from dashboard.pages.companies.columns import Column
from dashboard.pages.companies.query import DESCENDING_FIRST, CompanyQuery
from dashboard.web import sort_order

COMPANY = "name"


def orders_of(query: CompanyQuery, columns: Sequence[Column]) -> list[tuple[str, str]]:
    """Return the values of `sort` with the titles of the columns: those shown, and the present one.

    A column has the direction that the first click on its title would give it.
    """
    titles = {COMPANY: "Company"} | {c.name: c.title for c in columns if c.can_sort}
    present = sort_order.column_of(query.sort)
    titles.setdefault(present, Column(present).title)
    return sort_order.offered(titles, query.sort, DESCENDING_FIRST)
