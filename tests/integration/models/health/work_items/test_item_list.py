"""Lists of work items equal a plain recount in SQL: in each order, with ties, and page by page."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cursors import UnreadableCursor
from models.database import query
from models.health.work_items import item_list
from models.health.work_items.item_filter import Assigned, Due, ItemFilter, Shown, Unassigned
from models.health.work_items.item_order import Order, Sorting
from tests.support.companies.lists import NOW, ListCompany, add, organization
from tests.support.properties import effort

pytestmark = pytest.mark.usefixtures("in_transaction")

STATUSES = ("Healthy", "At Risk", "Critical")
TODAY = NOW.date()
SINCE = NOW - timedelta(days=30)


@dataclass(frozen=True)
class Item:
    """An item of a company of its own."""

    status: str = "At Risk"
    state: str = "open"
    snoozed: bool = False
    raised_at: datetime = NOW
    owner: str | None = None
    value: Decimal | None = None
    renews_on: date | None = None
    due_on: date | None = None
    company_left: bool = False
    closed_at: datetime | None = None


INSTANTS = st.sampled_from([NOW - timedelta(days=days) for days in (0, 1, 40)])
ITEMS = st.lists(
    st.builds(
        Item,
        status=st.sampled_from(["At Risk", "Critical", "Former"]),
        state=st.sampled_from(["open", "working", "done"]),
        snoozed=st.sampled_from([False, False, True]),
        raised_at=INSTANTS,
        owner=st.none() | st.sampled_from(["Ann", "ann", "Ben"]),
        value=st.none() | st.sampled_from([Decimal("-0.01"), Decimal(0), Decimal("1e14")]),
        renews_on=st.none() | st.sampled_from([date.min, date(1969, 12, 31), date.max]),
        due_on=st.none() | st.sampled_from([TODAY, TODAY + timedelta(days=5), date.max]),
        company_left=st.sampled_from([False, False, True]),
        closed_at=st.none() | INSTANTS,
    ),
    max_size=14,
)
FILTERS = st.builds(
    ItemFilter,
    shown=st.just(Shown.TO_DO) | st.sampled_from(Shown),
    whose=st.sampled_from([None, None, Assigned(0, ("ann",)), Unassigned(("ann",))]),
    status=st.none() | st.just("Critical"),
    due=st.none() | st.sampled_from(Due),
    today=st.just(TODAY),
    closed_since=st.just(SINCE),
) | st.just(ItemFilter(today=TODAY, closed_since=SINCE))
SORTINGS = st.builds(Sorting, st.sampled_from(Order), st.booleans(), st.just(STATUSES))

PLAIN_SHOWN = {
    Shown.TO_DO: "closed_at is null and not snoozed and state <> 'done' and not company_left",
    Shown.SNOOZED: "closed_at is null and snoozed and not company_left",
    Shown.DONE: "closed_at is null and state = 'done' and not company_left",
    Shown.ALL: "closed_at is null",
    Shown.CLOSED: "closed_at >= %(since)s",
    **{
        Shown(state): "closed_at is null and not snoozed and not company_left"
        f" and state = '{state}'"
        for state in ("open", "seen", "working")
    },
}
PLAIN_DUE = {
    None: "true",
    Due.LATE: "due_on < %(today)s",
    Due.TODAY: "due_on = %(today)s",
    Due.WEEK: "due_on between %(today)s and %(today)s + 6",
    Due.NONE: "due_on is null",
}
PLAIN_COLUMN = {
    Order.STATUS: "array_position(%(statuses)s::text[], status)",
    Order.VALUE: "value",
    Order.RENEWAL: "renews_on",
    Order.DUE: "due_on",
    Order.RAISED: "raised_at",
    Order.CLOSED: "closed_at",
}


def plain_whose(whose: Assigned | Unassigned | None) -> str:
    if whose is None:
        return "true"
    return (
        "lower(owner) = 'ann'"
        if isinstance(whose, Assigned)
        else "lower(owner) is distinct from 'ann'"
    )


def recount(organization_id: int, item_filter: ItemFilter, sorting: Sorting) -> list[int]:
    """Return the ids of the items of a filter in an order."""
    direction = "desc" if sorting.descending else "asc"
    last = "last" if sorting.by is not Order.STATUS or sorting.descending else "first"
    rows = query(
        f"""
        select id from work_items where organization_id = %(org)s
            and {PLAIN_SHOWN[item_filter.shown]} and {PLAIN_DUE[item_filter.due]}
            and {plain_whose(item_filter.whose)}
            and (%(status)s::text is null or status = %(status)s)
        order by {PLAIN_COLUMN[sorting.by]} {direction} nulls {last},
            array_position(%(statuses)s::text[], status) desc nulls last,
            value desc nulls last, id desc
        """,
        {
            "org": organization_id,
            "statuses": list(STATUSES),
            "status": item_filter.status,
            "today": TODAY,
            "since": SINCE,
        },
    )
    return [row["id"] for row in rows]


def add_items(organization_id: int, items: list[Item]) -> None:
    companies = add(organization_id, *(ListCompany(f"c{number}") for number in range(len(items))))
    for company_id, item in zip(companies, items, strict=True):
        given_: dict[str, Any] = {
            "organization_id": organization_id,
            "company_id": company_id,
            "flag": "Quiet",
            "opened_at": item.raised_at,
            **vars(item),
        }
        names = ", ".join(given_)
        places = ", ".join(f"%({name})s" for name in given_)
        query(f"insert into work_items ({names}) values ({places}) returning id", given_)


def walk(organization_id: int, item_filter: ItemFilter, sorting: Sorting, limit: int) -> list[int]:
    walked: list[int] = []
    cursor = None
    while True:
        page = item_list.read_page(organization_id, item_filter, sorting, after=cursor, limit=limit)
        walked += [item.id for item in page.items]
        assert len(page.items) <= limit
        cursor = page.next
        if cursor is None:
            return walked


@effort(6)
@given(ITEMS, FILTERS, SORTINGS, st.integers(1, 5))
def test_all_pages_together_are_the_whole_list_in_order(
    items: list[Item], item_filter: ItemFilter, sorting: Sorting, limit: int
) -> None:
    query("delete from work_items; delete from companies; delete from organizations")
    o, other = organization(), organization("other")
    add_items(o, items)
    add_items(other, [Item(), Item(status="Critical")])
    expected = recount(o, item_filter, sorting)
    assert walk(o, item_filter, sorting, limit) == expected
    assert item_list.list_ids_in_order(o, item_filter, sorting) == expected
    assert item_list.list_ids_in_order(o, item_filter, sorting, most=limit) == expected[:limit]
    assert item_list.count(o, item_filter) == len(expected)


def test_items_without_a_value_come_last_in_both_directions() -> None:
    o = organization()
    add_items(o, [Item(value=value) for value in (None, Decimal(5), Decimal(-5))])
    for descending, values in ((True, [5, -5, None]), (False, [-5, 5, None])):
        page = item_list.read_page(o, ItemFilter(), Sorting(Order.VALUE, descending))
        assert [item.value for item in page.items] == values


def test_a_cursor_of_another_order_is_refused() -> None:
    o = organization()
    add_items(o, [Item(), Item()])
    cursor = item_list.read_page(o, ItemFilter(), Sorting(Order.DUE), limit=1).next
    assert cursor
    for sorting in (Sorting(), Sorting(Order.DUE, descending=False), Sorting(Order.RENEWAL)):
        with pytest.raises(UnreadableCursor):
            item_list.read_page(o, ItemFilter(), sorting, after=cursor)
