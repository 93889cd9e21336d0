"""No page breaks, whatever its names and texts are, on any width of screen or by the keyboard."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page

from config.settings import Settings
from tests.support.browser.all_pages import State, address, endpoints, states
from tests.support.browser.awkward.organization import create_world
from tests.support.browser.awkward.records import add_records
from tests.support.browser.awkward.texts import in_words
from tests.support.browser.browsing import OpenPage
from tests.support.browser.keyboard import Keyboard
from tests.support.browser.layout import layout_faults
from tests.support.browser.running_dashboard import RunningDashboard
from tests.support.product.procfile_lines import running_line

EMAIL = "ann@example.com"
PATIENCE_MS = 20_000
MOST_STOPS = 30
"""Presses of Tab on a page: the header, and as much of the content as one looks at before j."""

OPEN = "all => all.forEach(item => item.open = true)"


def test_every_page_is_among_those_that_are_tested_with_awkward_data() -> None:
    assert {state.endpoint for state in states(defaultdict(str))} == endpoints()


@pytest.mark.long
@pytest.mark.timeout(300)
def test_awkward_data_breaks_no_page(
    dashboard: RunningDashboard,
    served: tuple[RunningDashboard, Settings],
    open_page: OpenPage,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = served[1]
    organization = dashboard.organization(in_words("Organization", 120))
    token = dashboard.session_token(dashboard.person(EMAIL, organization, "administrator"))
    world = create_world(organization, settings, datetime.now(UTC))
    values = add_records(world, settings)
    page, visitor = open_page(), open_page()
    page.context.add_cookies([{"name": "brazebee_session", "value": token, "url": dashboard.url}])
    page.set_default_timeout(PATIENCE_MS)
    found = defaultdict[str, set[str]](set)
    with running_line("evaluate", settings, tmp_path_factory.mktemp("log") / "evaluate.log"):
        for state in states(values):
            shown = visitor if state.endpoint == "sign_in.page" else page
            for fault in faults_of(shown, state, values):
                found[fault].add(state.endpoint)
    assert not found, "\n".join(f"{fault} on {sorted(pages)}" for fault, pages in found.items())


def faults_of(page: Page, state: State, values: Mapping[str, Any]) -> list[str]:
    """Open a page in a state; return what is wrong, first as it opens, then with all details."""
    page.set_viewport_size({"width": 1440, "height": 900})
    response = page.goto(address(state, values))
    assert response is not None
    assert response.ok, (state, response.status)
    faults = [] if state.values else focus_faults(page)
    state.prepare(page)
    faults += layout_faults(page)
    details = page.locator("main details:not(.menu)")
    if details.count():
        details.evaluate_all(OPEN)
        faults += layout_faults(page)
    return faults


def focus_faults(page: Page) -> list[str]:
    """Return where the focus cannot be seen: each way through the page by Tab, once."""
    keys = Keyboard(page)
    for key in ("Tab", "Shift+Tab"):
        page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
        for _ in range(MOST_STOPS):
            keys.press(key)
            if page.evaluate("document.activeElement === document.body"):
                break  # the end of the page
            keys.focused()
    return [fault.rpartition(" on ")[0] for fault in dict.fromkeys(keys.faults)]
