"""A real browser and a real dashboard, one each per process; console errors fail the test."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from config.settings import Settings
from models.database import connect, database
from models.organizations.organizations import Organization
from tests.support.browser.browsing import OpenPage
from tests.support.browser.chromium import FLAGS, MISSING, find_chromium
from tests.support.browser.running_dashboard import RunningDashboard, running_dashboard

_numbers = itertools.count(1)

TIMEOUT_MS = 15_000


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser, started once; without one the tests are skipped with the reason."""
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
    """A running dashboard, started once, on a database of its own that no other test empties."""
    settings = servers.settings()
    log = tmp_path_factory.mktemp("dashboard") / "dashboard.log"
    with running_dashboard(settings, log) as running:
        yield running, settings
    output = log.read_text(errors="replace")
    assert "Traceback" not in output, output


@pytest.fixture
def dashboard(served: tuple[RunningDashboard, Settings]) -> Iterator[RunningDashboard]:
    """The running dashboard; tests share it, each in an organization of its own."""
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
    """Opens isolated windows; options are those of Playwright's `new_context`."""
    contexts = []
    errors: list[str] = []

    def record_message(message: ConsoleMessage) -> None:
        # Chromium also reports a page that is itself a 4xx response, such as a rejected form.
        refused = message.text.startswith("Failed to load resource: the server responded with")
        is_page = message.page is not None and message.location["url"] == message.page.url
        if message.type in ("error", "warning") and not (refused and is_page):
            errors.append(f"{message.type}: {message.text} at {message.location}")

    def record_failed_request(request: Request) -> None:
        # A browser that leaves a page aborts the requests of that page.
        if request.failure != "net::ERR_ABORTED":
            errors.append(f"{request.url} {request.failure}")

    def build(**options: object) -> Page:
        context = chromium.new_context(base_url=dashboard.url, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("console", record_message)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("requestfailed", record_failed_request)
        return page

    yield build
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def browser_page(
    dashboard: RunningDashboard, organization: Organization, open_page: OpenPage
) -> OpenPage:
    """Opens the start page, signed in as a new person with a role: `browser_page("viewer")`.

    The session is begun in the database: the form costs a page and a password hash per test.
    """

    def build(role: str, **options: object) -> Page:
        email = f"{role}-{next(_numbers)}@example.com"
        token = dashboard.session_token(dashboard.person(email, organization, role))
        page = open_page(**options)
        page.context.add_cookies(
            [{"name": "brazebee_session", "value": token, "url": dashboard.url}]
        )
        page.goto("/")
        page.wait_for_url("**/o/**")
        return page

    return build
