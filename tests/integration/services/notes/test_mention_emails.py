"""Members whom notes mention get an email, through the sender of notifications."""

from collections.abc import Iterator

import pytest

from config.settings import Settings
from models.database import transaction
from models.people import people
from services.times import utc_now
from tests.support.dashboard.application import Browser, Dashboard, ServeDashboard, text_of
from tests.support.notifications.mailbox import Mailbox, serving_mailbox
from tests.support.notifications.notified import RULES, Notified


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with serving_mailbox() as served:
        yield served


@pytest.fixture
def acme(settings: Settings, mailbox: Mailbox) -> Notified:
    """An organization with two companies in trouble."""
    acme = Notified(settings, mailbox.settings)
    acme.apply(RULES.replace("notify:\n", ""))
    acme.companies(2, 1, at=0.0)
    return acme


@pytest.fixture
def served(acme: Notified, mailbox: Mailbox, serve_dashboard: ServeDashboard) -> Dashboard:
    dashboard = serve_dashboard(smtp=mailbox.settings)
    dashboard.clock.at = utc_now()
    for name, role in (("ann", "editor"), ("ben", "viewer"), ("eve", "viewer")):
        dashboard.person(f"{name}@acme.com", [(acme.world.organization, role)])
    return dashboard


def signed_in(dashboard: Dashboard, name: str) -> Browser:
    browser = dashboard.browser()
    browser.sign_in(f"{name}@acme.com")
    return browser


def note(browser: Browser, acme: Notified, text: str) -> None:
    answer = browser.post(f"/o/{acme.world.name}/companies/c0/notes", text=text)
    assert answer.status_code == 303


def test_a_mentioned_member_gets_one_email_with_the_note(
    acme: Notified, served: Dashboard, mailbox: Mailbox
) -> None:
    ann = signed_in(served, "ann")
    note(ann, acme, "@ben@acme.com <b>call them</b>, @ann@acme.com and I write.")
    for _ in range(2):
        acme.send_due()
    [(recipients, email)] = mailbox.emails
    assert recipients == ["ben@acme.com"]
    assert email["Subject"].endswith("mentioned you in a note about C0")
    text, html = (str(part.get_payload(decode=True), "utf-8") for part in email.get_payload())
    assert "call them" in text
    assert f"https://health.acme.com/o/{acme.world.name}/companies/c0/notes" in text
    assert "&lt;b&gt;call them&lt;/b&gt;" in html
    [number] = acme.world.rows("select max(id) as id from company_notes")
    address = f"/o/{acme.world.name}/companies/c0/notes/{number['id']}"
    for changed in ("@ben@acme.com call them today", "@ben@acme.com @eve@acme.com call them today"):
        assert ann.post(address, text=changed).status_code == 303
    acme.send_due()
    assert [to for to, _ in mailbox.emails] == [["ben@acme.com"], ["eve@acme.com"]]


def test_who_does_not_want_emails_or_may_not_sign_in_gets_none(
    acme: Notified, served: Dashboard, mailbox: Mailbox
) -> None:
    ben = signed_in(served, "ben")
    assert 'name="mention_emails" checked' in ben.get("/account").text
    page = ben.get(ben.post("/account/mention-emails").location)
    assert "You get no email when a note mentions you." in text_of(page)
    assert 'name="mention_emails" checked' not in page.text
    with transaction():
        eve = people.find("eve@acme.com")
        assert eve
        people.disable(eve.id, utc_now())
    ann = signed_in(served, "ann")
    note(ann, acme, "@ben@acme.com @eve@acme.com look")
    acme.send_due()
    assert mailbox.emails == []
    ben.post("/account/mention-emails", mention_emails="on")
    note(ann, acme, "@ben@acme.com look again")
    acme.send_due()
    assert [to for to, _ in mailbox.emails] == [["ben@acme.com"]]


def test_a_note_about_many_companies_is_one_email(
    acme: Notified, served: Dashboard, mailbox: Mailbox
) -> None:
    ann = signed_in(served, "ann")
    ann.post(
        f"/o/{acme.world.name}/worklist/companies",
        action="note", text="@ben@acme.com look at these", company=["c0", "c1"],
    )  # fmt: skip
    acme.send_due()
    [email] = mailbox.received("ben@acme.com")
    assert email["Subject"].endswith("mentioned you in 2 notes")
    text = str(email.get_payload()[0].get_payload(decode=True), "utf-8")
    assert "C0: note by" in text
    assert "C1: note by" in text


def test_without_a_mail_server_nothing_waits_to_be_sent(
    acme: Notified, serve_dashboard: ServeDashboard
) -> None:
    dashboard = serve_dashboard()
    dashboard.clock.at = utc_now()
    for name in ("ann", "ben"):
        dashboard.person(f"{name}@acme.com", [(acme.world.organization, "editor")])
    ann = signed_in(dashboard, "ann")
    note(ann, acme, "@ben@acme.com look")
    assert "This installation sends no email" in text_of(ann.get("/account"))
    assert acme.world.rows("select from notification_messages where organization_id = %(id)s") == []
