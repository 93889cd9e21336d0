"""People sign in, and administrators say who may."""

import re

import pytest
from playwright.sync_api import Page, expect

from models.organizations.organizations import Organization
from tests.support.browser.accessibility import grave_faults
from tests.support.browser.browsing import OpenPage, sign_in
from tests.support.browser.running_dashboard import PASSWORD, RunningDashboard

LOOKS: tuple[dict[str, object], ...] = (
    {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    {"color_scheme": "dark", "viewport": {"width": 1280, "height": 800}},
    {"color_scheme": "light", "viewport": {"width": 375, "height": 700}},
)


def test_somebody_signs_in_and_out(
    dashboard: RunningDashboard, organization: Organization, open_page: OpenPage
) -> None:
    email = dashboard.person("in-and-out@example.com", organization, "viewer")
    page = open_page()
    page.goto(f"/o/{organization.name}/companies")
    expect(page).to_have_title("Sign in · Brazebee")
    expect(page.get_by_label("Email")).to_be_focused()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill("wrong horse battery")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Email and password do not belong together.")
    expect(page.get_by_label("Email")).to_have_value(email)
    expect(page.get_by_label("Password")).to_have_value("")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{dashboard.url}/o/{organization.name}/companies")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Companies")
    page.locator(".account summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    page.goto(f"/o/{organization.name}/companies")
    expect(page).to_have_title("Sign in · Brazebee")


def test_an_administrator_adds_somebody_who_then_signs_in(
    organization: Organization, browser_page: OpenPage, open_page: OpenPage
) -> None:
    page = browser_page("administrator")
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="People").click()
    page.get_by_label("Email").fill("new-person@example.com")
    page.get_by_label("Name", exact=True).fill("New Person")
    page.get_by_label("Role", exact=True).select_option("editor")
    page.get_by_role("button", name="Add person").click()
    password = page.locator("#secret").inner_text()
    page.get_by_role("link", name="Back to people").click()
    expect(page.get_by_role("row", name=re.compile("New Person"))).to_contain_text("never")
    other = open_page()
    sign_in(other, "new-person@example.com", password)
    other.wait_for_url("**/o/**")
    expect(other.locator(".account summary")).to_have_text("New Person")
    page.get_by_role("link", name="Audit log").click()
    expect(page.get_by_role("row", name=re.compile("Person added"))).to_contain_text(
        "new-person@example.com"
    )


def test_an_administrator_changes_a_role_and_removes_somebody(
    dashboard: RunningDashboard, organization: Organization, browser_page: OpenPage
) -> None:
    email = dashboard.person("to-change@example.com", organization, "viewer")
    page = browser_page("administrator")
    page.goto(f"/o/{organization.name}/settings/people")
    page.get_by_label("Role of to-change").select_option("administrator")
    expect(page.get_by_role("status")).to_have_text(f"{email} is an administrator now.")
    expect(page.get_by_label("Role of to-change")).to_have_value("administrator")
    row = page.get_by_role("row", name=re.compile("to-change"))
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    row.locator("summary").click()
    row.get_by_role("button", name=f"Remove from {organization.name}").click()
    assert asked == [f"Remove {email} from {organization.name}?"]
    expect(row).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button", name=f"Remove from {organization.name}").click()
    expect(page.get_by_role("status")).to_have_text(f"{email} is no member any more.")
    expect(row).to_have_count(0)


def test_somebody_changes_their_password(browser_page: OpenPage) -> None:
    page = browser_page("viewer")
    page.goto("/account")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_label("New password again").fill("short")
    page.get_by_role("button", name="Change password").click()
    wrong = page.get_by_label("New password", exact=True)
    expect(wrong).to_have_accessible_description(re.compile("at least 12 characters"))
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("staple of words")
    page.get_by_label("New password again").fill("staple of words")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("status")).to_contain_text("Your password was changed.")


def test_keys_lead_to_pages_and_close_menus(
    organization: Organization, browser_page: OpenPage
) -> None:
    page = browser_page("administrator")
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url("**/settings/developers**")
    page.goto(f"/o/{organization.name}/settings/people")
    page.get_by_label("Email").focus()
    page.keyboard.type("gc")
    expect(page.get_by_label("Email")).to_have_value("gc")
    page.locator("h1").click()
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/companies")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    menu = page.locator(".account")
    menu.locator("summary").click()
    expect(menu.get_by_role("link", name="Your account")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu.get_by_role("link", name="Your account")).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()


def test_without_scripts_people_can_be_changed_too(
    dashboard: RunningDashboard, organization: Organization, browser_page: OpenPage
) -> None:
    email = dashboard.person("by-hand@example.com", organization, "viewer")
    page = browser_page("administrator", java_script_enabled=False)
    page.goto(f"/o/{organization.name}/settings/people")
    row = page.get_by_role("row", name=re.compile("by-hand"))
    row.get_by_label("Role of by-hand").select_option("editor")
    row.get_by_role("button", name="Change role").click()
    expect(page.get_by_role("status")).to_have_text(f"{email} is an editor now.")


def addresses(organization: Organization) -> list[str]:
    here = f"/o/{organization.name}"
    return [f"{here}/companies", f"{here}/settings/people", f"{here}/settings/audit", "/account"]


@pytest.mark.parametrize("look", LOOKS, ids=["light", "dark", "phone"])
def test_every_page_is_accessible_and_as_wide_as_the_screen(
    organization: Organization,
    open_page: OpenPage,
    browser_page: OpenPage,
    look: dict[str, object],
) -> None:
    page = open_page(**look)
    page.goto("/sign-in")
    _check(page)
    page = browser_page("administrator", **look)
    for address in addresses(organization):
        page.goto(address)
        _check(page)
        for menu in page.locator("details[data-menu] > summary").all():
            menu.click()
            _check(page)
            page.keyboard.press("Escape")


def _check(page: Page) -> None:
    assert grave_faults(page) == [], page.url
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1], f"{page.url} is {width[0]} wide on {width[1]}"


def test_an_error_is_a_page_with_a_way_back(
    organization: Organization, browser_page: OpenPage
) -> None:
    page = browser_page("viewer")
    for address in ("/o/nobodys/companies", f"/o/{organization.name}/settings/people"):
        page.goto(address)
        assert grave_faults(page) == []
        page.get_by_role("link", name="Go to the start").click()
        expect(page).to_have_title("First steps · Brazebee")
