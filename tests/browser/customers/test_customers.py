"""Today, the search of companies while typing, and saved views."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from models.database import transaction
from models.health import forecasts
from models.organizations.organizations import Organization
from services.forecasts.refreshing import refresh
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks
from tests.support.browser.accessibility import faults_in_every_look, grave_faults
from tests.support.browser.browsing import OpenPage
from tests.support.events import tracked
from tests.support.in_transactions import evaluate, store

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events: {report_created: {name: Report created}}
flags:
  - flag: Reports
    event: report_created
    when: {At Risk: less than 2 times in 7 days}
team: {owner: company.csm, value: company.arr, renewal: company.renews}
"""

TEAM = {"csm": "annabelle.mckenzie@acme.example", "arr": 12_345_678.5, "renews": "2026-09-30"}

DAYS_AGO = {"Acme Freight": (6, 5), "Birch Clinics": (20,), "Cedar Labs": (2, 1)}


@pytest.fixture
def customers(organization: Organization) -> None:
    """Three companies: one about to change status, one that has just changed, one healthy."""
    rulebooks, now = RuleBooks(), datetime.now(UTC)
    with transaction():
        since = now - timedelta(days=30)
        apply_rules(organization.id, RULES, file="r.yaml", applied_by="test", now=since)
    for name, days_ago in DAYS_AGO.items():
        for days in days_ago:
            at = now - timedelta(days=days)
            fields = {"name": name, "plan": "Pro" if "A" in name else "Team", **TEAM}
            event = tracked(
                organization.id, name.split()[0].lower(), at, key="report_created", company=fields
            )
            for company_id in store([event], rulebooks):
                evaluate([company_id], rulebooks, now)
    with transaction():
        forecasts.ask(organization.id, now)
    refresh(organization.id, rulebooks, lambda: now)


def companies_shown(page: Page) -> list[str]:
    return page.locator(".companies tbody th a").all_inner_texts()


@pytest.mark.usefixtures("customers")
def test_today_leads_to_the_companies_that_need_attention(
    organization: Organization, browser_page: OpenPage
) -> None:
    page = browser_page("viewer")
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")
    upcoming = page.get_by_role("region", name="Upcoming changes")
    expect(upcoming).to_contain_text("Acme Freight")
    expect(upcoming).to_contain_text("unless one more report is created")
    owners = page.get_by_role("region", name="Companies by owner and status")
    expect(owners.locator("tbody tr").first).to_contain_text("annabelle.mckenzie")  # the worst
    page.get_by_label("What is at risk").get_by_role("link", name="At Risk").first.click()
    page.wait_for_url(f"**/o/{organization.name}/companies?left=no&status=At+Risk")
    assert companies_shown(page) == ["Birch Clinics"]
    page.go_back()
    page.get_by_role("link", name="Since Friday").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What changed")
    assert faults_in_every_look(page) == []


