"""Destinations of notifications, by keyboard alone, with the processes that send to them."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Page, expect

from config.settings import Settings
from models.database import transaction
from models.notifications import destinations
from models.organizations.organizations import Organization
from services.times import utc_now
from tests.support.browser.accessibility import faults_in_every_look
from tests.support.browser.browsing import OpenPage
from tests.support.browser.running_dashboard import RunningDashboard
from tests.support.notifications.channels import Channel, channel
from tests.support.notifications.mailbox import FROM, Mailbox, serving_mailbox
from tests.support.product.procfile_lines import running_line

MOST_TABS = 60


@pytest.fixture(scope="module")
def mailbox(
    served: tuple[RunningDashboard, Settings], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mailbox]:
    """A mail server, and the processes that find and send messages."""
    logs = tmp_path_factory.mktemp("notifications")
    with ExitStack() as stack:
        mailbox = stack.enter_context(serving_mailbox())
        smtp = {
            "BRAZEBEE_SMTP_HOST": mailbox.settings.host,
            "BRAZEBEE_SMTP_PORT": str(mailbox.settings.port),
            "BRAZEBEE_SMTP_TLS": mailbox.settings.tls,
            "BRAZEBEE_SMTP_FROM": FROM,
        }
        for name in ("clock", "deliver"):
            stack.enter_context(running_line(name, served[1], logs / name, **smtp))
        yield mailbox
    for name in ("clock", "deliver"):
        output = (logs / name).read_text(errors="replace")
        assert "Traceback" not in output, output


@pytest.fixture
def slack() -> Iterator[Channel]:
    with channel("slack") as served:
        yield served


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the element with a name, or the label of a field, has the focus."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "(a => a.getAttribute('aria-label') || a.labels?.[0]?.textContent || a.textContent)"
            "(document.activeElement)"
        )
        if focused.strip() == name:
            return
    raise AssertionError(f"{MOST_TABS} times Tab do not reach {name}")


def test_a_destination_is_added_tested_and_mended_with_the_keyboard_alone(
    organization: Organization, browser_page: OpenPage, slack: Channel, mailbox: Mailbox
) -> None:
    page = browser_page("administrator")
    page.goto(f"/o/{organization.name}/settings/notifications")
    tab_to(page, "Name")
    page.keyboard.type("cs-alerts")
    tab_to(page, "URL")
    page.keyboard.type(slack.url)
    page.keyboard.press("Enter")
    row = page.locator(".destinations li", has_text="cs-alerts")
    expect(row).to_contain_text("active")
    assert "secret" not in page.content()
    tab_to(page, "Send a test")
    page.keyboard.press("Enter")
    result = page.locator("#test")
    expect(result).to_have_text("The test was accepted: cs-alerts has a message now.")
    expect(row).to_contain_text("Last success just now")
    assert len(slack.messages) == 1

    slack.answer(404, "no_service")
    tab_to(page, "Send a test")
    page.keyboard.press("Enter")
    expect(result).to_have_text("The test to cs-alerts was not accepted: answered 404: no_service")
    tab_to(page, "Change cs-alerts")
    page.keyboard.press("Enter")
    tab_to(page, "Replace URL")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Replace the URL of cs-alerts")
    tab_to(page, "New URL")
    page.keyboard.type(slack.url)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_have_text("The URL was replaced. Send a test.")
    messages = page.locator(".sent-messages li")
    expect(messages.nth(0)).to_contain_text(re.compile("failed"))
    expect(messages.nth(1)).to_contain_text(re.compile("sent"))
    messages.nth(1).get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("This is a test")


def test_a_failing_destination_shows_its_reason_in_every_look(
    organization: Organization, served: tuple[RunningDashboard, Settings], browser_page: OpenPage
) -> None:
    at = utc_now()
    with transaction():
        for name in ("cs-alerts", "a" * 100, "<b>ops</b> \N{ARABIC LETTER SEEN}"):
            destinations.add(
                organization.id, "slack", name, "http://127.0.0.1:9/x",
                secret_keys=served[1].secret_keys, at=at,
            )  # fmt: skip
        failing, gone, _ = destinations.lock_all(organization.id)
        error = "answered 503: upstream connect error"
        destinations.save_failure(failing, error, at, blocked_until=at)
        destinations.disable(gone, "answered 404: no_service", at)
    page = browser_page("administrator")
    page.goto(f"/o/{organization.name}/settings/notifications")
    expect(page.locator(".destinations li", has_text="cs-alerts")).to_contain_text(
        "Failing since just now: answered 503: upstream connect error"
    )
    expect(page.locator(".destinations li", has_text="aaa")).to_contain_text(
        "Disabled just now: answered 404: no_service"
    )
    expect(page.locator(".destinations")).to_contain_text("<b>ops</b>")
    assert faults_in_every_look(page) == []
    page.locator(".destinations li", has_text="cs-alerts").locator("summary").click()
    page.get_by_role("link", name="Replace URL").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Replace the URL")
    assert faults_in_every_look(page) == []
