"""Colleagues are mentioned in notes with the keyboard alone, and read what mentions them."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from models.organizations.organizations import Organization
from services.rules.rule_books import RuleBooks
from tests.support.browser.accessibility import faults_in_every_look, grave_faults
from tests.support.browser.browsing import OpenPage, sign_in
from tests.support.browser.running_dashboard import RunningDashboard
from tests.support.events import tracked
from tests.support.in_transactions import store


@pytest.fixture
def company(organization: Organization) -> str:
    """The path of a company."""
    event = tracked(organization.id, "acme", datetime.now(UTC), company={"name": "Acme Freight"})
    store([event], RuleBooks())
    return f"/o/{organization.name}/companies/acme"


@pytest.fixture
def colleague(dashboard: RunningDashboard, organization: Organization) -> str:
    """The email of somebody to mention, who has a role in the organization alone."""
    return dashboard.person(f"nadia@{organization.name}.example.com", organization, "viewer")


def mention(page: Page, colleague: str) -> None:
    """Add a note that mentions a colleague, with the keyboard alone."""
    text = page.get_by_label("Note", exact=True)
    text.focus()
    page.keyboard.type("Please call them, @na")
    offered = page.get_by_role("listbox", name="Colleagues")
    expect(offered.get_by_role("option")).to_have_count(1)
    assert grave_faults(page) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(offered).to_be_hidden()
    expect(text).to_be_focused()
    page.keyboard.press("Backspace")
    page.keyboard.type("a")
    expect(offered).to_be_hidden()  # it stays closed for this mention
    for _ in "@na":
        page.keyboard.press("Backspace")
    page.keyboard.type("@n")
    expect(offered.get_by_role("option", selected=True)).to_contain_text(colleague)
    active = text.get_attribute("aria-activedescendant")
    assert offered.get_by_role("option", selected=True).get_attribute("id") == active
    page.keyboard.press("Enter")
    expect(text).to_have_value(f"Please call them, @{colleague} ")
    page.keyboard.type("today.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_have_text("Your note was added.")
    expect(page.locator(".mention")).to_have_attribute("title", colleague)


def add_note(page: Page, text: str) -> None:
    page.get_by_label("Note", exact=True).fill(text)
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_role("status").first).to_have_text("Your note was added.")


def test_a_colleague_is_mentioned_with_the_keyboard_and_the_count_falls_when_they_read_it(
    company: str, colleague: str, browser_page: OpenPage, open_page: OpenPage
) -> None:
    author = browser_page("editor")
    author.goto(f"{company}/notes")
    mention(author, colleague)
    for text in ("Twice", "Three times"):
        add_note(author, f"@{colleague} {text}")
    page = open_page()
    sign_in(page, colleague)
    link = page.get_by_role("link", name="Mentions")
    expect(link).to_have_accessible_name("Mentions 3 unread")
    page.keyboard.press("g")
    page.keyboard.press("m")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mentions")
    expect(page.locator(".unread")).to_have_count(3)
    assert faults_in_every_look(page) == []
    page.reload()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(".mentions > li").nth(1).get_by_role("link", name="Acme")).to_be_focused()
    expect(link).to_have_accessible_name("Mentions 3 unread")
    page.get_by_role("button", name="Mark as read").first.press("Enter")
    expect(link).to_have_accessible_name("Mentions 2 unread")
    page.locator(".unread").get_by_role("link", name="Acme Freight").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Acme Freight")
    page.reload()
    expect(link).to_have_accessible_name("Mentions 1 unread")
    link.click()
    page.get_by_role("button", name="Mark all as read").click()
    expect(link).to_have_accessible_name("Mentions")
    expect(page.locator(".mentions > li")).to_have_count(3)
    expect(page.locator(".unread")).to_have_count(0)


def test_a_colleague_is_mentioned_by_name_without_scripts(
    company: str, colleague: str, browser_page: OpenPage
) -> None:
    page = browser_page("editor", java_script_enabled=False)
    page.goto(f"{company}/notes")
    add_note(page, "@nadia, look at this.")
    expect(page.locator(".mention")).to_have_attribute("title", colleague)
    page.get_by_role("link", name="Edit").click()
    expect(page.get_by_label("Note", exact=True)).to_have_value(f"@{colleague}, look at this.")


def test_colleagues_are_offered_in_the_note_about_many_companies(
    company: str, colleague: str, browser_page: OpenPage
) -> None:
    page = browser_page("editor")
    page.goto(company.rpartition("/")[0])
    page.get_by_label("Search by name, ID, domain or email").fill("freight")
    page.wait_for_url("**/companies?q=freight")  # the list is another one, with its own bar
    page.get_by_label("Select Acme Freight").check()
    text = page.get_by_label("Reason or note")
    text.focus()
    page.keyboard.type("Please call them, @na")
    offered = page.get_by_role("listbox", name="Colleagues")
    expect(offered.get_by_role("option", selected=True)).to_contain_text(colleague)
    assert grave_faults(page) == []
    page.keyboard.press("Escape")
    expect(offered).to_be_hidden()
    expect(page.get_by_label("Select Acme Freight")).to_be_checked()
    text.fill("@na")
    offered.get_by_role("option", selected=True).wait_for()
    page.keyboard.press("Enter")
    expect(text).to_have_value(f"@{colleague} ")
