"""Queries of the worklist, their query strings, and their orders."""

from hypothesis import given
from hypothesis import strategies as st

from dashboard.pages.worklist.query import DUE, SHOWN, TITLES, WHOSE, WorklistQuery
from models.health.work_items.item_order import Order, Sorting
from rules.team import NO_TEAM, TeamFields

TEAM = TeamFields(owner=("owner",), value=("arr",), renewal=("renewal",))
CLOSED = WorklistQuery(state="closed")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(str.strip)
sorts = st.sampled_from([f"{sign}{column}" for column in TITLES for sign in ("", "-")])
queries = st.builds(
    WorklistQuery,
    whose=st.sampled_from(sorted(WHOSE)),
    state=st.sampled_from(["", *list(SHOWN)[1:]]),
    status=texts,
    flag=texts,
    owner=texts | st.just("mine"),
    due=st.sampled_from(["", *DUE]),
)


@given(queries, sorts)
def test_a_query_string_is_parsed_as_the_same_query(query: WorklistQuery, sort: str) -> None:
    query = query.sorted_as(sort)
    parsed = WorklistQuery.from_query(query.query_string)
    assert parsed == query
    assert parsed.query_string == query.query_string


@given(queries, sorts)
def test_an_order_reverses_and_keeps_the_rest_of_the_query(query: WorklistQuery, sort: str) -> None:
    query = query.sorted_as(sort)
    assert query.reversed() != query
    assert query.reversed().reversed() == query
    assert query.reversed().having(sort="") == query.having(sort="")


def test_the_usual_order_has_no_parameter() -> None:
    assert WorklistQuery.from_query("sort=-status") == WorklistQuery()
    assert WorklistQuery.from_query("sort=-closed&state=closed") == CLOSED
    assert WorklistQuery().sorting(["a"]) == Sorting(Order.STATUS, statuses=("a",))
    assert CLOSED.sorting(()) == Sorting(Order.CLOSED)


def test_an_order_that_a_list_does_not_have_is_the_usual_one() -> None:
    assert WorklistQuery.from_query("sort=-closed") == WorklistQuery()
    assert WorklistQuery.from_query("sort=name").sort == ""
    assert CLOSED.having(sort="due") == CLOSED
    assert WorklistQuery(sort="due").having(state="closed") == CLOSED
    assert WorklistQuery(sort="-value").sortable(NO_TEAM) == WorklistQuery()
    assert WorklistQuery(sort="-value").sortable(TEAM).sort == "-value"


def test_the_first_click_sorts_by_the_worst_the_soonest_or_the_oldest() -> None:
    query = WorklistQuery()
    sorted_by = {column: query.sorted_by(column).order for column in query.columns}
    assert sorted_by == {
        "status": "status", "raised": "raised", "value": "-value", "renewal": "renewal",
        "due": "due",
    }  # fmt: skip
    assert query.sorted_by("due").sorted_by("due").order == "-due"
    assert query.direction("status") == "descending"
    assert query.sorted_by("due").direction("status") == "none"


def test_a_phone_offers_the_orders_whose_fields_the_rules_name() -> None:
    assert WorklistQuery(sort="-due").offered_orders(TEAM) == [
        ("-status", "Status"), ("raised", "Raised"), ("-value", "Value"), ("renewal", "Renewal"),
        ("-due", "Due"),
    ]  # fmt: skip
    assert CLOSED.offered_orders(NO_TEAM) == [
        ("-status", "Status"), ("raised", "Raised"), ("-closed", "Closed"),
    ]  # fmt: skip
