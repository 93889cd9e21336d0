"""The list of companies in the dashboard: filters, order, export, and saved views."""

import csv
import html
import io
import re
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from models.companies import companies
from models.companies.fields import export
from models.database import transaction
from models.organizations import audit_log
from models.organizations.organizations import Organization
from models.people import saved_views
from tests.support.dashboard.application import Browser, Dashboard, text_of, without_isolation
from tests.support.dashboard.customers import Customers

REASONS = {
    "quiet": "no reports for 20 days",
    "fresh": "only 1 report in 7 days",
    "slow": "only 1 report in 7 days",
}

HOSTILE = """"><script>alert('x')</script> /../ =1+1"""


def names(response: TestResponse) -> list[str]:
    """Return the names of the companies on a page, in order."""
    assert response.status_code == 200
    links = re.findall(
        r'<th scope="row"><a href="[^"]*">(.*?)</a>', without_isolation(response.text)
    )
    return [html.unescape(name) for name in links]


def link(response: TestResponse, text: str) -> str:
    match = re.search(rf'<a [^>]*?href="([^"]*)"[^>]*>\s*{text}', without_isolation(response.text))
    assert match, f"no link {text}"
    return html.unescape(match.group(1))


def rows(response: TestResponse) -> list[dict[str, str]]:
    assert response.status_code == 200
    assert response.text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff"))))


class Acme:
    """An organization with four companies, and the browser of a member with a role."""

    def __init__(self, dashboard: Dashboard, role: str = "viewer") -> None:
        self.dashboard = dashboard
        self.organization: Organization = dashboard.organization("acme")
        self.customers = Customers(self.organization)
        self.customers.track_days_ago("busy", 2, 1, plan="Pro", seats=10)
        self.customers.track_days_ago("fresh", 1, plan="Free", seats=200)
        self.customers.track_days_ago("quiet", 20, plan="Pro", trial=True)
        self.customers.track_days_ago("slow", 9, 3, plan="Team", crm_provider="hubspot")
        self.customers.judge()
        self.browser = dashboard.signed_in(f"{role}@acme.com", (self.organization, role))

    def page(self, query: str = "", **options: Any) -> TestResponse:
        return self.browser.get(f"/o/acme/companies{query}", **options)

    def logged(self) -> list[tuple[str, str, str]]:
        with transaction():
            entries = audit_log.read_page(self.organization.id, limit=50)
        return [(e.made_by, e.action, e.subject) for e in entries if e.action != "Signed in"]


@pytest.fixture
def acme(dashboard: Dashboard) -> Acme:
    return Acme(dashboard)


# Search, filters and order


def test_the_list_shows_worst_companies_first_like_the_command_line(acme: Acme) -> None:
    page = acme.page()
    assert names(page) == ["Quiet", "Fresh", "Slow", "Busy"]
    with transaction():
        listed = companies.list_health(acme.organization.id)
    text = text_of(page)
    for company in listed:
        status = company.health_status
        why = "" if status == "Healthy" else f" {REASONS[company.id]} , {status}"
        assert f"{company.name} {company.id} {status}{why} {company.score}" in text
    assert "All 4" in text
    assert "Critical 1" in text
    assert "At Risk 2" in text
    assert "Healthy 1" in text
    assert "4 companies" in text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?q=QUI", ["Quiet"]),
        ("?q=u", ["Quiet", "Busy"]),
        ("?status=At+Risk", ["Fresh", "Slow"]),
        ("?flag=Reports", ["Quiet", "Fresh", "Slow"]),
        ("?flag=Reports&flag_status=Critical", ["Quiet"]),
        ("?flag=reports&flag_status=CRITICAL", ["Quiet"]),
        ("?status=at+rísk", ["Fresh", "Slow"]),
        ("?flag=Gone", []),
        ("?field.plan=Pro", ["Quiet", "Busy"]),
        ("?field.plan=Pro&field.plan=Free", ["Quiet", "Fresh", "Busy"]),
        ("?field.plan=Pro&field.trial=true", ["Quiet"]),
        ("?field.seats=10", ["Busy"]),
        ("?field.crm_provider=hubspot", ["Slow"]),
        ("?field.plan=PRO&not.field.trial=true", ["Busy"]),
        ("?field.seats=", ["Quiet", "Slow"]),
        ("?not.field.seats=", ["Busy", "Fresh"]),
        ("?above.field.seats=9.5&max.field.seats=199", ["Busy"]),
        ("?contains.field.plan=r&sort=name", ["Busy", "Fresh", "Quiet"]),
        ("?not.status=Healthy&not.flag=Reports", []),
        ("?last.last-event=2&sort=name", ["Busy", "Fresh"]),
        ("?before.last-event=2026-01-18&sort=name", ["Quiet", "Slow"]),
        ("?above.field.seats=many", []),
        ("?sort=field.seats", ["Busy", "Fresh", "Quiet", "Slow"]),
        ("?sort=-field.seats", ["Fresh", "Busy", "Slow", "Quiet"]),
        ("?field.plan=Pro&status=Healthy&q=b&sort=name", ["Busy"]),
        ("?sort=name", ["Busy", "Fresh", "Quiet", "Slow"]),
        ("?sort=-name", ["Slow", "Quiet", "Fresh", "Busy"]),
        ("?sort=status", ["Busy", "Slow", "Fresh", "Quiet"]),
        ("?sort=-last-event", ["Fresh", "Busy", "Slow", "Quiet"]),
        ("?sort=nonsense", ["Quiet", "Fresh", "Slow", "Busy"]),
    ],
)
def test_the_query_string_filters_and_sorts(acme: Acme, query: str, expected: list[str]) -> None:
    listed = names(acme.page(query))
    assert sorted(listed) == sorted(expected)
    if "sort" in query or len(expected) < 2:
        assert listed == expected


