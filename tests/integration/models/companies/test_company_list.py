"""Lists of companies contain the matches of a filter, in order, each company once."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.companies import company_counts, company_list
from models.companies.company_filter import CompanyFilter
from models.companies.company_list import Order, Sorting
from models.companies.fields import field_names
from models.companies.filters.conditions import Condition, Operand, Operator
from models.cursors import UnreadableCursor
from models.database import query
from models.portfolio import present_figures
from models.portfolio.present_figures import PresentFigures
from tests.support.companies.lists import (
    NOW,
    ListCompany,
    add,
    exported,
    field_is,
    ids,
    matches,
    organization,
    walk,
)

STATUSES = ("Healthy", "At Risk", "Critical")

pytestmark = pytest.mark.usefixtures("in_transaction")


def figures(organization_id: int) -> PresentFigures:
    """Return the figures of now."""
    renewal = NOW.date(), timedelta(days=60)
    return present_figures.read(
        organization_id, STATUSES[1:], mine=(), renewal=renewal, most_owners=10
    )


def owner_is(owner: str) -> Condition:
    return Condition("owner", Operator.IS, (Operand(owner),))


# Search


@pytest.mark.parametrize("text", ["acme", "ACME", "cme co", "Corp", "_42", "CO_4", "o"])
def test_a_part_of_the_name_or_id_matches_in_any_case(text: str) -> None:
    o = organization()
    add(o, ListCompany("co_42", "Acme Corp"), ListCompany("x", "Umbr"))
    assert matches(o, text=text) == ["co_42"]


@pytest.mark.parametrize("text", ["%", "_", "\\", "Acme%", "\\x00"])
def test_characters_of_patterns_match_literally(text: str) -> None:
    o = organization()
    add(o, ListCompany("plain", "Acme"), ListCompany("odd", f"Acme {text} Inc"))
    assert matches(o, text=text) == ["odd"]


def test_companies_of_other_organizations_never_match() -> None:
    mine, other = organization(), organization("other")
    add(other, ListCompany("theirs", traits={"plan": "Pro"}))
    assert matches(mine) == []
    assert matches(mine, text="acme") == []
    assert matches(mine, conditions=(field_is("plan", "Pro"),)) == []
    assert figures(mine).all.by_status == {}
    assert field_names.list_names(mine) == []


# Filters


def test_a_status_filters() -> None:
    o = organization()
    add(o, ListCompany("a"), ListCompany("b", status="At Risk"), ListCompany("c", status="At Risk"))
    assert matches(o, status="At Risk") == ["b", "c"]


def test_the_status_of_a_flag_filters() -> None:
    o = organization()
    healthy, raised, waits, _without = add(o, *(ListCompany(name) for name in "abcd"))
    for company_id, status in ((healthy, "Healthy"), (raised, "At Risk"), (waits, None)):
        query(
            "insert into flag_states (organization_id, company_id, flag, status, changed_at)"
            " values (%(o)s, %(id)s, 'Quiet', %(status)s, now())",
            {"o": o, "id": company_id, "status": status},
        )
    assert matches(o, flags=("Quiet",), flag_status="At Risk") == ["b"]
    assert matches(o, flags=("Quiet",), flag_status="N/A") == ["c"]
    assert matches(o, flags=("Other",), flag_status="At Risk") == []


def test_custom_and_core_fields_filter_together() -> None:
    o = organization()
    add(
        o,
        ListCompany("a", traits={"plan": "Pro", "seats": 5}, crm_provider="salesforce"),
        ListCompany("b", traits={"plan": "Pro", "seats": 6}, crm_provider="salesforce"),
        ListCompany("c", traits={"plan": "Free", "seats": 5}),
    )
    assert matches(o, conditions=(field_is("plan", "Pro"), field_is("seats", "5"))) == ["a"]
    assert matches(o, conditions=(field_is("plan", "Pro", "Free"),)) == ["a", "b", "c"]
    assert matches(
        o, conditions=(field_is("crm_provider", "salesforce"), field_is("seats", "6"))
    ) == ["b"]
    assert matches(o, conditions=(field_is("plan"),)) == []


def test_an_owner_filters_in_full_and_regardless_of_case() -> None:
    o = organization()
    add(
        o,
        ListCompany("a", owner="Ann@Acme.com"),
        ListCompany("b", owner="ann@acme.com"),
        ListCompany("c", owner="nann@acme.com"),
        ListCompany("d", owner="Ben"),
        ListCompany("e"),
    )
    assert matches(o, conditions=(owner_is("ANN@acme.com"),)) == ["a", "b"]
    assert matches(o, conditions=(owner_is("%"),)) == []
    [(ann, number), ben] = company_counts.count_by_owner(o, limit=2)
    assert (ann.lower(), number, ben) == ("ann@acme.com", 2, ("Ben", 1))


@pytest.mark.parametrize(
    ("text", "value"), [("5", 5), ("5", "5"), ("true", True), ("Pro", "Pro"), ('"x"', '"x"')]
)
def test_a_typed_text_matches_the_value_that_it_spells(text: str, value: Any) -> None:
    o = organization()
    add(o, ListCompany("a", traits={"f": value}), ListCompany("b", traits={"f": "other"}))
    assert matches(o, conditions=(field_is("f", text),)) == ["a"]


# Order and pages


def test_names_are_sorted_regardless_of_case() -> None:
    o = organization()
    add(
        o,
        ListCompany("1", "beta"),
        ListCompany("2", "Alpha"),
        ListCompany("3", "Gamma"),
        ListCompany("4", "alpha"),
    )
    assert matches(o) == ["2", "4", "1", "3"]


def test_companies_are_sorted_by_the_worst_status_and_then_by_the_latest_change() -> None:
    o = organization()
    add(
        o,
        ListCompany("a", status="Healthy", days=1),
        ListCompany("b", status="Critical", days=9),
        ListCompany("c", status="Critical", days=3),
        ListCompany("d", status="At Risk", days=5),
        ListCompany("e", status="Of old rules", days=5),
    )
    sorting = Sorting(Order.STATUS, descending=True, statuses=STATUSES)
    assert walk(o, CompanyFilter(), sorting, 2) == ["c", "b", "d", "a", "e"]


def test_a_status_that_never_changed_dates_from_the_first_event() -> None:
    o = organization()
    add(o, ListCompany("a"))
    [listed] = company_list.read_page(o).companies
    assert listed.since == NOW - timedelta(days=100)


def test_the_last_event_is_exact_to_the_microsecond() -> None:
    o = organization()
    add(o, ListCompany("a", quiet=0.123456789), ListCompany("b", quiet=None))
    listed = company_list.read_page(o).companies
    assert [company.last_event_at for company in listed] == [
        NOW - timedelta(days=0.123456789),
        None,
    ]


companies = st.lists(
    st.builds(
        ListCompany,
        id=st.just(""),
        name=st.sampled_from(["Acme", "acme", "Beta", "Ümlaut", "Z"]),
        status=st.sampled_from([*STATUSES, "Former"]),
        score=st.none() | st.sampled_from([0, 50, 100]),
        days=st.none() | st.sampled_from([0.0, 1.0, 2.0]),
        quiet=st.none() | st.sampled_from([0.0, 1.0, 2.0]),
        traits=st.sampled_from([{}, {"plan": "Pro"}]),
        owner=st.none() | st.sampled_from(["Ann", "ann", "Ben", "ö"]),
        value=st.none() | st.sampled_from([Decimal("-0.01"), Decimal(0), Decimal("1e14")]),
        renews_on=st.none() | st.sampled_from([date.min, date(1969, 12, 31), date.max]),
    ),
    max_size=12,
)
filters = st.builds(
    CompanyFilter,
    text=st.none() | st.sampled_from(["a", "acme"]),
    status=st.none() | st.sampled_from(STATUSES),
    conditions=st.sampled_from([(), (field_is("plan", "pro"),)]),
)


def key(company: ListCompany, by: Order) -> Any:
    since = -(100 if company.days is None else company.days)
    return {
        Order.STATUS: (
            STATUSES.index(company.status) + 1 if company.status in STATUSES else 0,
            since,
        ),
        Order.SCORE: -1 if company.score is None else company.score,
        Order.SINCE: since,
        Order.LAST_EVENT: -1e9 if company.quiet is None else -company.quiet,
    }[by]


MAY_BE_EMPTY: dict[Order, Callable[[ListCompany], Any]] = {
    Order.OWNER: lambda company: company.owner and company.owner.lower(),
    Order.VALUE: lambda company: company.value,
    Order.RENEWAL: lambda company: company.renews_on,
}


def sorted_with_nothing_last(
    listed: list[ListCompany], by: Order, *, descending: bool
) -> list[ListCompany]:
    column = MAY_BE_EMPTY[by]
    filled = [company for company in listed if column(company) is not None]
    filled.sort(key=lambda company: (column(company), company.id), reverse=descending)
    empty = [company for company in listed if column(company) is None]
    return filled + sorted(empty, key=lambda company: company.id, reverse=descending)


@given(
    companies,
    filters,
    st.sampled_from([order for order in Order if order is not Order.FIELD]),
    st.booleans(),
    st.integers(1, 5),
    st.sampled_from([0, 2, company_list.FEW]),
)
def test_all_pages_together_are_the_whole_list_in_order(
    given_: list[ListCompany],
    company_filter: CompanyFilter,
    by: Order,
    descending: bool,  # noqa: FBT001 -- hypothesis passes it by position
    limit: int,
    few: int,
) -> None:
    query("delete from companies; delete from organizations")
    o = organization()
    numbered = [
        ListCompany(**{**vars(company), "id": f"c{n:02}"}) for n, company in enumerate(given_)
    ]
    add(o, *numbered)
    sorting = Sorting(by, descending, STATUSES)
    with patch.object(company_list, "FEW", few):
        walked = walk(o, company_filter, sorting, limit)
    assert ids(exported(o, company_filter, sorting)) == walked
    expected = [
        company
        for company in numbered
        if (
            company_filter.text is None
            or company_filter.text in company.name.lower()
            or company_filter.text in company.id
        )
        and company_filter.status in (None, company.status)
        and (not company_filter.conditions or company.traits == {"plan": "Pro"})
    ]
    assert sorted(walked) == sorted(company.id for company in expected)
    if by in MAY_BE_EMPTY:
        expected = sorted_with_nothing_last(expected, by, descending=descending)
    elif by is not Order.NAME:
        expected.sort(key=lambda company: (key(company, by), company.id), reverse=descending)
    if by is not Order.NAME:
        assert walked == [company.id for company in expected]


@pytest.mark.parametrize("cursor", ["", "x", "WzFd", "bnVsbA", "é", "A" * 5_000])
def test_a_text_that_is_not_a_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(UnreadableCursor):
        company_list.read_page(organization(), after=cursor)


def test_a_cursor_of_another_order_is_refused() -> None:
    o = organization()
    add(o, ListCompany("a"), ListCompany("b"))
    cursor = company_list.read_page(o, limit=1).next
    assert cursor
    with pytest.raises(UnreadableCursor):
        company_list.read_page(o, CompanyFilter(), Sorting(Order.SCORE), after=cursor)


# Counts and field names


def test_companies_are_counted_by_status() -> None:
    o = organization()
    add(
        o,
        ListCompany("a", days=0.5),
        ListCompany("b", days=2),
        ListCompany("c", days=10),
        ListCompany("d"),
        ListCompany("e", status="Critical", days=0.1),
    )
    counts = {status: amount.companies for status, amount in figures(o).all.by_status.items()}
    assert counts == company_counts.count_by_status(o) == {"Healthy": 4, "Critical": 1}


def test_custom_fields_are_listed_the_most_frequent_first() -> None:
    o = organization()
    add(
        o,
        ListCompany("a", traits={"plan": "Pro", "seats": 1}),
        ListCompany("b", traits={"seats": 2}),
    )
    assert field_names.list_names(o) == ["seats", "plan"]


def test_a_company_of_the_longest_name_id_and_status_is_listed_by_name() -> None:
    o = organization()
    # Characters of four bytes, all different, so that nothing makes them shorter.
    longest = ["".join(chr(0x20000 + 200 * n + k) for k in range(200)) for n in range(3)]
    add(o, ListCompany(longest[0], longest[1], longest[2]))
    page = company_list.read_page(o, CompanyFilter(status=longest[2]))
    assert [(company.id, company.name) for company in page.companies] == [(longest[0], longest[1])]


@pytest.mark.parametrize("order", [order for order in Order if order is not Order.FIELD])
def test_counts_by_status_ignore_the_status_of_the_filter_but_not_its_other_conditions(
    order: Order,
) -> None:
    o = organization()
    add(
        o,
        ListCompany("a1"),
        ListCompany("a2", status="At Risk"),
        ListCompany("a3", status="At Risk"),
        ListCompany("b", "Bob", status="Critical"),
    )
    sorting = Sorting(order, statuses=STATUSES)
    everywhere = company_list.read_page(o, sorting=sorting)
    assert everywhere.counts == {"Healthy": 1, "At Risk": 2, "Critical": 1}
    for company_filter in (CompanyFilter(status="At Risk"), CompanyFilter(status="Gone")):
        assert company_list.read_page(o, company_filter, sorting).counts == everywhere.counts
    page = company_list.read_page(o, CompanyFilter(text="a", status="At Risk"), sorting, limit=1)
    assert (page.counts, page.total) == ({"Healthy": 1, "At Risk": 2}, 2)
    assert company_list.read_page(o, CompanyFilter(text="nobody"), sorting).counts == {}
