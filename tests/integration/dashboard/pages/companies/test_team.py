"""The owner, value, renewal and raised flags of companies in the list and its export."""

import csv
import io
import re

import pytest
from werkzeug.test import TestResponse

from models.organizations.organizations import Organization
from tests.support.dashboard.application import Browser, Dashboard, text_of, without_isolation
from tests.support.dashboard.customers import RULES, Customers

TEAM = "team: {owner: company.owner, value: company.arr, renewal: company.renews}\n"


class Acme:
    """An organization whose rules name the fields of the team, and the browser of Ann."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.dashboard = dashboard
        self.organization: Organization = dashboard.organization("acme")
        self.customers = Customers(self.organization, RULES + TEAM)
        self.customers.track_days_ago("big", 2, 1, owner="Ann@acme.com", arr=1_250_000)
        self.customers.track_days_ago("late", 20, owner="ben@acme.com", renews="2026-02-25")
        self.customers.track_days_ago("loss", 9, 3, owner="<i>Cem", arr=-0.5, renews="2026-01-20")
        self.customers.track_days_ago("bare", 2, 1)
        self.customers.judge()
        self.browser: Browser = dashboard.signed_in("ann@acme.com", (self.organization, "viewer"))

    def page(self, query: str = "") -> TestResponse:
        return self.browser.get(f"/o/acme/companies{query}")


@pytest.fixture
def acme(dashboard: Dashboard) -> Acme:
    return Acme(dashboard)


# CSV


def test_the_export_has_the_fields_of_the_team_and_the_raised_flags(acme: Acme) -> None:
    exported = acme.browser.get("/o/acme/companies.csv?sort=name").text.removeprefix("\ufeff")
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(exported))}
    columns = ("owner", "value", "renewal", "raised_flags", "field.owner")
    assert {company: tuple(row[name] for name in columns) for company, row in rows.items()} == {
        "big": ("Ann@acme.com", "1250000.00", "", "", "Ann@acme.com"),
        "late": ("ben@acme.com", "", "2026-02-25", "Reports: Critical", "ben@acme.com"),
        "loss": ("<i>Cem", "-0.50", "2026-01-20", "Reports: At Risk", "<i>Cem"),
        "bare": ("", "", "", "", ""),
    }


# The list


def ids(page: TestResponse) -> list[str]:
    return re.findall(
        r'<th scope="row"><a href="/o/acme/companies/([^"?]*)[?"]', without_isolation(page.text)
    )


def cells(page: TestResponse, company: str) -> list[str]:
    """Return the texts of a company's row."""
    rows = re.findall(r"<tr>(.*?)</tr>", page.text, re.DOTALL)
    [row] = [row for row in rows if f"/{company}" in row]
    texts = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", text).split()) for text in texts]


def test_the_list_shows_why_owner_value_and_renewal(acme: Acme) -> None:
    page = acme.page()
    assert cells(page, "big")[1:6] == ["Healthy", "", "Ann", "1,250,000", ""]
    assert 'title="Ann@acme.com"' in page.text
    late = cells(page, "late")[1:6]
    assert late == [
        "Critical",
        "no reports for 20 days , Critical",
        "ben",
        "",
        "25 Feb 2026 in 36 days",
    ]
    loss = cells(page, "loss")[1:6]
    assert loss == [
        "At Risk",
        "only 1 report in 7 days , At Risk",
        "&lt;i&gt;Cem",
        "-0.50",
        "20 Jan 2026 today",
    ]
    assert cells(page, "bare")[1:6] == ["Healthy", "", "", "", ""]
    assert 'class="reason bad" title="Reports: Critical, Less than 1 time in 14 days"' in page.text
    assert 'class="reason fair" title="Reports: At Risk, Less than 2 times in 7 days"' in page.text
    assert ">&lt;i&gt;Cem</bdi>" in page.text


def test_columns_that_the_rules_do_not_name_are_not_shown(acme: Acme) -> None:
    acme.customers.apply_rules(RULES + "team: {value: company.arr}\n")
    acme.customers.judge()
    page = acme.page()
    assert cells(page, "late")[1:4] == ["Critical", "no reports for 20 days , Critical", ""]
    for title, shown in (("Why", True), ("Owner", False), ("Value", True), ("Renewal", False)):
        head = page.text.partition("<thead>")[2].partition("</thead>")[0]
        assert (f">{title}" in head) == shown, title
    assert "Mine" not in page.text


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("owner", ["loss", "big", "late", "bare"]),
        ("-value", ["big", "loss"]),
        ("value", ["loss", "big"]),
        ("renewal", ["loss", "late"]),
        ("-renewal", ["late", "loss"]),
    ],
)
def test_the_columns_sort_with_empty_ones_last(acme: Acme, sort: str, first: list[str]) -> None:
    assert ids(acme.page(f"?sort={sort}"))[: len(first)] == first


