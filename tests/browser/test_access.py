"""Signing in and out, the account, and administration of people."""

import re

import pytest
from playwright.sync_api import expect

from models.organizations.organizations import Organization
from tests.support.browser.accessibility import faults_in_every_look, grave_faults
from tests.support.browser.browsing import OpenPage, sign_in
from tests.support.browser.running_dashboard import PASSWORD, RunningDashboard


def test_a_person_signs_in_and_out(
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
    expect(page.get_by_role("alert")).to_have_text("Incorrect email or password.")
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


def test_times_are_in_the_zone_of_the_first_browser_and_the_account_proposes_that_of_another(
    dashboard: RunningDashboard, organization: Organization, open_page: OpenPage
) -> None:
    email = dashboard.person("traveller@example.com", organization, "viewer")
    sign_in(open_page(timezone_id="Asia/Tokyo"), email)
    page = open_page(timezone_id="Europe/Berlin")
    sign_in(page, email)
    page.get_by_role("contentinfo").get_by_role("link", name="Change the time zone").click()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    page.get_by_role("button", name="Use Europe/Berlin").click()
    page.get_by_role("button", name="Save time zone").click()
    expect(page.get_by_role("contentinfo")).to_contain_text("Times are in Europe/Berlin.")
    expect(page.get_by_role("button", name="Use Europe/Berlin")).to_be_hidden()
    assert not grave_faults(page)


def test_an_administrator_adds_a_person_who_then_signs_in(
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


def test_an_administrator_changes_a_role_and_removes_a_person(
    dashboard: RunningDashboard, organization: Organization, browser_page: OpenPage
) -> None:
    email = dashboard.person("to-change@example.com", organization, "viewer")
    page = browser_page("administrator")
    page.goto(f"/o/{organization.name}/settings/people")
    page.get_by_label("Role of to-change").select_option("administrator")
    expect(page.get_by_role("status")).to_have_text(f"{email} is now an administrator.")
    expect(page.get_by_label("Role of to-change")).to_have_value("administrator")
    row = page.get_by_role("row", name=re.compile("to-change"))
    questions: list[str] = []
    page.once("dialog", lambda dialog: (questions.append(dialog.message), dialog.dismiss()))
    row.locator("summary").click()
    row.get_by_role("button", name=f"Remove from {organization.name}").click()
    assert questions == [f"Remove {email} from {organization.name}?"]
    expect(row).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button", name=f"Remove from {organization.name}").click()
    expect(page.get_by_role("status")).to_have_text(f"{email} is no longer a member.")
    expect(row).to_have_count(0)


def test_a_person_changes_their_password(browser_page: OpenPage) -> None:
    page = browser_page("viewer")
    page.goto("/account")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_label("Confirm new password").fill("short")
    page.get_by_role("button", name="Change password").click()
    field = page.get_by_label("New password", exact=True)
    expect(field).to_have_accessible_description(re.compile("at least 12 characters"))
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("staple of words")
    page.get_by_label("Confirm new password").fill("staple of words")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("status")).to_contain_text("Your password was changed.")


def test_keyboard_shortcuts_open_pages_and_close_menus(
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


def test_roles_can_be_changed_without_scripts(
    dashboard: RunningDashboard, organization: Organization, browser_page: OpenPage
) -> None:
    email = dashboard.person("by-hand@example.com", organization, "viewer")
    page = browser_page("administrator", java_script_enabled=False)
    page.goto(f"/o/{organization.name}/settings/people")
    row = page.get_by_role("row", name=re.compile("by-hand"))
    row.get_by_label("Role of by-hand").select_option("editor")
    row.get_by_role("button", name="Change role").click()
    expect(page.get_by_role("status")).to_have_text(f"{email} is now an editor.")


@pytest.mark.long
def test_pages_and_their_menus_are_accessible_in_every_look(
    organization: Organization, open_page: OpenPage, browser_page: OpenPage
) -> None:
    page = open_page()
    page.goto("/sign-in")
    assert faults_in_every_look(page) == []
    page = browser_page("administrator")
    base = f"/o/{organization.name}"
    for address in (
        "/account",
        f"{base}/companies",
        f"{base}/settings/people",
        f"{base}/settings/audit",
    ):
        page.goto(address)
        assert faults_in_every_look(page) == [], address
        in_layout = page.locator("header details[data-menu] > summary")
        of_page = page.locator("main details[data-menu] > summary")
        for menu in [*(in_layout.all() if address == "/account" else ()), *of_page.all()]:
            menu.click()
            assert faults_in_every_look(page) == [], address
            page.keyboard.press("Escape")


def test_an_error_page_is_accessible_and_links_to_the_start(
    organization: Organization, browser_page: OpenPage
) -> None:
    page = browser_page("viewer")
    for address in ("/o/nobodys/companies", f"/o/{organization.name}/settings/people"):
        page.goto(address)
        assert grave_faults(page) == []
        page.get_by_role("link", name="Go to the start").click()
        expect(page).to_have_title("Get started · Brazebee")
