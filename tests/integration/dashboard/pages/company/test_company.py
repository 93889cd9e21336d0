"""The page of one company: how it stands, why, and what happened to it."""

import html
import re
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from models.companies import field_history, timeline
from models.database import execute, transaction
from models.health import transitions
from models.organizations import audit_log
from models.webhooks import webhook_endpoints
from rules.durations import MAX_WINDOW, shift
from services.health.explanation import explain
from services.rules.planned_changes import forecast
from tests.support.company_page import RULES, Tenant, ago
from tests.support.dashboard import NOW, Browser, Dashboard, text_of

PAGES = ("", "/timeline", "/users", "/fields", "/deliveries", "/notes")

HOSTILE = ('<script>alert("1")</script>', "a/b", "..", "100%", 'O\'Neil & "Sons"', "ü /?#")


@pytest.fixture
def tenant(dashboard: Dashboard) -> Tenant:
    return Tenant.of(dashboard)


def viewer_of(dashboard: Dashboard, tenant: Tenant) -> Browser:
    return dashboard.signed_in("vera@acme.com", (tenant.organization, "viewer"))


def editor_of(dashboard: Dashboard, tenant: Tenant) -> Browser:
    return dashboard.signed_in("ed@acme.com", (tenant.organization, "editor"))


def test_status_score_and_flags_are_those_that_explain_tells(
    dashboard: Dashboard, tenant: Tenant
) -> None:
    tenant.living()
    page = viewer_of(dashboard, tenant).get(tenant.address())
    text = text_of(page)
    with transaction():
        told = explain(tenant.organization.id, "c1", 1, NOW)
    assert told is not None
    assert page.status_code == 200
    assert told.status == "At Risk"
    assert re.search(rf"Acme Corp {told.status} since 2 days ago score {told.score} ", text)
    for flag in told.flags:
        said = text.partition(f" {flag.flag} {flag.status} ")[2].partition(", line ")[0]
        for fact in (flag.threshold, flag.evidence, flag.missing, flag.counts, flag.note):
            assert fact is None or fact in said
        if flag.changes_at:
            assert f"{flag.changes_to} in" in said
            at = flag.changes_at
            assert f"{at.day} {at:%b %Y, %H:%M} UTC, if nothing happens" in said
        assert f"version 1, line {flag.line} " in text


def test_what_comes_next_is_what_the_forecast_tells(dashboard: Dashboard, tenant: Tenant) -> None:
    tenant.living()
    text = text_of(viewer_of(dashboard, tenant).get(tenant.address()))
    with transaction():
        [told] = forecast([tenant.company().id], 1, NOW, shift(NOW, MAX_WINDOW))
    coming = next(one for one in told if one.before != one.after)
    assert f"If nothing happens: {coming.after} in " in text
    assert f"{coming.at:%b %Y, %H:%M} UTC. {coming.flags[0].description}" in text


@pytest.mark.parametrize(("span", "days"), [("30", 30), ("90", 90), ("365", 365), ("x", 90)])
def test_the_numbers_under_the_chart_are_the_transitions_of_the_span(
    dashboard: Dashboard, tenant: Tenant, span: str, days: int
) -> None:
    tenant.living()
    page = viewer_of(dashboard, tenant).get(tenant.address(f"?span={span}"))
    with transaction():
        history = transitions.list_for_company(tenant.company().id)
    assert {one.to_status for one in history} == {"Healthy", "At Risk", "Critical"}
    within = [one for one in history if one.at > NOW - timedelta(days=days)]
    table = page.text.partition("Show data")[2].partition("</table>")[0]
    rows = re.findall(r'<tr>\s*<td><time datetime="([^"]+)".*?number">([^<]*)<', table, re.DOTALL)
    expected = [(f"{one.at:%Y-%m-%dT%H:%M:%SZ}", str(one.score)) for one in within[::-1]]
    assert rows[: len(expected)] == expected
    assert len(rows) == len(expected) + (days < 100)  # and what held before
    assert page.text.count("<svg") == 2
    assert "style=" not in page.text


def test_the_score_of_a_transition_is_recorded(tenant: Tenant) -> None:
    company = tenant.living().company()
    with transaction():
        history = transitions.list_for_company(company.id)
    assert history[-1].score == company.score
    assert [one.score for one in history] == [75, 100, 75, 50, 75]


def test_a_change_of_the_score_alone_is_a_row_of_its_own(
    dashboard: Dashboard, tenant: Tenant
) -> None:
    tenant.living()
    with transaction():
        execute("update companies set judged_version = 1")
    tenant.apply(RULES.replace("event: report", "event: report\n    weight: 3"), ago(hours=1))
    tenant.judge()
    text = text_of(viewer_of(dashboard, tenant).get(tenant.address()))
    assert "score 88" in text
    assert "Only the score changed: a flag started or stopped applying or counting" in text


