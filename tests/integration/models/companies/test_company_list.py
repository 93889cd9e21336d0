"""Lists of companies hold what a filter wants, in order, each company once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.companies import company_counts, company_list, field_names
from models.companies.company_counts import StatusCount
from models.companies.company_filter import ALL_COMPANIES, CompanyFilter, possible_values
from models.companies.company_list import BY_NAME, ListedCompany, Order, Sorting
from models.cursors import UnreadableCursor
from models.database import json, query
from models.organizations import organizations

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)
STATUSES = ("Healthy", "At Risk", "Critical")

pytestmark = pytest.mark.usefixtures("in_transaction")


@dataclass(frozen=True)
class Given:
    """A company as a test wants it; `days` since its status changed, `quiet` since an event."""

    id: str
    name: str = "Acme"
    status: str = "Healthy"
    score: int | None = 100
    days: float | None = None
    quiet: float | None = 1
    traits: dict[str, Any] | None = None
    crm_provider: str | None = None


def organization(name: str = "o") -> int:
    return organizations.create(name).id


def add(organization_id: int, *companies: Given) -> list[int]:
    return [_add(organization_id, company) for company in companies]


def _add(organization_id: int, one: Given) -> int:
    changed_at = None if one.days is None else NOW - timedelta(days=one.days)
    rows = query(
        "insert into companies (organization_id, external_id, name, health_status, score,"
        " changed_at, first_seen_at, traits, last_event_at, crm_provider) values (%(org)s, %(id)s,"
        " %(name)s, %(status)s, %(score)s, %(changed_at)s, %(first)s, %(traits)s, %(last)s,"
        " %(crm_provider)s) returning id",
        {
            "org": organization_id,
            **vars(one),
            "changed_at": changed_at,
            "first": NOW - timedelta(days=100),
            "traits": json(one.traits or {}),
            "last": None if one.quiet is None else NOW - timedelta(days=one.quiet),
        },
    )
    row_id: int = rows[0]["id"]
    return row_id


def ids(listed: Sequence[ListedCompany]) -> list[str]:
    return [company.id for company in listed]


def found(organization_id: int, **wanted: Any) -> list[str]:
    page = company_list.read_page(organization_id, CompanyFilter(**wanted))
    assert page.total == len(page.companies)
    assert ids(exported(organization_id, CompanyFilter(**wanted))) == ids(page.companies)
    return ids(page.companies)


def exported(
    organization_id: int, wanted: CompanyFilter = ALL_COMPANIES, sorting: Sorting = BY_NAME
) -> list[ListedCompany]:
    parts = company_list.list_ids_in_order(organization_id, wanted, sorting)
    return [one for part in parts for one in company_list.read(organization_id, part, wanted)]


def walk(organization_id: int, wanted: CompanyFilter, sorting: Sorting, limit: int) -> list[str]:
    walked: list[str] = []
    place = None
    while True:
        page = company_list.read_page(organization_id, wanted, sorting, after=place, limit=limit)
        walked += ids(page.companies)
        assert len(page.companies) <= limit
        if page.next is None:
            assert page.total == len(walked)
            return walked
        place = page.next


# Search


@pytest.mark.parametrize("text", ["acme", "ACME", "cme co", "Corp", "_42", "CO_4", "o"])
def test_a_part_of_the_name_or_id_finds_a_company_in_any_case(text: str) -> None:
    o = organization()
    add(o, Given("co_42", "Acme Corp"), Given("x", "Umbr"))
    assert found(o, text=text) == ["co_42"]


@pytest.mark.parametrize("text", ["%", "_", "\\", "Acme%"])
def test_signs_of_patterns_stand_for_themselves(text: str) -> None:
    o = organization()
    add(o, Given("plain", "Acme"), Given("odd", f"Acme {text} Inc"))
    assert found(o, text=text) == ["odd"]


def test_a_text_with_a_nul_character_finds_nothing() -> None:
    o = organization()
    add(o, Given("a"))
    assert found(o, text="\0") == []
    assert found(o, fields=(("plan", ("\0",)),)) == []


def test_companies_of_other_organizations_are_never_found() -> None:
    mine, other = organization(), organization("other")
    add(other, Given("theirs", traits={"plan": "Pro"}))
    assert found(mine) == []
    assert found(mine, text="acme") == []
    assert found(mine, fields=(("plan", ("Pro",)),)) == []
    assert company_counts.count_recent_by_status(mine, NOW) == []
    assert field_names.list_names(mine) == []


# Filters


def test_a_status_filters() -> None:
    o = organization()
    add(o, Given("a"), Given("b", status="At Risk"), Given("c", status="At Risk"))
    assert found(o, status="At Risk") == ["b", "c"]


def test_the_status_of_a_flag_filters() -> None:
    o = organization()
    healthy, raised, waits, _without = add(o, *(Given(name) for name in "abcd"))
    for company_id, status in ((healthy, "Healthy"), (raised, "At Risk"), (waits, None)):
        query(
            "insert into flag_states (organization_id, company_id, flag, status, changed_at)"
            " values (%(o)s, %(id)s, 'Quiet', %(status)s, now())",
            {"o": o, "id": company_id, "status": status},
        )
    assert found(o, flag="Quiet", flag_status="At Risk") == ["b"]
    assert found(o, flag="Quiet", flag_status="N/A") == ["c"]
    assert found(o, flag="Other", flag_status="At Risk") == []


def test_custom_and_core_fields_filter_together() -> None:
    o = organization()
    add(
        o,
        Given("a", traits={"plan": "Pro", "seats": 5}, crm_provider="salesforce"),
        Given("b", traits={"plan": "Pro", "seats": 6}, crm_provider="salesforce"),
        Given("c", traits={"plan": "Free", "seats": 5}),
    )
    assert found(o, fields=(("plan", ("Pro",)), ("seats", (5,)))) == ["a"]
    assert found(o, fields=(("plan", ("Pro", "Free")),)) == ["a", "b", "c"]
    assert found(o, fields=(("crm_provider", ("salesforce",)), ("seats", (6,)))) == ["b"]
    assert found(o, fields=(("plan", ()),)) == []


@pytest.mark.parametrize(
    ("text", "value"), [("5", 5), ("5", "5"), ("true", True), ("Pro", "Pro"), ('"x"', '"x"')]
)
def test_what_a_person_typed_finds_the_value_that_it_spells(text: str, value: Any) -> None:
    o = organization()
    add(o, Given("a", traits={"f": value}), Given("b", traits={"f": "other"}))
    assert found(o, fields=(("f", possible_values(text)),)) == ["a"]


# Order and pages


def test_names_are_in_order_whatever_their_case() -> None:
    o = organization()
    add(o, Given("1", "beta"), Given("2", "Alpha"), Given("3", "Gamma"), Given("4", "alpha"))
    assert found(o) == ["2", "4", "1", "3"]


def test_the_worst_status_comes_first_and_in_it_who_came_to_it_last() -> None:
    o = organization()
    add(
        o,
        Given("a", status="Healthy", days=1),
        Given("b", status="Critical", days=9),
        Given("c", status="Critical", days=3),
        Given("d", status="At Risk", days=5),
        Given("e", status="Of old rules", days=5),
    )
    sorting = Sorting(Order.STATUS, descending=True, statuses=STATUSES)
    assert walk(o, CompanyFilter(), sorting, 2) == ["c", "b", "d", "a", "e"]


def test_a_company_whose_status_never_changed_has_it_since_it_was_first_seen() -> None:
    o = organization()
    add(o, Given("a"))
    [listed] = company_list.read_page(o).companies
    assert listed.since == NOW - timedelta(days=100)


def test_the_last_event_is_told_to_the_microsecond() -> None:
    o = organization()
    add(o, Given("a", quiet=0.123456789), Given("b", quiet=None))
    listed = company_list.read_page(o).companies
    assert [one.last_event_at for one in listed] == [NOW - timedelta(days=0.123456789), None]


companies = st.lists(
    st.builds(
        Given,
        id=st.just(""),
        name=st.sampled_from(["Acme", "acme", "Beta", "Ümlaut", "Z"]),
        status=st.sampled_from([*STATUSES, "Former"]),
        score=st.none() | st.sampled_from([0, 50, 100]),
        days=st.none() | st.sampled_from([0.0, 1.0, 2.0]),
        quiet=st.none() | st.sampled_from([0.0, 1.0, 2.0]),
        traits=st.sampled_from([{}, {"plan": "Pro"}]),
    ),
    max_size=12,
)
filters = st.builds(
    CompanyFilter,
    text=st.none() | st.sampled_from(["a", "acme"]),
    status=st.none() | st.sampled_from(STATUSES),
    fields=st.sampled_from([(), (("plan", ("Pro",)),)]),
)


def key(one: Given, by: Order) -> Any:
    since = -(100 if one.days is None else one.days)
    return {
        Order.STATUS: (STATUSES.index(one.status) + 1 if one.status in STATUSES else 0, since),
        Order.SCORE: -1 if one.score is None else one.score,
        Order.SINCE: since,
        Order.LAST_EVENT: -1e9 if one.quiet is None else -one.quiet,
    }[by]


@given(companies, filters, st.sampled_from(Order), st.booleans(), st.integers(1, 5))
def test_pages_put_together_are_the_whole_list_in_its_order(
    given_: list[Given],
    wanted: CompanyFilter,
    by: Order,
    descending: bool,  # noqa: FBT001 -- hypothesis hands it by position
    limit: int,
) -> None:
    query("delete from companies; delete from organizations")
    o = organization()
    numbered = [Given(**{**vars(one), "id": f"c{n:02}"}) for n, one in enumerate(given_)]
    add(o, *numbered)
    sorting = Sorting(by, descending, STATUSES)
    walked = walk(o, wanted, sorting, limit)
    assert ids(exported(o, wanted, sorting)) == walked
    expected = [
        one
        for one in numbered
        if (wanted.text is None or wanted.text in one.name.lower() or wanted.text in one.id)
        and wanted.status in (None, one.status)
        and (not wanted.fields or one.traits == {"plan": "Pro"})
    ]
    assert sorted(walked) == sorted(one.id for one in expected)
    if by is not Order.NAME:
        by_id = {one.id: one for one in numbered}
        expected.sort(key=lambda one: (key(one, by), one.id), reverse=descending)
        assert [key(by_id[name], by) for name in walked] == [key(one, by) for one in expected]
        assert walked == [one.id for one in expected]


@pytest.mark.parametrize("place", ["", "x", "WzFd", "bnVsbA", "é", "A" * 5_000])
def test_a_place_that_was_never_given_is_refused(place: str) -> None:
    with pytest.raises(UnreadableCursor):
        company_list.read_page(organization(), after=place)


def test_a_place_in_another_order_is_refused() -> None:
    o = organization()
    add(o, Given("a"), Given("b"))
    place = company_list.read_page(o, limit=1).next
    assert place
    with pytest.raises(UnreadableCursor):
        company_list.read_page(o, CompanyFilter(), Sorting(Order.SCORE), after=place)


# Numbers


def test_companies_are_counted_by_status_and_by_how_long_they_are_at_it() -> None:
    o = organization()
    add(
        o,
        Given("a", days=0.5),
        Given("b", days=2),
        Given("c", days=10),
        Given("d"),
        Given("e", status="Critical", days=0.1),
    )
    counts = {one.status: one for one in company_counts.count_recent_by_status(o, NOW)}
    assert counts == {
        "Healthy": StatusCount("Healthy", 4, 1, 2, 3),
        "Critical": StatusCount("Critical", 1, 1, 1, 1),
    }


def test_custom_fields_are_told_by_how_many_have_them() -> None:
    o = organization()
    add(o, Given("a", traits={"plan": "Pro", "seats": 1}), Given("b", traits={"seats": 2}))
    assert field_names.list_names(o) == ["seats", "plan"]


def test_every_field_is_told_for_an_export_also_those_that_only_an_old_company_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(field_names, "SAMPLE_SIZE", 1)
    o = organization()
    add(o, Given("a", traits={"plan": "Pro", "beta": None}), Given("b", traits={"seats": 2}))
    add(organization("other"), Given("c", traits={"theirs": 1}))
    assert field_names.list_for_filter(o) == ["beta", "plan", "seats"]
    assert field_names.list_for_filter(o, CompanyFilter(fields=(("seats", (2,)),))) == ["seats"]
    assert field_names.list_for_filter(o, CompanyFilter(text="nobody")) == []


def test_a_company_of_the_longest_name_id_and_status_is_listed_by_name() -> None:
    o = organization()
    # Characters of four bytes, all different, so that nothing makes them shorter.
    longest = ["".join(chr(0x20000 + 200 * n + k) for k in range(200)) for n in range(3)]
    add(o, Given(longest[0], longest[1], longest[2]))
    page = company_list.read_page(o, CompanyFilter(status=longest[2]))
    assert [(one.id, one.name) for one in page.companies] == [(longest[0], longest[1])]


@pytest.mark.parametrize("order", Order)
def test_numbers_by_status_are_of_all_that_the_other_filters_find(order: Order) -> None:
    o = organization()
    add(
        o,
        Given("a1"),
        Given("a2", status="At Risk"),
        Given("a3", status="At Risk"),
        Given("b", "Bob", status="Critical"),
    )
    sorting = Sorting(order, statuses=STATUSES)
    everywhere = company_list.read_page(o, sorting=sorting)
    assert everywhere.counts == {"Healthy": 1, "At Risk": 2, "Critical": 1}
    for wanted in (CompanyFilter(status="At Risk"), CompanyFilter(status="Gone")):
        assert company_list.read_page(o, wanted, sorting).counts == everywhere.counts
    some = company_list.read_page(o, CompanyFilter(text="a", status="At Risk"), sorting, limit=1)
    assert (some.counts, some.total) == ({"Healthy": 1, "At Risk": 2}, 2)
    assert company_list.read_page(o, CompanyFilter(text="nobody"), sorting).counts == {}
