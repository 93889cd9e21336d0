"""Queries of companies, and their query strings."""

from hypothesis import given
from hypothesis import strategies as st

from dashboard.pages.companies.query import CompanyQuery
from models.companies.company_filter import CompanyFilter
from models.companies.company_list import Order

STATUSES = ("Healthy", "At Risk", "Critical")
ANN = ("ann@acme.com", "Ann")

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
values = st.one_of(st.just(""), texts.map(str.strip))
queries = st.builds(
    CompanyQuery,
    text=values,
    status=values,
    flag=texts,
    flag_status=values,
    owner=values,
    fields=st.lists(st.tuples(texts, st.one_of(st.just(""), texts)), max_size=4).map(
        lambda fields: tuple(sorted(set(fields)))
    ),
    sort=st.sampled_from(["-status", "status", "-name", "score", "-last-event", "owner", "-value"]),
)


@given(queries)
def test_a_query_string_is_parsed_as_the_same_query(query: CompanyQuery) -> None:
    parsed = CompanyQuery.from_query(query.query_string)
    assert parsed == query
    assert parsed.query_string == query.query_string


@given(st.text(max_size=60))
def test_any_text_is_a_query_with_a_stable_query_string(text: str) -> None:
    query = CompanyQuery.from_query(text.encode("utf-8", "replace").decode())
    assert CompanyQuery.from_query(query.query_string) == query
    query.filter(STATUSES, ANN)
    query.sorting(STATUSES)


def test_without_parameters_all_companies_are_listed_worst_first() -> None:
    query = CompanyQuery.from_query("")
    assert (query.query_string, query.is_filtered) == ("", False)
    assert query.filter(STATUSES, ANN) == CompanyFilter()
    sorting = query.sorting(STATUSES)
    assert (sorting.by, sorting.descending) == (Order.STATUS, True)


def test_a_flag_without_a_status_matches_all_but_the_best_status() -> None:
    query = CompanyQuery.from_query("flag=Usage")
    assert query.filter(STATUSES, ANN).flag_statuses == ("At Risk", "Critical")
    waiting = CompanyQuery.from_query("flag=Usage&flag_status=N/A")
    assert waiting.filter(STATUSES, ANN).flag_statuses == ()


def test_the_owner_me_is_the_reader_and_stays_me_in_the_query_string() -> None:
    mine = CompanyQuery.from_query("owner=me")
    assert (mine.query_string, mine.is_filtered) == ("owner=me", True)
    assert mine.filter(STATUSES, ANN).owners == ANN
    assert CompanyQuery.from_query("owner=Ben+").filter(STATUSES, ANN).owners == ("Ben",)
    assert CompanyQuery.from_query("owner=").filter(STATUSES, ANN).owners == ()


def test_values_of_one_field_are_alternatives() -> None:
    query = CompanyQuery.from_query("field.plan=Pro&field.plan=Free&field.seats=5")
    assert dict(query.filter(STATUSES, ANN).fields) == {"plan": ("Free", "Pro"), "seats": ("5", 5)}


def test_sorting_twice_by_a_column_reverses_the_order() -> None:
    query = CompanyQuery().sorted_by("since")
    assert (query.sort, query.direction("since")) == ("-since", "descending")
    assert query.sorted_by("since").sort == "since"
    assert query.sorted_by("name").sort == "name"
    assert query.sorted_by("name").sorted_by("name").sort == "-name"


def test_a_query_has_at_most_20_filters_by_fields() -> None:
    query = CompanyQuery.from_query("&".join(f"field.a{n}=b" for n in range(500)))
    assert len(query.fields) == 20