def test_where_nothing_is_found_the_flags_and_statuses_of_the_rules_are_offered(acme: Acme) -> None:
    page = acme.page("?flag=Gone")
    assert "The rules have no flag Gone. Flags:" in text_of(page)
    assert names(acme.browser.get(link(page, "Reports</a>"))) == ["Quiet", "Fresh", "Slow"]
    text = text_of(acme.page("?status=Lost"))
    assert "The rules have no status Lost. Statuses: Critical 1 , At Risk 2 , Healthy 1" in text
    text = text_of(acme.page("?flag=Reports&flag_status=Lost"))
    assert "The rules have no status Lost. Statuses of a flag: Healthy , At Risk" in text


def test_without_matches_the_page_offers_all_companies(acme: Acme) -> None:
    page = acme.page("?q=nobody")
    assert "No matching companies" in text_of(page)
    assert link(page, "Show all companies") == "/o/acme/companies"


def test_without_companies_the_page_links_to_get_started(dashboard: Dashboard) -> None:
    new = dashboard.organization("new")
    page = dashboard.signed_in("ann@new.com", (new, "viewer")).get("/o/new/companies")
    assert "No companies yet" in text_of(page)
    assert link(page, "Get started") == "/o/new/"


def test_a_field_filter_added_by_the_form_is_in_the_url_afterwards(acme: Acme) -> None:
    added = acme.page("?q=&field.plan=Pro&add_field=field.trial&add_value=true&flag_status=")
    assert added.status_code == 303
    assert added.location == "/o/acme/companies?field.plan=Pro&field.trial=true"
    page = acme.page("?field.plan=Pro&field.trial=true")
    assert link(page, '<span class="hidden">Remove filter:</span>\\s+trial') == (
        "/o/acme/companies?field.plan=Pro"
    )


