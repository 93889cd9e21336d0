"""A list of companies and its address say the same."""

from hypothesis import given
from hypothesis import strategies as st

from dashboard.pages.companies.query import Listing
from models.companies.company_filter import Filter
from models.companies.company_list import Order

STATUSES = ("Healthy", "At Risk", "Critical")

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
said = st.one_of(st.just(""), texts.map(str.strip))
listings = st.builds(
    Listing,
    text=said,
    status=said,
    flag=texts,
    flag_status=said,
    fields=st.lists(st.tuples(texts, st.one_of(st.just(""), texts)), max_size=4).map(
        lambda fields: tuple(sorted(set(fields)))
    ),
    sort=st.sampled_from(["-status", "status", "name", "-name", "score", "-last-event", "since"]),
)


@given(listings)
def test_the_address_of_a_list_is_read_back_as_the_same_list(listing: Listing) -> None:
    read = Listing.from_query(listing.query)
    assert read == listing
    assert read.query == listing.query


@given(st.text(max_size=60))
def test_any_address_is_a_list_whose_own_address_says_the_same(query: str) -> None:
    listing = Listing.from_query(query.encode("utf-8", "replace").decode())
    assert Listing.from_query(listing.query) == listing
    listing.filter(STATUSES)
    listing.sorting(STATUSES)


def test_without_parameters_it_is_all_companies_the_worst_first() -> None:
    listing = Listing.from_query("")
    assert (listing.query, listing.is_filtered) == ("", False)
    assert listing.filter(STATUSES) == Filter()
    sorting = listing.sorting(STATUSES)
    assert (sorting.by, sorting.descending) == (Order.STATUS, True)


def test_a_flag_without_a_status_stands_at_any_but_the_best() -> None:
    listing = Listing.from_query("flag=Usage")
    assert listing.filter(STATUSES).flag_statuses == ("At Risk", "Critical")
    assert Listing.from_query("flag=Usage&flag_status=N/A").filter(STATUSES).flag_statuses == ()


def test_values_of_one_field_are_alternatives() -> None:
    listing = Listing.from_query("field.plan=Pro&field.plan=Free&field.seats=5")
    assert dict(listing.filter(STATUSES).fields) == {"plan": ("Free", "Pro"), "seats": ("5", 5)}


def test_a_second_click_on_a_head_turns_the_order_around() -> None:
    listing = Listing().sorted_by("since")
    assert (listing.sort, listing.direction("since")) == ("-since", "descending")
    assert listing.sorted_by("since").sort == "since"
    assert listing.sorted_by("name").sort == "name"
    assert listing.sorted_by("name").sorted_by("name").sort == "-name"
