"""An import of companies, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from models.companies import companies
from models.database import transaction
from models.organizations.organizations import Organization
from tests.support.browser.accessibility import faults_in_every_look
from tests.support.browser.browsing import OpenPage

LONG = "A very long name of a column " * 6
FILE = f"""id;name;<b>Plan</b>;שם;{LONG.strip()};Renewal
acme;<script>alert(1)</script>;pro;שלום;{"w" * 300};3/4/2027
bolt;{"Very long name " * 12};free;مرحبا;x;3/5/2027
;nobody;free;x;x;
"""


def choose(page: Page, base: str, text: str) -> None:
    page.goto(base)
    file = {"name": "customers.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.get_by_label("CSV file").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Show what it would change").click()


@pytest.mark.parametrize("scripts", [True, False])
def test_an_editor_imports_a_file_after_changing_what_a_column_sets(
    organization: Organization, browser_page: OpenPage, *, scripts: bool
) -> None:
    page = browser_page("editor", java_script_enabled=scripts)
    page.goto(f"/o/{organization.name}/companies")
    page.get_by_role("link", name="import them from a CSV file").click()
    page.wait_for_url("**/import")
    choose(page, page.url, FILE)
    expect(page.get_by_role("heading", level=1)).to_have_text("customers.csv")
    page.get_by_label("<b>Plan</b>").select_option("Leave out")
    page.get_by_label("Dates such as 3/4/2026 have").select_option("the day first")
    page.get_by_role("button", name="Preview again").first.click()
    expect(page.get_by_text("2027-04-03")).to_be_visible()
    page.get_by_role("button", name="Import 2 companies").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("customers.csv is imported")
    page.get_by_role("link", name="Show the companies").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    with transaction():
        company = companies.find(organization.id, "acme")
    assert company is not None
    assert "b_plan_b" not in company.traits.custom


def test_the_pages_are_accessible_in_every_look(
    organization: Organization, browser_page: OpenPage
) -> None:
    base = f"/o/{organization.name}/import"
    page = browser_page("editor")
    choose(page, base, "a,a\n1,2\n")
    expect(page.get_by_role("alert")).to_contain_text("more than once")
    assert faults_in_every_look(page) == []
    choose(page, base, FILE)
    expect(page.get_by_role("button", name="Import 2 companies")).to_be_visible()
    assert faults_in_every_look(page) == []