def test_pages_list_each_company_once(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.web.page_size.CHOICES", (3,))
    first = acme.page("?sort=name")
    assert names(first) == ["Busy", "Fresh", "Quiet"]
    second = acme.browser.get(link(first, "Next page"))
    assert names(second) == ["Slow"]
    assert "Next page" not in second.text
    assert link(second, "First page") == "/o/acme/companies?sort=name"


def test_the_number_of_rows_that_one_chooses_is_kept_for_all_lists(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.web.page_size.CHOICES", (2, 3))
    monkeypatch.setattr("dashboard.pages.companies.page.CHOICES", (2, 3))
    first = acme.page("?sort=name")
    assert names(first) == ["Busy", "Fresh"]
    chosen = acme.browser.get(link(first, "3</a>"))
    assert chosen.request.url.endswith("/o/acme/companies?sort=name&rows=3")
    assert names(chosen) == ["Busy", "Fresh", "Quiet"]
    assert names(acme.page("?sort=-name")) == ["Slow", "Quiet", "Fresh"]
    assert names(acme.page("?sort=name&rows=1000000")) == ["Busy", "Fresh", "Quiet"]


def test_a_cursor_of_another_order_redirects_to_the_first_page(acme: Acme) -> None:
    refused = acme.page("?sort=name&after=nonsense")
    assert (refused.status_code, refused.location) == (303, "/o/acme/companies?sort=name")


def test_column_headers_sort_and_show_the_direction(acme: Acme) -> None:
    page = acme.page("?q=s&sort=name")
    assert link(page, "Company") == "/o/acme/companies?q=s&sort=-name"
    assert link(page, "Score") == "/o/acme/companies?q=s&sort=score"
    assert page.text.count('aria-sort="ascending"') == 1


def test_htmx_gets_the_list_alone_and_the_url_to_show(acme: Acme) -> None:
    part = acme.page(
        "?q=qui&status=&add_field=field.plan&add_value=Pro", headers={"HX-Request": "true"}
    )
    assert names(part) == ["Quiet"]
    assert "<html" not in part.text
    assert part.text.strip().startswith("<title>Companies · Brazebee</title>")
    assert part.headers["HX-Push-Url"] == "/o/acme/companies?q=qui&field.plan=Pro"
    back = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<html" in acme.page("?q=qui", headers=back).text


def test_hostile_names_and_values_are_shown_as_they_are(acme: Acme) -> None:
    acme.customers.track_days_ago(HOSTILE, 1, name=HOSTILE, **{HOSTILE: HOSTILE})
    acme.customers.judge()
    page = acme.page("?q=" + quote("><script>"))
    assert names(page) == [HOSTILE]
    assert "<script>alert" not in page.text
    [address] = re.findall(r'<th scope="row"><a [^>]*href="([^"]*)"', page.text)
    assert address.startswith("/o/acme/companies/%22%3E%3Cscript")
    assert "/../" not in address
    filtered = acme.page("?" + quote(f"field.{HOSTILE}") + "=" + quote(HOSTILE))
    assert names(filtered) == [HOSTILE]
    assert "<script>alert" not in filtered.text


def test_people_of_other_organizations_do_not_see_the_list(
    acme: Acme, dashboard: Dashboard
) -> None:
    other = dashboard.organization("other")
    stranger = dashboard.signed_in("eve@other.com", (other, "administrator"))
    for address in ("/o/acme/companies", "/o/acme/companies.csv"):
        assert stranger.get(address).status_code == 404
        assert dashboard.browser().get(address).status_code == 303
    stranger.get("/o/other/companies")
    assert stranger.post("/o/acme/views", name="x", query="q=a").status_code == 404
    assert "Quiet" not in stranger.get("/o/other/companies").text


# CSV


def test_all_matching_companies_are_exported_with_their_fields(acme: Acme) -> None:
    exported = acme.browser.get("/o/acme/companies.csv?status=At+Risk&sort=name")
    assert exported.mimetype == "text/csv"
    disposition = exported.headers["Content-Disposition"]
    assert disposition == 'attachment; filename="companies-2026-01-20.csv"'
    exported_rows = rows(exported)
    assert [(row["id"], row["plan"], row["status"]) for row in exported_rows] == [
        ("fresh", "Free", "At Risk"),
        ("slow", "Team", "At Risk"),
    ]
    assert list(exported_rows[0]) == [
        "id", "name", "status", "previous_status", "since", "score", "last_event_at",
        "owner", "value", "renewal", "raised_flags",
        "payment_provider", "payment_provider_id", "crm_provider", "crm_provider_id",
        "plan", "seats",
    ]  # fmt: skip
    assert exported_rows[0]["last_event_at"] == "2026-01-19T10:30:05Z"
    assert exported_rows[0]["raised_flags"] == "Reports: At Risk"
    assert exported_rows[1]["crm_provider"] == "hubspot"
    assert (exported_rows[0]["seats"], exported_rows[1]["seats"]) == ("200", "")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1"])
def test_no_text_of_a_client_becomes_a_formula_in_the_export(acme: Acme, text: str) -> None:
    acme.customers.track_days_ago("odd", 1, **{"name": text + "x", text: text, "loss": -5})
    acme.customers.judge()
    [row] = rows(acme.browser.get("/o/acme/companies.csv?q=odd"))
    assert row["name"] == f"'{text}x"
    assert row[f"'{text}"] == f"'{text}"
    assert row["loss"] == "-5"


def test_beyond_a_number_of_columns_fields_share_one(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.presentation.csv_export.MOST_COLUMNS", 1)
    exported = rows(acme.browser.get("/o/acme/companies.csv?status=At+Risk&sort=name"))
    assert [(row["id"], row["plan"], row["other_fields"]) for row in exported] == [
        ("fresh", "Free", '{"seats":200}'),
        ("slow", "Team", ""),
    ]


def test_more_than_one_chunk_is_exported(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "CHUNK", 3)
    for sort in ("name", "-name", "score", "-since", "last-event", "-status"):
        query_string = f"sort={sort}"
        exported_rows = rows(acme.browser.get(f"/o/acme/companies.csv?{query_string}"))
        assert [row["name"] for row in exported_rows] == names(acme.page(f"?{query_string}"))
    assert len(exported_rows) == 4


# Saved views


def save(browser: Browser, name: str, query: str = "status=Critical", **form: str) -> TestResponse:
    browser.get(f"/o/acme/companies?{query}")
    return browser.post("/o/acme/views", name=name, query=query, **form)


def test_a_view_is_saved_opened_renamed_and_deleted(acme: Acme) -> None:
    saved = save(acme.browser, "My critical", "sort=name&status=Critical&after=x")
    assert saved.location == "/o/acme/companies?status=Critical&sort=name"
    page = acme.page()
    assert link(page, "My critical") == "/o/acme/companies?status=Critical&sort=name"
    assert names(acme.browser.get(link(page, "My critical"))) == ["Quiet"]
    acme.page("?status=Critical&sort=name")
    assert acme.browser.post("/o/acme/views/1/rename", name="Worst").status_code == 303
    assert link(acme.page(), "Worst")
    assert acme.browser.post("/o/acme/views/1/delete").location == "/o/acme/companies"
    assert "Worst" not in text_of(acme.page()).replace("“Worst”", "")
    ann = "viewer@acme.com"
    assert acme.logged() == [
        (ann, "View deleted", "Worst"),
        (ann, "View renamed", "Worst"),
        (ann, "View saved", "My critical"),
    ]


def test_a_personal_view_is_visible_only_to_its_owner(acme: Acme, dashboard: Dashboard) -> None:
    save(acme.browser, "Mine")
    ben = dashboard.signed_in("ben@acme.com", (acme.organization, "administrator"))
    assert "Mine" not in ben.get("/o/acme/companies").text
    assert ben.post("/o/acme/views/1/delete").status_code == 404
    assert ben.post("/o/acme/views/1/rename", name="x").status_code == 404
    assert save(ben, "mine").status_code == 303
    assert "mine" in ben.get("/o/acme/companies").text


def test_editors_share_views_and_viewers_open_them(acme: Acme, dashboard: Dashboard) -> None:
    assert save(acme.browser, "Ours", shared="yes").status_code == 403
    ed = dashboard.signed_in("ed@acme.com", (acme.organization, "editor"))
    assert save(ed, "Ours", shared="yes").status_code == 303
    page = acme.page("?status=Critical")
    assert link(page, "Ours")
    assert "Rename view" not in page.text
    assert acme.browser.post("/o/acme/views/1/delete").status_code == 403
    assert acme.browser.post("/o/acme/views/1/rename", name="x").status_code == 403
    another = dashboard.signed_in("ede@acme.com", (acme.organization, "editor"))
    another.get("/o/acme/companies")
    assert another.post("/o/acme/views/1/rename", name="Everybody's").status_code == 303


@pytest.mark.parametrize(
    ("name", "query", "message"),
    [
        ("", "status=Critical", "Enter a name of one line"),
        ("two\nlines", "status=Critical", "Enter a name of one line"),
        ("x" * 101, "status=Critical", "Enter a name of one line"),
        ("All", "after=3", "Search, filter or sort first"),
        (
            "Long",
            "&".join(f"field.a{n}={'b' * 150}" for n in range(20)),
            "cannot have this many filters",
        ),
        ("TAKEN", "status=Healthy", "named “TAKEN” already"),
    ],
)
def test_an_invalid_view_is_rejected_with_the_reason(
    acme: Acme, name: str, query: str, message: str
) -> None:
    save(acme.browser, "Taken")
    acme.browser.get("/o/acme/companies")
    refused = acme.browser.post("/o/acme/views", name=name, query=query)
    assert refused.status_code == 303
    assert message in text_of(acme.page())
    assert acme.logged() == [("viewer@acme.com", "View saved", "Taken")]


def test_the_number_of_views_is_limited(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "MAX_VIEWS", 1)
    save(acme.browser, "One")
    save(acme.browser, "Two")
    assert "views is reached. Delete some first" in text_of(acme.page())


def test_a_view_is_not_saved_without_a_csrf_token(acme: Acme) -> None:
    acme.browser.token = None
    refused = acme.browser.post("/o/acme/views", name="x", query="status=Critical")
    assert refused.status_code == 400
    assert acme.logged() == []
