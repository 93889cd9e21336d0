"""Queries of companies, and their query strings."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from dashboard.filters.field_filters import FieldFilter, Verb
from dashboard.pages.companies.query import CompanyQuery
from models.companies.company_filter import CompanyFilter
from models.companies.company_list import Order

STATUSES = ("Healthy", "At Risk", "Critical")
ANN = ("ann@acme.com", "Ann")
TODAY = date(2026, 1, 20)

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
values = st.one_of(st.just(""), texts.map(str.strip))
queries = st.builds(
    CompanyQuery,
    text=values,
    status=values,
    flags=st.sets(texts, min_size=1, max_size=3).map(lambda flags: tuple(sorted(flags))),
    flag_status=values,
    without_flags=st.sets(texts, max_size=2).map(lambda flags: tuple(sorted(flags))),
    filters=st.lists(
        st.builds(
            FieldFilter,
            st.one_of(
                st.sampled_from(["owner", "value", "renewal", "last-event"]),
                texts.map(lambda name: f"field.{name}"),
            ),
            st.sampled_from(Verb),
            values,
        ),
        max_size=4,
    ).map(lambda filters: tuple(sorted(set(filters)))),
    columns=st.lists(
        st.one_of(st.sampled_from(["why", "score"]), texts.map(lambda name: f"field.{name}")),
        unique=True,
        max_size=4,
    ).map(tuple),
    sort=st.sampled_from(
        ["-status", "status", "-name", "score", "-last-event", "owner", "-field.a"]
    ),
)


def operands(query: CompanyQuery) -> list[tuple[str, tuple[str, ...]]]:
    conditions = query.filter(STATUSES, ANN, TODAY).conditions
    return [(c.subject, tuple(operand.text for operand in c.operands)) for c in conditions]


@given(queries)
def test_a_query_string_is_parsed_as_the_same_query(query: CompanyQuery) -> None:
    parsed = CompanyQuery.from_query(query.query_string)
    assert parsed == query
    assert parsed.query_string == query.query_string


@given(st.text(max_size=60))
def test_any_text_is_a_query_with_a_stable_query_string(text: str) -> None:
    query = CompanyQuery.from_query(text.encode("utf-8", "replace").decode())
    assert CompanyQuery.from_query(query.query_string) == query
    query.filter(STATUSES, ANN, TODAY)
    query.sorting(STATUSES)


def test_without_parameters_all_companies_are_listed_worst_first() -> None:
    query = CompanyQuery.from_query("")
    assert (query.query_string, query.is_filtered) == ("", False)
    assert query.filter(STATUSES, ANN, TODAY) == CompanyFilter()
    sorting = query.sorting(STATUSES)
    assert (sorting.by, sorting.descending) == (Order.STATUS, True)


def test_a_flag_without_a_status_matches_all_but_the_best_status() -> None:
    query = CompanyQuery.from_query("flag=Usage")
    assert query.filter(STATUSES, ANN, TODAY).flag_statuses == ("At Risk", "Critical")
    waiting = CompanyQuery.from_query("flag=Usage&flag_status=N/A")
    assert waiting.filter(STATUSES, ANN, TODAY).flag_status == "N/A"


def test_the_owner_me_is_the_reader_and_stays_me_in_the_query_string() -> None:
    mine = CompanyQuery.from_query("owner=me")
    assert (mine.query_string, mine.is_filtered) == ("owner=me", True)
    assert operands(mine) == [("owner", ANN)]
    assert operands(CompanyQuery.from_query("owner=Ben+")) == [("owner", ("Ben",))]
    assert operands(CompanyQuery.from_query("owner=")) == [("owner", ("",))]


def test_values_of_one_field_are_alternatives() -> None:
    query = CompanyQuery.from_query("field.plan=Pro&field.plan=Free&field.seats=5")
    assert operands(query) == [("field.plan", ("Free", "Pro")), ("field.seats", ("5",))]


def test_sorting_twice_by_a_column_reverses_the_order() -> None:
    query = CompanyQuery().sorted_by("since")
    assert (query.sort, query.direction("since")) == ("-since", "descending")
    assert query.sorted_by("since").sort == "since"
    assert query.sorted_by("name").sort == "name"
    assert query.sorted_by("name").sorted_by("name").sort == "-name"


def test_a_query_has_at_most_20_filters_by_fields() -> None:
    query = CompanyQuery.from_query("&".join(f"field.a{n}=b" for n in range(500)))
    assert len(query.filters) == 20


def test_the_words_of_saved_links_stay_what_they_were() -> None:
    link = "q=a&status=Poor&flag=Usage&flag_status=N%2FA&sort=name&owner=me&field.plan=Pro"
    query = CompanyQuery.from_query(f"{link}&field.plan=Free&field.nps=")
    assert (query.text, query.status, query.flags, query.sort) == ("a", "Poor", ("Usage",), "name")
    assert operands(query) == [
        ("field.nps", ("",)),
        ("field.plan", ("Free", "Pro")),
        ("owner", ANN),
    ]


def test_a_column_is_moved_added_and_left_out() -> None:
    usual = ("status", "why", "score")
    moved = CompanyQuery().moving("score", -1, usual)
    assert moved.query_string == "column=status&column=score&column=why"
    assert moved.moving("score", 1, moved.columns).showing(usual, usual).columns == ()
    assert moved.showing(("why",), usual).query_string == "column=why"
