"""Actions that browser tests repeat."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.support.browser.running_dashboard import PASSWORD

OpenPage = Callable[..., Page]
"""Opens a page in a window of its own; see the fixtures `open_page` and `browser_page`."""


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Submit the form of the sign-in page."""
    page.goto("/sign-in")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def open_details(page: Page) -> None:
    """Open every disclosure of the page."""
    page.locator("main details").evaluate_all("all => all.forEach(item => item.open = true)")