def test_a_company_of_other_organizations_does_not_exist(
    dashboard: Dashboard, tenant: Tenant
) -> None:
    tenant.living()
    other = dashboard.organization("other")
    stranger = dashboard.signed_in("sam@other.com", (other, "administrator"))
    for rest in PAGES:
        assert stranger.get(tenant.address(rest)).status_code == 404
        assert stranger.get(f"/o/other/companies/c1{rest}").status_code == 404
    for rest in ("/notes", "/notes/1", "/notes/1/delete", "/flags/Reports", "/flags/Reports/end"):
        assert stranger.post(tenant.address(rest)).status_code == 404
        assert stranger.post(f"/o/other/companies/c1{rest}", text="x").status_code in (404, 422)
    with transaction():
        assert {one.action for one in audit_log.read_page(other.id, limit=5)} == {"Signed in"}
        assert not audit_log.read_page(tenant.organization.id, limit=5)


def test_who_is_not_signed_in_is_asked_to(dashboard: Dashboard, tenant: Tenant) -> None:
    tenant.living()
    for rest in PAGES:
        answer = dashboard.browser().get(tenant.address(rest))
        assert (answer.status_code, answer.location[:8]) == (303, "/sign-in")


@pytest.mark.parametrize("name", HOSTILE)
def test_ids_and_names_of_any_kind_are_shown_as_they_are(
    dashboard: Dashboard, tenant: Tenant, name: str
) -> None:
    tenant.track(
        ago(days=1),
        company=name,
        user=name,
        data={name: name},
        crm_provider=name,
        crm_provider_id=name,
        **{"name": name, name: name},
    )
    tenant.judge(company=name)
    browser = editor_of(dashboard, tenant)
    for rest in PAGES:
        page = browser.get(tenant.address(rest, company=name))
        assert page.status_code == 200, (rest, page.request.path)
        assert "<script>alert" not in page.text
        links = re.findall(r'href="(/o/acme/companies/[^"]+)', page.text)
        assert len(links) >= len(PAGES)
        for link in set(links):
            assert browser.client.get(html.unescape(link)).status_code == 200, link
    added = browser.post(tenant.address("/notes", company=name), text=name)
    assert browser.client.get(added.location).status_code == 200


def test_without_any_company_or_rules_pages_say_what_to_do(dashboard: Dashboard) -> None:
    tenant = Tenant.of(dashboard, rules="version: 1\nevents: {login: }\nflags: []\n")
    tenant.track(ago(minutes=5))
    tenant.judge()
    browser = viewer_of(dashboard, tenant)
    assert "The rules have no flags" in text_of(browser.get(tenant.address()))
    assert "No users yet" in text_of(browser.get(tenant.address("/users")))
    assert "No deliveries yet" in text_of(browser.get(tenant.address("/deliveries")))
    assert "No notes yet" in text_of(browser.get(tenant.address("/notes")))
    assert browser.get(tenant.address(company="nobody")).status_code == 404
    assert browser.get(tenant.address("%00")).status_code in (400, 404)


def test_rules_that_cannot_be_read_leave_what_was_recorded(
    dashboard: Dashboard, tenant: Tenant
) -> None:
    tenant.living()
    browser = editor_of(dashboard, tenant)
    with transaction():
        execute("update rule_versions set source = 'version: 9'")
    page = browser.get(tenant.address())
    assert page.status_code == 200
    assert "The current rules cannot be read" in text_of(page)
    assert "At Risk" in text_of(page)
    for rest in PAGES[1:]:
        assert browser.get(tenant.address(rest)).status_code == 200
    assert browser.get(tenant.address("/flags/Reports")).status_code == 503


def test_the_timeline_goes_on_from_where_it_ended(dashboard: Dashboard, tenant: Tenant) -> None:
    tenant.living()
    browser = viewer_of(dashboard, tenant)
    seen: list[str] = []
    address = tenant.address("/timeline")
    pages = 0
    while address:
        page = browser.get(address, headers={"HX-Request": "true"} if pages else {})
        assert ("<html" in page.text) == (pages == 0)
        seen += re.findall(
            r'<li class="(?:event|change)".*?datetime="([^"]+)"', page.text, re.DOTALL
        )
        found = re.search(r'hx-get="([^"]+)"', page.text)
        address = found.group(1).replace("&amp;", "&") if found else ""
        pages += 1
    with transaction():
        changes = transitions.list_for_company(tenant.company().id)
    assert pages == 3
    assert len(seen) == 122 + len(changes)
    assert seen == sorted(seen, reverse=True)


