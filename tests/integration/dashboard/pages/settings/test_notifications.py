"""Notifications in the dashboard: what is sent to whom, and tests of email."""

import re
from collections.abc import Iterator

import pytest

from config.settings import Settings
from services.times import utc_now
from tests.support.dashboard.application import Browser, ServeDashboard, text_of
from tests.support.notifications.mailbox import Mailbox, serving_mailbox
from tests.support.notifications.notified import RULES, Notified


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with serving_mailbox() as served:
        yield served


@pytest.fixture
def acme(settings: Settings, mailbox: Mailbox) -> Notified:
    return Notified(settings, mailbox.settings)


@pytest.fixture
def browser(acme: Notified, mailbox: Mailbox, serve_dashboard: ServeDashboard) -> Browser:
    """The browser of an administrator."""
    dashboard = serve_dashboard(smtp=mailbox.settings)
    dashboard.clock.at = utc_now()
    dashboard.person("ada@acme.com", [(acme.world.organization, "administrator")])
    browser = dashboard.browser()
    browser.sign_in("ada@acme.com")
    return browser


def page_of(acme: Notified, path: str = "") -> str:
    return f"/o/{acme.world.name}/settings/notifications{path}"


def test_a_test_to_an_email_address_shows_whether_it_was_accepted(
    acme: Notified, browser: Browser, mailbox: Mailbox
) -> None:
    page = browser.get(page_of(acme))
    assert 'value="ada@acme.com"' in page.text
    assert browser.post(page_of(acme, "/test-email"), email="x").status_code == 422
    sent = browser.post(page_of(acme, "/test-email"), email="bob@acme.com")
    assert "Sending a test to bob@acme.com" in text_of(browser.get(sent.location))
    [message] = acme.messages()
    acme.send_due()
    result = browser.get(page_of(acme, f"/tests/{message.id}"))
    assert text_of(result).strip() == "The test was accepted: bob@acme.com has a message now."
    assert len(mailbox.received("bob@acme.com")) == 1

    mailbox.reply = "550 no such user"
    sent = browser.post(page_of(acme, "/test-email"), email="eve@acme.com")
    acme.send_due()
    refused = "The test to eve@acme.com was not accepted: answered 550 no such user"
    assert refused in text_of(browser.get(sent.location))


def test_an_open_digest_shows_its_changes_so_far_and_what_waits(
    acme: Notified, browser: Browser
) -> None:
    acme.apply(f"{RULES}  - to: {{email: head@acme.com}}\n    digest: daily at 08:00 in UTC\n")
    acme.companies(3, 2, 1, csm="ann@acme.com", arr=12_000)
    [message] = acme.messages()
    page = text_of(browser.get(page_of(acme)))
    assert "Collecting changes head@acme.com, Email, 3 changes" in page
    shown = text_of(browser.get(page_of(acme, f"/messages/{message.id}")))
    assert "3 companies are Critical" in shown
    assert "Changes so far" in shown
    for name in ("C0", "C1", "C2"):
        assert f"{name} Healthy → Critical" in shown
    assert acme.messages() == [message], "looking at it closes nothing"


def test_emails_that_are_tried_again_are_reported_with_the_reason(
    acme: Notified, browser: Browser, mailbox: Mailbox
) -> None:
    mailbox.reply = "451 try later"
    acme.apply(f"{RULES}  - to: {{email: [head@acme.com, ann@acme.com]}}\n")
    acme.companies(1, 2, 1)
    acme.send_due()
    assert "Email failing" in text_of(browser.get(page_of(acme)))
    assert re.search(
        r"2 emails could not be sent yet, the oldest planned [^:]+: answered 451 try later",
        text_of(browser.get(page_of(acme))),
    )
