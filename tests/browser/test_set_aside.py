"""Events that are set aside, in a real browser."""

import re
from datetime import UTC, datetime

import orjson
import pytest
from playwright.sync_api import expect

from models.database import transaction
from models.events import rejected_events
from models.organizations import audit_log
from models.organizations.organizations import Organization
from services.events.set_aside import set_aside
from tests.support.browser.accessibility import faults_in_every_look
from tests.support.browser.browsing import OpenPage


def put_aside(organization: Organization, event_id: str, company: str = "acme") -> None:
    at = datetime.now(UTC)
    message = {
        "organization_id": organization.id,
        "key_id": None,
        "event_id": event_id,
        "event_key": "login",
        "company": {"id": company, "name": company.title(), "about": "x" * 500},
        "user": None,
        "data": {"long": "y " * 4_000},
        "occurred_at": at,
        "received_at": at,
    }
    fields = (b"1", orjson.dumps(message), b"t", b"1769000000000000")
    with transaction():
        set_aside(organization.id, fields, f"DataError: {'a long reason ' * 30}\nDETAIL: more")


@pytest.fixture
def base(organization: Organization) -> str:
    return f"/o/{organization.name}/events/set-aside"


def test_an_editor_follows_the_notice_and_retries_and_drops_with_the_keyboard(
    base: str, organization: Organization, browser_page: OpenPage
) -> None:
    for number in range(4):
        put_aside(organization, f"e{number}", "bolt" if number == 3 else "acme")
    page = browser_page("editor")
    page.get_by_role("link", name="4 accepted events").click()
    expect(page.get_by_role("heading", name="Set aside")).to_contain_text("4")
    expect(page.get_by_role("link", name="Events", exact=True).first).to_have_attribute(
        "aria-current", "page"
    )
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(4)
    page.get_by_label("Company").fill("acme")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(3)
    rows.filter(has_text="e2").get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Event e2")
    expect(page.get_by_label("Content")).to_contain_text('"event_id": "e2"')
    page.get_by_role("button", name="Retry").focus()
    page.keyboard.press("Enter")
    message = page.get_by_role("status").first
    expect(message).to_contain_text("1 event is being stored.")
    expect(rows).to_have_count(3)
    rows.filter(has_text="e1").get_by_role("link").click()
    page.get_by_role("link", name="Drop").click()
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("link", name="Drop").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Drop this event?")).to_be_visible()
    page.get_by_role("button", name="Drop event").focus()
    page.keyboard.press("Enter")
    expect(message).to_have_text("1 event was dropped.")
    page.goto(f"{base}?company=bolt")
    page.get_by_role("button", name="Retry all that are shown").click()
    expect(message).to_contain_text("1 event is being stored.")
    page.get_by_role("link", name="Show all events").click()
    page.get_by_role("link", name="Drop all").click()
    page.get_by_role("button", name="Drop 1").click()
    expect(message).to_have_text("1 event was dropped.")
    expect(page.get_by_text("Every accepted event could be stored.")).to_be_visible()
    with transaction():
        assert rejected_events.count(organization.id, {}) == 0
        actions = [entry.action for entry in audit_log.read_page(organization.id, limit=10)]
    assert actions[:4] == ["Events dropped", "Events retried", "Events dropped", "Events retried"]


@pytest.mark.long
def test_the_pages_are_accessible_in_every_look(
    base: str, organization: Organization, browser_page: OpenPage
) -> None:
    page = browser_page("editor")
    page.goto(base)
    expect(page.get_by_text("Nothing is set aside")).to_be_visible()
    assert faults_in_every_look(page) == []
    put_aside(organization, "e" * 300, "c" * 300)
    with transaction():
        set_aside(organization.id, (b"2", b"\xff\x00" * 400, b"x", b"y"), "unknown format: 2")
        newest = rejected_events.latest_id(organization.id)
    drop_all = f"/drop?company={'c' * 300}"
    for path in ("", f"/{newest}", f"/{newest - 1}", f"/{newest - 1}/drop", drop_all):
        page.goto(base + path)
        assert faults_in_every_look(page) == [], path
    for other in ("", "events"):
        page.goto(f"/o/{organization.name}/{other}")
        expect(page.get_by_role("link", name="2 accepted events")).to_be_visible()
        assert faults_in_every_look(page) == [], other


def test_a_viewer_reads_and_cannot_change_anything(
    base: str, organization: Organization, browser_page: OpenPage
) -> None:
    put_aside(organization, "e1")
    page = browser_page("viewer")
    page.goto(base)
    page.get_by_role("link", name=re.compile("Event set aside")).click()
    expect(page.get_by_label("Content")).to_be_visible()
    expect(page.get_by_role("main").locator("form[method=post]")).to_have_count(0)
    expect(page.get_by_role("link", name="Drop")).to_have_count(0)