def test_the_timeline_shows_one_kind_or_one_key(dashboard: Dashboard, tenant: Tenant) -> None:
    tenant.living()
    tenant.track(ago(hours=3), key="report", user="u1", data={"amount": 12, "<b>": ["x"]})
    tenant.judge()
    browser = viewer_of(dashboard, tenant)
    health = browser.get(tenant.address("/timeline?kind=health")).text
    assert 'class="event"' not in health
    assert health.count('<li class="change"') == 5
    assert "as time passed" in health
    reports = browser.get(tenant.address("/timeline?key=report")).text
    assert reports.count('<li class="event"') == 1
    assert 'class="change"' not in reports
    assert "Report created" in text_of(browser.get(tenant.address("/timeline?key=report")))
    assert "&lt;b&gt;" in reports
    assert "by User u1" in text_of(browser.get(tenant.address("/timeline?key=report")))
    for key in ("nothing", "a'b"):
        none = browser.get(tenant.address(f"/timeline?key={key}"))
        assert (none.status_code, "Nothing to show" in none.text) == (200, True)


@pytest.mark.parametrize("page", ["timeline", "users", "fields", "deliveries", "notes"])
def test_a_place_that_no_list_has_is_not_found(
    dashboard: Dashboard, tenant: Tenant, page: str
) -> None:
    tenant.living()
    browser = viewer_of(dashboard, tenant)
    assert browser.get(tenant.address(f"/{page}?after=nonsense")).status_code == 404


def test_users_are_listed_with_when_they_were_last_seen(
    dashboard: Dashboard, tenant: Tenant
) -> None:
    tenant.living()
    for number in range(60):
        tenant.track(ago(days=40, minutes=number), user=f"more{number}")
    browser = viewer_of(dashboard, tenant)
    first = browser.get(tenant.address("/users"))
    assert "Users 62" in text_of(first)
    assert text_of(first).index("User u2") < text_of(first).index("User more0")
    following = re.search(r'hx-get="([^"]+)"', first.text)
    assert following is not None
    second = browser.get(following.group(1), headers={"HX-Request": "true"})
    assert second.text.count('<th scope="row"') == 12
    assert "autofocus" in second.text
    assert "Back to most recent" in browser.get(following.group(1)).text


def test_fields_are_shown_since_when_they_say_it_with_their_history(
    dashboard: Dashboard, tenant: Tenant
) -> None:
    tenant.living()
    browser = viewer_of(dashboard, tenant)
    text = text_of(browser.get(tenant.address("/fields")))
    assert "plan Enterprise 2 days ago 1 day ago" in text
    assert "seats 5 3 months ago 1 month ago" in text, text
    page = text_of(browser.get(tenant.address("/fields?field=plan")))
    history = page.partition("Changes of fields")[2]
    assert "History of plan" in page
    assert "18 Jan 2026, 10:30 plan Enterprise Pro" in history
    assert "seats 5" not in history


def test_deliveries_are_listed_without_the_secret_part_of_their_address(
    dashboard: Dashboard, tenant: Tenant
) -> None:
    with transaction():
        webhook_endpoints.add(
            tenant.organization.id,
            "https://hooks.example.com/very/secret",
            secret_keys=[Fernet.generate_key().decode()],
        )
    tenant.living()
    page = viewer_of(dashboard, tenant).get(tenant.address("/deliveries"))
    assert page.text.count("hooks.example.com") == 5
    assert "secret" not in page.text
    assert "waiting" in text_of(page)


def test_a_known_provider_is_linked_and_an_address_of_a_client_is_not(
    dashboard: Dashboard, tenant: Tenant
) -> None:
    tenant.track(
        ago(days=1),
        crm_provider="https://evil.example",
        crm_provider_id="javascript:alert(1)",
        payment_provider="stripe",
        payment_provider_id="cus_123",
    )
    page = viewer_of(dashboard, tenant).get(tenant.address())
    assert 'href="https://dashboard.stripe.com/customers/cus_123"' in page.text
    assert "javascript:alert(1)" in page.text
    assert 'href="javascript' not in page.text
    assert 'href="https://evil' not in page.text


def test_reading_a_page_changes_nothing(dashboard: Dashboard, tenant: Tenant) -> None:
    tenant.living()
    browser = viewer_of(dashboard, tenant)
    dashboard.clock.advance(days=10)
    browser.sign_in("vera@acme.com")
    text = text_of(browser.get(tenant.address()))
    assert "Critical" in text
    assert tenant.company().health_status == "At Risk"


def test_a_timeline_holds_the_keys_of_its_company_alone(tenant: Tenant) -> None:
    tenant.track(ago(days=3), ago(days=2), key="report")
    tenant.track(ago(days=1), key="login")
    tenant.track(ago(days=1), key="login", company="c2")
    with transaction():
        assert timeline.list_event_keys(tenant.company().id) == ["login", "report"]
        assert timeline.list_event_keys(tenant.company("c2").id) == ["login"]


def test_a_field_holds_since_the_earliest_event_that_said_it(tenant: Tenant) -> None:
    for days, plan in ((9, "Pro"), (3, "Team"), (5, "Team"), (7, "Pro")):
        tenant.track(ago(days=days), plan=plan)
    with transaction():
        since = field_history.find_last_changes(tenant.company().id)
    assert since == {"name": ago(days=9), "plan": ago(days=5)}
