"""A list of companies and its address say the same."""

from hypothesis import given
from hypothesis import strategies as st

from dashboard.pages.companies.query import CompanyQuery
from models.companies.company_filter import CompanyFilter
from models.companies.company_list import Order

STATUSES = ("Healthy", "At Risk", "Critical")

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
said = st.one_of(st.just(""), texts.map(str.strip))
queries = st.builds(
    CompanyQuery,
    text=said,
    status=said,
    flag=texts,
    flag_status=said,
    fields=st.lists(st.tuples(texts, st.one_of(st.just(""), texts)), max_size=4).map(
        lambda fields: tuple(sorted(set(fields)))
    ),
    sort=st.sampled_from(["-status", "status", "name", "-name", "score", "-last-event", "since"]),
)


@given(queries)
def test_the_address_of_a_list_is_read_back_as_the_same_list(query: CompanyQuery) -> None:
    read = CompanyQuery.from_query(query.query_string)
    assert read == query
    assert read.query_string == query.query_string


@given(st.text(max_size=60))
def test_any_address_is_a_list_whose_own_address_says_the_same(text: str) -> None:
    query = CompanyQuery.from_query(text.encode("utf-8", "replace").decode())
    assert CompanyQuery.from_query(query.query_string) == query
    query.filter(STATUSES)
    query.sorting(STATUSES)


def test_without_parameters_it_is_all_companies_the_worst_first() -> None:
    query = CompanyQuery.from_query("")
    assert (query.query_string, query.is_filtered) == ("", False)
    assert query.filter(STATUSES) == CompanyFilter()
    sorting = query.sorting(STATUSES)
    assert (sorting.by, sorting.descending) == (Order.STATUS, True)


def test_a_flag_without_a_status_stands_at_any_but_the_best() -> None:
    query = CompanyQuery.from_query("flag=Usage")
    assert query.filter(STATUSES).flag_statuses == ("At Risk", "Critical")
    assert (
        CompanyQuery.from_query("flag=Usage&flag_status=N/A").filter(STATUSES).flag_statuses == ()
    )


def test_values_of_one_field_are_alternatives() -> None:
    query = CompanyQuery.from_query("field.plan=Pro&field.plan=Free&field.seats=5")
    assert dict(query.filter(STATUSES).fields) == {"plan": ("Free", "Pro"), "seats": ("5", 5)}


def test_a_second_click_on_a_head_turns_the_order_around() -> None:
    query = CompanyQuery().sorted_by("since")
    assert (query.sort, query.direction("since")) == ("-since", "descending")
    assert query.sorted_by("since").sort == "since"
    assert query.sorted_by("name").sort == "name"
    assert query.sorted_by("name").sorted_by("name").sort == "-name"