def test_more_than_two_raised_flags_are_counted(acme: Acme) -> None:
    flags = "".join(
        f"  - {{flag: Flag {n}, event: login, when: {{At Risk: less than {n} times in 7 days}}}}\n"
        for n in range(1, 5)
    )
    acme.customers.apply_rules(RULES + flags + TEAM)
    acme.customers.judge()
    page = acme.page("?q=late")
    shown = "no reports for 20 days , Critical nobody signed in so far , At Risk"
    assert cells(page, "late")[2] == f"{shown} +3 : Flag 2, Flag 3, Flag 4"
    assert 'title="Flag 2, Flag 3, Flag 4"' in page.text


# Owners


def test_mine_lists_the_companies_whose_owner_is_the_reader(acme: Acme) -> None:
    page = acme.page()
    assert '<a href="/o/acme/companies?owner=me" data-part="#results">Mine</a>' in page.text
    mine = acme.page("?owner=me")
    assert ids(mine) == ["big"]
    assert (
        '<a href="/o/acme/companies" data-part="#results" aria-current="true">Mine</a>' in mine.text
    )
    assert '<input type="hidden" name="owner" value="me">' in mine.text
    assert ids(acme.page("?owner=BEN@acme.com")) == ["late"]
    assert ids(acme.page("?owner=ben")) == []


def test_a_shared_view_of_mine_shows_each_reader_their_own(
    acme: Acme, dashboard: Dashboard
) -> None:
    ben = dashboard.signed_in("ben@acme.com", (acme.organization, "editor"))
    ben.get("/o/acme/companies?owner=me&sort=renewal")
    saved = ben.post("/o/acme/views", name="Ours", query="owner=me&sort=renewal", shared="yes")
    assert saved.location == "/o/acme/companies?sort=renewal&owner=me"
    assert ids(ben.get(saved.location)) == ["late"]
    assert ids(acme.browser.get(saved.location)) == ["big"]


def test_the_export_of_mine_has_only_those(acme: Acme) -> None:
    exported = acme.browser.get("/o/acme/companies.csv?owner=me").text
    assert [line.partition(",")[0] for line in exported.splitlines()[1:]] == ["big"]


def test_without_matches_mine_names_the_email_and_the_owners_that_there_are(
    acme: Acme, dashboard: Dashboard
) -> None:
    acme.customers.track_days_ago("more", 1, owner="Ben@acme.com")
    eve = dashboard.signed_in("eve@acme.com", (acme.organization, "viewer"))
    page = eve.get("/o/acme/companies?owner=me&sort=name")
    text = text_of(page)
    assert "You are the owner eve@acme.com." in text
    assert "Ben@acme.com 2" in text or "ben@acme.com 2" in text
    assert "/o/acme/companies?sort=name&amp;owner=Ann@acme.com" in page.text
    assert "<bdi>&lt;i&gt;Cem</bdi>" in page.text


@pytest.mark.parametrize(
    ("team", "why"),
    [
        ("team: {owner: company.csm.email}\n", "No company has a usable company.csm.email"),
        ("", "the rules name no field for it"),
    ],
)
def test_without_owners_mine_gives_the_reason(acme: Acme, team: str, why: str) -> None:
    acme.customers.apply_rules(RULES + team)
    acme.customers.judge()
    assert why in text_of(acme.page("?owner=me"))


def test_values_that_cannot_be_used_are_counted_where_nothing_is_found_and_in_the_rules(
    acme: Acme,
) -> None:
    for company, arr in (("a", "n/a"), ("b", "n/a"), ("c", "12,000"), ("d", " 5 ")):
        acme.customers.track_days_ago(company, 1, arr=arr)
    acme.customers.judge()
    counted = "3 companies have a company.arr that cannot be used as value, such as n/a, 12,000."
    assert counted in text_of(acme.page("?above.value=9000000"))
    assert counted in text_of(acme.browser.get("/o/acme/rules"))
    draft = RULES + "team: {value: company.owner}\n"
    ed = acme.dashboard.signed_in("ed@acme.com", (acme.organization, "editor"))
    ed.get("/o/acme/rules")
    planned = text_of(ed.post("/o/acme/rules/plan", text=draft, began_from="1"))
    assert "3 companies have a company.owner that cannot be used as value" in planned


def test_an_order_by_a_column_that_the_rules_do_not_name_says_so(acme: Acme) -> None:
    acme.customers.apply_rules(RULES)
    acme.customers.judge()
    page = acme.page("?sort=-value")
    assert "The rules name no field for the value of a company" in text_of(page)
    assert 'aria-sort="descending"' in page.text


def test_columns_are_chosen_and_kept_in_the_address(acme: Acme) -> None:
    page = acme.page("?column=field.arr&column=score&sort=-field.arr")
    assert cells(page, "big")[1:] == ["1250000", "100"]
    assert ids(page)[:2] == ["big", "loss"]
    assert '"/o/acme/companies?sort=-field.arr&amp;column=score&amp;column=field.arr"' in page.text
