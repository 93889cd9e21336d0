"""Today: how customers stand, what changed and why, what will change and what would avert it."""

import html
import re
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from dashboard.pages import today as module
from models.companies import company_counts
from models.database import execute, transaction
from models.events import hourly_counts
from models.organizations.organizations import Organization
from services.health.explanation import explain
from services.health.overrides import FlagOfCompany, JudgingContext, Justification, override
from services.rules.planned_changes import companies_due, forecast
from tests.support.dashboard import NOW, Dashboard, text_of
from tests.support.dashboard_customers import RULES, Customers

WEEK = timedelta(days=7)


class Acme:
    """An organization, and a viewer before its start page."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.organization: Organization = dashboard.organization("acme")
        self.customers = Customers(self.organization)
        self.browser = dashboard.signed_in("ann@acme.com", (self.organization, "viewer"))

    def page(self) -> TestResponse:
        found = self.browser.get("/o/acme/")
        assert found.status_code == 200
        return found

    def judge_as_time_passes(self) -> None:
        """Judge hour by hour through the last days, as the clock would."""
        for hours in range(72, -1, -6):
            self.customers.judge(NOW - timedelta(hours=hours))


@pytest.fixture
def acme(dashboard: Dashboard) -> Acme:
    return Acme(dashboard)


def links(response: TestResponse) -> list[str]:
    return [html.unescape(address) for address in re.findall(r'href="([^"]+)"', response.text)]


# How customers stand


def test_each_status_tells_its_number_and_since_when_and_leads_to_the_list(acme: Acme) -> None:
    acme.customers.track("busy", 40, 2, 1)
    acme.customers.track("fresh", 0.5)
    acme.customers.track("slow", 20, 6.5, 6)
    acme.customers.judge()
    with transaction():
        counts = {c.status: c for c in company_counts.count_recent_by_status(acme.organization.id, NOW)}
    page = acme.page()
    text = text_of(page)
    assert "3 companies" in text
    for status in ("Healthy", "At Risk", "Critical"):
        found = counts.get(status)
        number = found.companies if found else 0
        assert f"{status} {number} {status} {round(100 * number / 3)} %" in text
    assert "/o/acme/companies?status=At+Risk" in links(page)
    assert 'aria-label="Companies by status: 2 Healthy, 1 At Risk"' in page.text


# What changed


def test_changes_of_the_last_day_tell_flag_phrase_and_who_brought_them(acme: Acme) -> None:
    acme.customers.track("acme", 20, 7.5, 6.75)
    acme.judge_as_time_passes()
    acme.customers.track("ben", 0.5)
    acme.customers.judge()
    stricter = RULES.replace("less than 2 times in 7 days", "less than 9 times in 7 days")
    acme.customers.track("calm", *[n / 10 for n in range(8, 0, -2)])
    acme.customers.judge()
    acme.customers.apply(stricter, NOW)
    acme.customers.judge()
    text = text_of(acme.page())
    assert "Calm Healthy → to At Risk" in text
    assert "Reports: Healthy → to At Risk (Less than 9 times in 7 days)" in text
    assert "by new rules of ann@acme.com" in text
    assert "Ben Healthy → to At Risk" in text
    assert "by an event" in text


def test_who_overrode_a_flag_is_named(acme: Acme) -> None:
    acme.customers.track("acme", 2, 1)
    acme.customers.judge()
    with transaction():
        override(
            FlagOfCompany(acme.organization.id, "acme", "Reports"),
            "Critical",
            None,
            Justification(reason="cancelled", owner="ann", made_by="ben@acme.com"),
            JudgingContext(acme.customers.rulebooks, NOW, NOW),
        )
    text = text_of(acme.page())
    assert "Reports: Healthy → to Critical (Set by hand)" in text
    assert "by a snooze or override of ben@acme.com" in text


def test_more_changes_come_for_htmx_and_as_a_page_of_their_own(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    for name in "abc":
        acme.customers.track(name, 0.5)
    acme.customers.judge()
    page = acme.page()
    assert "3 changes of status in the last 24 hours" in text_of(page)
    [more] = {address for address in links(page) if "/changes?after=" in address}
    part = acme.browser.get(more, headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert part.text.count("<li>") == 1
    whole = acme.browser.get(more)
    assert "<h1>Recent changes</h1>" in whole.text
    shown = re.findall(r"/companies/([abc])", page.text + part.text)
    assert sorted(shown) == ["a", "b", "c"]


# Upcoming changes


def test_what_will_change_is_what_forecast_and_explain_say(acme: Acme) -> None:
    acme.customers.track("alpha", 6, 5)
    acme.customers.track("beta", 13, 12.5)
    acme.customers.track("gamma", 6.5, 6.5, 1)
    acme.customers.judge()
    organization_id = acme.organization.id
    with transaction():
        due = companies_due(organization_id, until=NOW + WEEK)
        told = [one for some in forecast(due, 1, NOW, NOW + WEEK) for one in some]
        explained = {c: explain(organization_id, c, 1, NOW) for c in ("alpha", "beta", "gamma")}
    coming = sorted((one for one in told if one.before != one.after), key=lambda one: one.at)
    page = acme.page()
    section = page.text[page.text.index("Upcoming changes") : page.text.index("What changed")]
    assert re.findall(r'datetime="([^"]+)"', section) == [
        f"{one.at:%Y-%m-%dT%H:%M:%S}Z" for one in coming
    ]
    text = text_of(page)
    assert [(one.id, one.before, one.after) for one in coming] == [
        ("gamma", "Healthy", "At Risk"),
        ("alpha", "Healthy", "At Risk"),
        ("beta", "At Risk", "Critical"),
    ]
    for one in coming:
        found = explained[one.id]
        assert found is not None
        [flag] = found.flags
        [step] = one.flags
        assert (flag.changes_at, flag.changes_to) == (one.at, one.after)
        assert step.unless == flag.unless == "1 more Report created"
        said = f"{one.name} {one.before} → to {one.after} {step.description} unless {step.unless}"
        assert said in text


def test_two_events_that_leave_the_window_together_take_two_to_make_up_for(acme: Acme) -> None:
    acme.customers.track("acme", 6, 6)
    acme.customers.judge()
    assert "Wednesday 10:30" in text_of(acme.page())
    assert "unless 2 more Report created" in text_of(acme.page())


def test_more_of_what_comes_goes_on_in_order(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    for number, name in enumerate("abc"):
        acme.customers.track(name, 6 - number / 10, 1)
    acme.customers.judge()
    page = acme.page()
    [more] = {address for address in links(page) if "/coming?after=" in address}
    part = acme.browser.get(more, headers={"HX-Request": "true"})
    section = page.text[page.text.index("Upcoming changes") : page.text.index("What changed")]
    shown = re.findall(r"/companies/([abc])\"", section + part.text)
    assert shown == ["a", "b", "c"]
    assert "<h1>Upcoming changes</h1>" in acme.browser.get(more).text


@pytest.mark.parametrize("what", ["coming", "changes"])
def test_a_place_that_is_none_leads_to_the_page(acme: Acme, what: str) -> None:
    acme.customers.track("acme", 1)
    refused = acme.browser.get(f"/o/acme/{what}?after=nonsense")
    assert (refused.status_code, refused.location) == (303, "/o/acme/")


def test_rules_that_cannot_be_read_are_told_and_the_rest_is_shown(acme: Acme) -> None:
    acme.customers.track("acme", 1)
    acme.customers.judge()
    with transaction():
        execute("update rule_versions set source = 'version: 7'")
    text = text_of(acme.page())
    assert "This version of Brazebee cannot read the current rules" in text
    assert "1 company" in text


# Quiet keys, first steps, access


def test_a_key_that_is_silent_for_long_is_told_by_its_name(acme: Acme) -> None:
    for hour in range(30):
        acme.customers.track("acme", 10 - hour / 24)
    acme.customers.track("acme", 0.01, key="login")
    acme.customers.judge()
    with transaction():
        hourly_counts.merge_arrivals(NOW)
    text = text_of(acme.page())
    assert "Report created report_created" in text
    assert "never silent for more than 1 hour before" in text


def test_where_nothing_happens_the_page_says_so(acme: Acme) -> None:
    acme.customers.track("acme", 40, 39)
    acme.customers.judge()
    text = text_of(acme.page())
    assert "No company changes status before Tue 27 Jan, 10:30" in text
    assert "No company changed status in the last 24 hours" in text
    assert "None. Every event arrives about as often as before" in text


def test_before_the_first_company_the_page_tells_the_first_steps(acme: Acme) -> None:
    text = html.unescape(text_of(acme.page()))
    assert "No companies yet" in text
    assert "brazebee keys create --org acme" in text
    assert """-d '{"event_key": "report_created", "company": {"id": "company_123\"""" in text
    assert "1 flag says what trouble looks like" in text


def test_it_is_where_one_comes_to_after_signing_in(acme: Acme) -> None:
    start = acme.browser.client.get("/", follow_redirects=True)
    assert start.request.path == "/o/acme/"


def test_hostile_names_are_shown_as_they_are(acme: Acme) -> None:
    acme.customers.track("<b>'\"/../", 6, 5)
    acme.customers.track('<i>"&', 0.5)
    acme.customers.judge()
    page = acme.page()
    assert "<b>" not in page.text.lower()
    assert "<i>" not in page.text.lower()
    assert "/o/acme/companies/%3Ci%3E%22&" in links(page)


def test_nobody_else_learns_of_it(acme: Acme, dashboard: Dashboard) -> None:
    other = dashboard.organization("other")
    stranger = dashboard.signed_in("eve@other.com", (other, "administrator"))
    for address in ("/o/acme/", "/o/acme/changes", "/o/acme/coming"):
        assert stranger.get(address).status_code == 404
        assert dashboard.browser().get(address).status_code == 303
