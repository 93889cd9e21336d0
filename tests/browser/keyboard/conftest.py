"""People who use the dashboard with the keyboard alone, from the sign-in on."""

from collections.abc import Iterator

import pytest

from models.organizations.organizations import Organization
from tests.support.browser.browsing import OpenPage
from tests.support.browser.customers import add_customers
from tests.support.browser.keyboard import Keyboard
from tests.support.browser.running_dashboard import PASSWORD, RunningDashboard


def signed_in(open_page: OpenPage, email: str) -> Keyboard:
    """Sign in, and return the keyboard of the window."""
    page = open_page()
    page.goto("/sign-in")
    keys = Keyboard(page)
    assert keys.focused() == "Email"
    keys.type(email)
    keys.tab_to("Password", most=1)
    keys.type(PASSWORD)
    keys.press("Enter")
    page.wait_for_url("**/o/**")
    return keys


def keyboard_of(
    role: str, organization: Organization, dashboard: RunningDashboard, open_page: OpenPage
) -> Iterator[Keyboard]:
    """Sign in as a person with a role and six customers; afterwards nothing hid the focus."""
    email = dashboard.person(f"ann@{organization.name}.example.com", organization, role)
    dashboard.person(f"nadia@{organization.name}.example.com", organization, "editor")
    add_customers(organization, owner=email)
    keys = signed_in(open_page, email)
    yield keys
    assert keys.faults == []


@pytest.fixture
def keys(
    organization: Organization, dashboard: RunningDashboard, open_page: OpenPage
) -> Iterator[Keyboard]:
    """The keyboard of Ann, an editor, who owns two of six companies."""
    yield from keyboard_of("editor", organization, dashboard, open_page)


@pytest.fixture
def administrator(
    organization: Organization, dashboard: RunningDashboard, open_page: OpenPage
) -> Iterator[Keyboard]:
    """The keyboard of Ann, who is an administrator here."""
    yield from keyboard_of("administrator", organization, dashboard, open_page)
