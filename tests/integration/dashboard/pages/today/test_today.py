"""Today: companies by status, recent changes, upcoming changes, and quiet event keys."""

import html
import re
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from dashboard.pages.today import page as today
from dashboard.pages.today import recent, upcoming_list
from models.database import execute, transaction
from models.events import hourly_counts
from models.organizations.organizations import Organization
from services.forecasts.refreshing import refresh
from services.health.explanation import explain
from services.health.overrides import FlagOfCompany, JudgingContext, Justification, override
from services.rules.planned_changes import find_companies_due, forecast
from tests.support.dashboard.application import NOW, Dashboard, text_of
from tests.support.dashboard.customers import RULES, Customers

WEEK = timedelta(days=7)


class Acme:
    """An organization, and the browser of a viewer."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.organization: Organization = dashboard.organization("acme")
        self.customers = Customers(self.organization)
        self.browser = dashboard.signed_in("ann@acme.com", (self.organization, "viewer"))

    def page(self) -> TestResponse:
        page = self.browser.get("/o/acme/")
        assert page.status_code == 200
        return page

    def page_with_forecast(self) -> TestResponse:
        """Visit the page, which requests the forecast, and again when it is computed."""
        assert "The forecast is being computed for the first time." in text_of(self.page())
        refresh(self.organization.id, self.customers.rulebooks, lambda: NOW)
        return self.page()

    def judge_as_time_passes(self) -> None:
        """Evaluate every hour of the last days, as the clock would."""
        for hours in range(72, -1, -6):
            self.customers.judge(at=NOW - timedelta(hours=hours))


@pytest.fixture
def acme(dashboard: Dashboard) -> Acme:
    return Acme(dashboard)


def links(response: TestResponse) -> list[str]:
    return [html.unescape(address) for address in re.findall(r'href="([^"]+)"', response.text)]


# Companies by status


def test_each_status_links_to_its_companies(acme: Acme) -> None:
    acme.customers.track_days_ago("busy", 40, 2, 1)
    acme.customers.track_days_ago("fresh", 0.5)
    acme.customers.track_days_ago("slow", 20, 6.5, 6)
    acme.customers.judge()
    page = acme.page()
    assert "3 companies" in text_of(page)
    assert "Critical 0 At Risk 1 Healthy 2" in text_of(page)
    assert "/o/acme/companies?left=no&status=At+Risk" in links(page)
    assert 'aria-label="Companies by status: 1 At Risk, 2 Healthy"' in page.text


# Recent changes


def test_recent_changes_show_flag_phrase_and_author(acme: Acme) -> None:
    acme.customers.track_days_ago("acme", 20, 7.5, 6.75)
    acme.judge_as_time_passes()
    acme.customers.track_days_ago("ben", 0.5)
    acme.customers.judge()
    stricter = RULES.replace("less than 2 times in 7 days", "less than 9 times in 7 days")
    acme.customers.track_days_ago("calm", *[n / 10 for n in range(8, 0, -2)])
    acme.customers.judge()
    acme.customers.apply_rules(stricter, NOW, applied_by="ann@acme.com")
    acme.customers.judge()
    page = acme.page()
    text = text_of(page)
    assert "Reports: Healthy → At Risk (Less than 9 times in 7 days)" in page.text
    assert "Calm Healthy → to At Risk" in text
    assert "after a rule change by ann@acme.com" in text
    assert "Ben Healthy → to At Risk" in text
    assert 'title="After an event"' in page.text


def test_a_recent_change_names_who_overrode_a_flag(acme: Acme) -> None:
    acme.customers.track_days_ago("acme", 2, 1)
    acme.customers.judge()
    with transaction():
        override(
            FlagOfCompany(acme.organization.id, "acme", "Reports"),
            "Critical",
            None,
            Justification(reason="cancelled", owner="ann", made_by="ben@acme.com"),
            JudgingContext(acme.customers.rulebooks, NOW, lambda *_: NOW),
        )
    page = acme.page()
    text = text_of(page)
    assert "Reports: Healthy → Critical (Set by hand)" in page.text
    assert "after a snooze or override by ben@acme.com" in text


def test_more_recent_changes_are_rows_for_htmx_or_a_page(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(today, "FIRST_CHANGES", 2)
    for name in "abc":
        acme.customers.track_days_ago(name, 0.5)
    acme.customers.judge()
    page = acme.page()
    assert "3 status changes in the last 24 hours" in text_of(page)
    [more] = {address for address in links(page) if "/recent?after=" in address}
    part = acme.browser.get(more, headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert part.text.count("<li ") == 1
    whole = acme.browser.get(more)
    assert "<h1>Recent changes</h1>" in whole.text
    shown = re.findall(r"/companies/([abc])", page.text + part.text)
    assert sorted(shown) == ["a", "b", "c"]


def test_changes_show_the_owner_and_the_value_of_their_companies(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(today, "FIRST_CHANGES", 1)
    monkeypatch.setattr(recent, "PAGE", 1)
    acme.customers.apply_rules(RULES + "team: {owner: company.csm, value: company.arr}\n")
    for name in "ab":
        acme.customers.track_days_ago(name, 6, 5, csm="Ann <ann@acme.com>", arr=12000)
        acme.customers.track_days_ago(f"{name}-new", 0.5, arr=-5)
    acme.customers.track_days_ago("bare", 0.4)
    acme.customers.judge()
    page = acme.page_with_forecast()
    [more] = {address for address in links(page) if "/recent?after=" in address}
    part = acme.browser.get(more)
    owner, value = "<bdi>Ann &lt;ann@acme.com&gt;</bdi>", 'title="Value">12,000</span>'
    lately, upcoming = page.text[page.text.index("Recent changes") :].split("Upcoming changes")
    assert owner in upcoming
    assert value in upcoming
    assert 'title="Value">-5</span>' in lately + part.text


# Upcoming changes


def test_the_page_is_about_the_companies_of_the_reader_where_the_rules_name_an_owner(
    acme: Acme,
) -> None:
    acme.customers.track_days_ago("acme", 3, csm="ben@acme.com")
    acme.judge_as_time_passes()
    mine = acme.browser.get("/o/acme/?owner=me")
    assert "Mine" not in text_of(mine)
    assert "1 company" in text_of(mine)
    acme.customers.apply_rules(RULES + "team: {owner: company.csm}\n")
    acme.judge_as_time_passes()
    mine = acme.browser.get("/o/acme/?owner=me")
    assert "You own no company" in text_of(mine)
    assert "/o/acme/" in links(mine)
    acme.customers.track_days_ago("acme", 1, csm="Ann@acme.com")
    acme.judge_as_time_passes()
    mine = acme.browser.get("/o/acme/?owner=me")
    assert "1 company of yours" in text_of(mine)
    assert 'hx-get="/o/acme/?owner=me"' in mine.text  # what refreshes the page


def test_upcoming_changes_are_the_same_as_in_forecast_and_explain(acme: Acme) -> None:
    acme.customers.track_days_ago("alpha", 6, 5)
    acme.customers.track_days_ago("beta", 13, 12.5)
    acme.customers.track_days_ago("gamma", 6.5, 6.5, 1)
    acme.customers.judge()
    organization_id = acme.organization.id
    with transaction():
        due = find_companies_due(organization_id, until=NOW + WEEK)
        planned = [
            change
            for changes in forecast(organization_id, due, 1, NOW, NOW + WEEK)
            for change in changes
        ]
        explained = {c: explain(organization_id, c, 1, NOW) for c in ("alpha", "beta", "gamma")}
    coming = sorted(
        (change for change in planned if change.before != change.after),
        key=lambda change: change.at,
    )
    page = acme.page_with_forecast()
    section = page.text[page.text.index("Upcoming changes") : page.text.index("Quiet event keys")]
    assert re.findall(r'datetime="([^"]+)"', section) == [
        f"{at:%Y-%m-%dT%H:%M:%S}Z" for at in (NOW, *(change.at for change in coming))
    ]
    text = text_of(page)
    assert [(change.id, change.before, change.after) for change in coming] == [
        ("gamma", "Healthy", "At Risk"),
        ("alpha", "Healthy", "At Risk"),
        ("beta", "At Risk", "Critical"),
    ]
    for change in coming:
        explanation = explained[change.id]
        assert explanation is not None
        [flag] = explanation.flags
        [step] = change.flags
        assert (flag.changes_at, flag.changes_to) == (change.at, change.after)
        assert step.unless == flag.unless == "one more report is created"
        statuses = f"{change.name} {change.before} → to {change.after}"
        assert statuses in text
        assert html.escape(step.description) in page.text
        assert f"unless {step.unless}" in text


def test_two_events_that_leave_the_window_together_need_two_to_prevent_the_change(
    acme: Acme,
) -> None:
    acme.customers.track_days_ago("acme", 6, 6)
    acme.customers.judge()
    text = text_of(acme.page_with_forecast())
    assert "Wednesday 10:30" in text
    assert "unless 2 more reports are created" in text


def test_the_upcoming_changes_are_the_first_of_the_page_upcoming(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upcoming_list, "FIRST", 2)
    for number, name in enumerate("abc"):
        acme.customers.track_days_ago(name, 6 - number / 10, 1)
    acme.customers.judge()
    page = acme.page_with_forecast()
    section = page.text[page.text.index("Upcoming changes") : page.text.index("Quiet event keys")]
    listed = acme.browser.get("/o/acme/upcoming").text
    shown, whole = (re.findall(r"/companies/([abc])\"", text) for text in (section, listed))
    assert (shown, whole) == (["a", "b"], ["a", "b", "c"])


def test_an_invalid_cursor_redirects_to_the_page(acme: Acme) -> None:
    acme.customers.track_days_ago("acme", 1)
    refused = acme.browser.get("/o/acme/recent?after=nonsense")
    assert (refused.status_code, refused.location) == (303, "/o/acme/")


def test_unreadable_rules_are_reported_and_the_rest_is_shown(acme: Acme) -> None:
    acme.customers.track_days_ago("acme", 1)
    acme.customers.judge()
    with transaction():
        execute("update rule_versions set source = 'version: 7'")
    text = text_of(acme.page())
    assert "This version of Brazebee cannot read the current rules" in text
    assert "1 company" in text


# Quiet keys, get started, access


def test_a_quiet_event_key_is_shown_by_its_name(acme: Acme) -> None:
    for hour in range(30):
        acme.customers.track_days_ago("acme", 10 - hour / 24)
    acme.customers.track_days_ago("acme", 0.01, key="login")
    acme.customers.judge()
    with transaction():
        hourly_counts.merge_arrivals(acme.organization.id, NOW)
    text = text_of(acme.page())
    assert "Report created report_created" in text
    assert "longest previous gap 1 hour" in text


def test_empty_sections_are_explained(acme: Acme) -> None:
    acme.customers.track_days_ago("acme", 40, 39)
    acme.customers.judge()
    text = text_of(acme.page_with_forecast())
    assert "No company changes its status in the next 7 days, if nothing happens" in text
    assert "No company changed status in the last 24 hours" in text
    assert "None. Every event arrives about as often as before" in text


def test_without_companies_the_page_offers_three_ways_in_and_waits(acme: Acme) -> None:
    page = acme.page()
    text = html.unescape(text_of(page))
    assert "No companies yet" in text
    for door in ("sdk", "export", "code"):
        assert f"/o/acme/settings/developers/connect/{door}" in links(page)
    assert "1 flag defines when a company is at risk" in text
    assert "Open Rules" in text
    assert "/o/acme/rules/examples" not in links(page)  # the flag was chosen
    assert "Waiting for the first event or company" in text


def test_signing_in_leads_to_this_page(acme: Acme) -> None:
    start = acme.browser.client.get("/", follow_redirects=True)
    assert start.request.path == "/o/acme/"


def test_hostile_names_are_escaped(acme: Acme) -> None:
    acme.customers.track_days_ago("<b>'\"/../", 6, 5)
    acme.customers.track_days_ago('<i>"&', 0.5)
    acme.customers.judge()
    page = acme.page_with_forecast()
    assert "<b>" not in page.text.lower()
    assert "<i>" not in page.text.lower()
    assert "/o/acme/companies/%3Ci%3E%22&" in links(page)


def test_people_of_other_organizations_do_not_see_it(acme: Acme, dashboard: Dashboard) -> None:
    other = dashboard.organization("other")
    stranger = dashboard.signed_in("eve@other.com", (other, "administrator"))
    for address in ("/o/acme/", "/o/acme/recent"):
        assert stranger.get(address).status_code == 404
        assert dashboard.browser().get(address).status_code == 303
