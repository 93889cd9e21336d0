"""The frame of every page by the keyboard: its content, menus, lists and help."""

import pytest
from playwright.sync_api import Page, expect

from models.organizations.organizations import Organization
from tests.support.browser.browsing import OpenPage
from tests.support.browser.customers import add_customers
from tests.support.browser.keyboard import Keyboard


@pytest.fixture
def page(organization: Organization, browser_page: OpenPage) -> Page:
    """Today of an organization with six companies, as an editor sees it."""
    add_customers(organization)
    return browser_page("editor")


def test_the_first_press_of_tab_offers_to_skip_the_header(page: Page) -> None:
    keys = Keyboard(page)
    keys.skip()
    keys.tab_to("Critical .*", most=1)
    assert keys.faults == []


def test_a_click_on_a_text_leaves_the_page_as_it_is(page: Page) -> None:
    heading = page.get_by_role("heading", level=2).first
    heading.click()
    expect(heading).to_be_in_viewport()
