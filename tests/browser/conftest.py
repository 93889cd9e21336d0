"""A real browser before a real dashboard; what the console says against a page fails the test."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from config.settings import Settings
from models.database import connect, database
from models.organizations.organizations import Organization
from tests.support.browser.browsing import OpenPage, sign_in
from tests.support.browser.chromium import FLAGS, MISSING, find_chromium
from tests.support.browser.running_dashboard import RunningDashboard, running_dashboard

_numbers = itertools.count(1)

PATIENCE_MS = 15_000


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser, started once; without one the tests say so."""
    executable = find_chromium()
    if executable is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def served(
    chromium: Browser, servers: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningDashboard, Settings]]:
    """A running dashboard on a database of its own, which no other test empties."""
    settings = servers.settings()
    log = tmp_path_factory.mktemp("dashboard") / "dashboard.log"
    with running_dashboard(settings, log) as running:
        yield running, settings
    said = log.read_text(errors="replace")
    assert "Traceback" not in said, said


@pytest.fixture
def dashboard(served: tuple[RunningDashboard, Settings]) -> Iterator[RunningDashboard]:
    """The running dashboard that tests share, each in an organization of its own."""
    running, settings = served
    connect(settings)
    yield running
    database.obj.close_all()


@pytest.fixture
def organization(dashboard: RunningDashboard) -> Organization:
    """An organization of the test's own."""
    return dashboard.organization(f"org-{next(_numbers)}")


@pytest.fixture
def open_page(chromium: Browser, dashboard: RunningDashboard) -> Iterator[OpenPage]:
    """Opens windows that share nothing; options are those of Playwright's `new_context`."""
    opened = []
    complaints: list[str] = []

    def complain(message: ConsoleMessage) -> None:
        # Chromium notes a page that is itself answered with 4xx, such as a refused form.
        refused = message.text.startswith("Failed to load resource: the server responded with")
        itself = message.page is not None and message.location["url"] == message.page.url
        if message.type in ("error", "warning") and not (refused and itself):
            complaints.append(f"{message.type}: {message.text} at {message.location}")

    def complain_of_request(request: Request) -> None:
        # A browser that leaves a page ends what that page was still loading.
        if request.failure != "net::ERR_ABORTED":
            complaints.append(f"{request.url} {request.failure}")

    def build(**options: object) -> Page:
        context = chromium.new_context(base_url=dashboard.url, **options)  # type: ignore[arg-type]
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", complain)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", complain_of_request)
        return page

    yield build
    for context in opened:
        context.close()
    assert complaints == []


@pytest.fixture
def browser_page(
    dashboard: RunningDashboard, organization: Organization, open_page: OpenPage
) -> OpenPage:
    """Opens a page at which somebody with a role is signed in: `browser_page("viewer")`."""

    def build(role: str, **options: object) -> Page:
        email = f"{role}-{next(_numbers)}@example.com"
        page = open_page(**options)
        sign_in(page, dashboard.person(email, organization, role))
        page.wait_for_url("**/o/**")
        return page

    return build
