"""The frame of every page by the keyboard: its content, menus, lists and help."""

import pytest
from playwright.sync_api import Page, expect

from models.organizations.organizations import Organization
from tests.support.browser.browsing import OpenPage
from tests.support.browser.customers import add_customers
from tests.support.browser.keyboard import Keyboard

pytestmark = pytest.mark.long

MORE = 30
"""Companies enough for a list that is longer than the window."""


@pytest.fixture
def page(organization: Organization, browser_page: OpenPage) -> Page:
    """Today of an organization with six companies, as an editor sees it."""
    add_customers(organization)
    return browser_page("editor")


@pytest.fixture
def long_list(organization: Organization, browser_page: OpenPage) -> Page:
    add_customers(organization, MORE)
    page = browser_page("editor")
    page.goto(f"/o/{organization.name}/companies")
    return page


def test_the_first_press_of_tab_offers_to_skip_the_header(page: Page) -> None:
    keys = Keyboard(page)
    keys.skip()
    keys.tab_to("Team", most=1)  # the choice of whose companies Today is about
    assert keys.faults == []


def test_a_click_on_a_text_leaves_the_page_as_it_is(page: Page) -> None:
    heading = page.get_by_role("heading", level=2).first
    heading.click()
    expect(heading).to_be_in_viewport()


def test_escape_closes_a_menu_and_the_help_and_returns_the_focus(page: Page) -> None:
    keys = Keyboard(page)
    keys.press("g", "c")
    page.wait_for_url("**/companies")
    keys.skip()
    for menu in ("Add filter", "Columns"):
        keys.tab_to(menu)
        keys.press("Enter", "Tab", "Tab", "Escape")
        assert keys.focused() == menu
        expect(page.locator("details[data-menu][open]")).to_have_count(0)
    keys.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    keys.press("Escape")
    assert keys.focused() == "Columns"
    assert keys.faults == []


def test_a_menu_closes_when_the_focus_leaves_it(page: Page) -> None:
    keys = Keyboard(page)
    keys.tab_to("viewer-.*|editor-.*")
    keys.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    keys.tab_to("Sign out", most=3)
    keys.press("Tab")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()


def test_nothing_covers_a_row_with_the_focus_in_a_long_list(long_list: Page) -> None:
    keys = Keyboard(long_list)
    for width in (1280, 390):
        long_list.set_viewport_size({"width": width, "height": 700})
        long_list.reload()
        keys.press("j", "x")
        expect(long_list.locator(".bulk.shown")).to_be_visible()
        for key in ("j", "k"):
            for _ in range(MORE):
                keys.press(key)
                keys.focused()
        for _ in range(10):
            keys.press("Shift+Tab")  # to the titles of columns, and what is above them
            keys.focused()
    assert keys.faults == []


def test_the_focus_stays_where_a_part_of_companies_is_replaced(long_list: Page) -> None:
    keys = Keyboard(long_list)
    keys.skip()
    keys.tab_to("Columns")
    keys.press("Enter")
    keys.tab_to("Move Owner to the front")
    for expected in ("Move Owner to the front", "Move Owner to the back"):
        keys.press("Enter")
        keys.settle()
        assert keys.focused() == expected
    keys.press("Tab", "Enter")
    keys.settle()
    assert keys.focused() == "+ Owner"
    keys.press("Escape")
    keys.tab_to("Value.*", most=30)
    keys.press("Enter")
    keys.settle()
    assert keys.focused() == "Value ↓"
    assert keys.faults == []