@pytest.mark.usefixtures("customers")
def test_companies_are_searched_while_typing_and_a_view_is_saved(
    organization: Organization, browser_page: OpenPage
) -> None:
    page = browser_page("editor")
    page.get_by_role("link", name="Companies", exact=True).click()
    expect(page.locator(".companies tbody tr")).to_have_count(3)
    page.get_by_label("Search by name, ID, domain or email").click()
    page.keyboard.type("clin")
    expect(page.locator(".companies tbody tr")).to_have_count(1)
    expect(page).to_have_url(f"{page.url.split('/o/')[0]}/o/{organization.name}/companies?q=clin")
    search = page.get_by_label("Search by name, ID, domain or email")
    expect(search).to_be_focused()
    search.fill("")
    expect(page.locator(".companies tbody tr")).to_have_count(3)
    page.get_by_text("Add filter", exact=True).first.click()
    page.locator("#add_field").select_option("field.plan")
    expect(page.locator(".values")).to_contain_text("Team 2")
    page.locator("#add_value").fill("team")
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_contain_text("plan is team")
    expect(page.locator(".companies tbody tr")).to_have_count(2)
    page.evaluate("document.body.dataset.loaded = 'once'")
    page.locator("#sort-name").click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Company")
    assert companies_shown(page) == ["Birch Clinics", "Cedar Labs"]
    expect(page.locator("body")).to_have_attribute("data-loaded", "once")  # only the list is new
    with page.context.expect_page() as opened:
        page.locator("#sort-name").click(modifiers=["Control"])
    opened.value.close()
    assert companies_shown(page) == ["Birch Clinics", "Cedar Labs"]
    page.get_by_text("Save this view").click()
    page.locator("#view-name").fill("Teams")
    page.get_by_label("Share with everyone").check()
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_role("status").first).to_contain_text("was saved and shared")
    page.get_by_role("link", name="All companies").click()
    expect(page.locator(".companies tbody tr")).to_have_count(3)
    page.get_by_role("link", name="Teams").click()
    expect(page.locator(".companies tbody tr")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export 2 as CSV").click()
    assert download.value.suggested_filename.startswith("companies-")
    page.go_back()
    expect(page.locator(".companies tbody tr")).to_have_count(3)


@pytest.mark.usefixtures("customers")
def test_the_columns_of_companies_fit_on_a_small_desktop(
    organization: Organization, browser_page: OpenPage
) -> None:
    page = browser_page("viewer", viewport={"width": 1024, "height": 800})
    page.goto(f"/o/{organization.name}/companies")
    page.get_by_role("link", name="Renewal").click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Renewal")
    expect(page.locator(".companies tbody tr").first).to_contain_text("12,345,678.50")
    table = page.get_by_role("region", name="Companies")
    assert table.evaluate("table => table.scrollWidth <= table.clientWidth")
    page.set_viewport_size({"width": 390, "height": 800})
    expect(page.locator(".companies thead")).to_have_css("position", "absolute")  # cards
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("Sort by").select_option(label="Company")
    page.wait_for_url("**/companies?sort=name")
    assert companies_shown(page) == ["Acme Freight", "Birch Clinics", "Cedar Labs"]
    page.get_by_role("link", name="Reverse the order: it is ascending").click()
    page.wait_for_url("**/companies?sort=-name")
    assert companies_shown(page) == ["Cedar Labs", "Birch Clinics", "Acme Freight"]
    assert grave_faults(page) == []
    page.get_by_role("link", name="Mine").click()
    expect(page.locator("#results")).to_contain_text("annabelle.mckenzie@acme.example 3")


@pytest.mark.usefixtures("customers")
def test_a_company_leads_back_to_its_list_by_the_breadcrumb_or_one_step_back(
    organization: Organization, browser_page: OpenPage
) -> None:
    page = browser_page("viewer")
    companies = f"**/o/{organization.name}/companies"
    page.goto(f"/o/{organization.name}/companies")
    page.get_by_label("Search by name, ID, domain or email").press_sequentially("clin", delay=80)
    page.wait_for_url(f"{companies}?q=clin")
    page.locator("#sort-name").click()
    page.wait_for_url(f"{companies}?q=clin&sort=name")
    page.get_by_role("link", name="Birch Clinics").click()
    page.get_by_role("navigation", name="Birch Clinics").get_by_role("link", name="Users").click()
    page.wait_for_url("**/companies/birch/users?from=**")
    page.locator(".crumb").get_by_role("link", name="Companies").click()
    page.wait_for_url(f"{companies}?q=clin&sort=name")
    page.go_back()
    page.wait_for_url("**/companies/birch/users?from=**")
    page.go_back()
    page.wait_for_url("**/companies/birch?from=**")
    page.go_back()
    page.wait_for_url(f"{companies}?q=clin&sort=name")
    page.go_back()
    page.wait_for_url(f"{companies}?q=clin")
    page.go_back()
    page.wait_for_url(companies)


@pytest.mark.usefixtures("customers")
def test_today_and_companies_are_accessible_in_every_look(
    organization: Organization, browser_page: OpenPage
) -> None:
    page = browser_page("editor")
    for address in ("", "companies?field.plan=Team&sort=name&owner=me", "companies?q=nobody"):
        page.goto(f"/o/{organization.name}/{address}")
        assert faults_in_every_look(page) == [], address


def test_the_first_steps_are_accessible(browser_page: OpenPage) -> None:
    page = browser_page("administrator", viewport={"width": 390, "height": 800})
    expect(page.get_by_role("heading", level=1)).to_have_text("No companies yet")
    assert grave_faults(page) == []


@pytest.mark.usefixtures("customers")
def test_the_header_finds_a_company_by_keyboard_and_j_and_k_move_in_lists(
    browser_page: OpenPage,
) -> None:
    page = browser_page("viewer")
    page.keyboard.press("/")
    page.keyboard.type("clin")
    result = page.locator("#found a").first
    expect(result).to_contain_text("Clin")
    page.keyboard.press("ArrowDown")
    expect(result).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Clin")
    page.keyboard.press("j")
    expect(page.locator("main :is(summary, a):focus")).to_have_count(1)
    page.goto(f"{page.url.split('/companies/')[0]}/search?q=clin")
    expect(page.locator("main .found a").first).to_contain_text("Clin")
    page.goto(f"{page.url.split('/search')[0]}/")
    page.keyboard.press("/")
    page.keyboard.type("clin")
    expect(result).to_contain_text("Clin")
    assert faults_in_every_look(page) == []
