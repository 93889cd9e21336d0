"""What tests in a browser do on pages again and again."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.support.browser.running_dashboard import PASSWORD

OpenPage = Callable[..., Page]
"""Opens a window; see the fixtures `open_page` and `browser_page`."""


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fill in the form of the sign-in page, as people do."""
    page.goto("/sign-in")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
