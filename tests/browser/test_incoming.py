"""What comes in, what is refused, and the trace of an event, in a real browser."""

import re
from datetime import UTC, datetime

import pytest
import redis
from playwright.sync_api import expect

from config.settings import Settings
from models.organizations.organizations import Organization
from queues.refused.requests import RefusedRequests
from tests.support.browser.accessibility import faults_in_every_look
from tests.support.browser.browsing import OpenPage
from tests.support.browser.running_dashboard import RunningDashboard
from tests.support.ingress.refusals import refusal

REFRESH_MS = 2_000
"""How often the list asks for more."""

GOOD = b'{"event_key":"login","company":{"id":"c1","name":"Acme"}}'


@pytest.fixture
def refused(served: tuple[RunningDashboard, Settings], organization: Organization) -> "Refused":
    return Refused(served[1], organization)


class Refused:
    """Requests of an organization that are refused."""

    def __init__(self, settings: Settings, organization: Organization) -> None:
        self.organization_id = organization.id
        self.requests = RefusedRequests(redis.Redis.from_url(settings.redis_url))

    def refuse(self, event_id: str, **changes: object) -> None:
        at = datetime.now(UTC)
        self.requests.note(self.organization_id, [refusal(at=at, event_id=event_id, **changes)], at)


def test_the_live_list_refreshes_itself_and_can_be_paused(
    refused: Refused, organization: Organization, browser_page: OpenPage
) -> None:
    refused.refuse("r1")
    page = browser_page("viewer")
    page.clock.install()
    page.goto(f"/o/{organization.name}/events/live")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(1)
    refused.refuse("r2")
    page.clock.run_for(REFRESH_MS)
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "true")
    refused.refuse("r3")
    page.clock.run_for(3 * REFRESH_MS)
    page.wait_for_load_state("networkidle")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(REFRESH_MS)
    expect(rows).to_have_count(3)


def test_an_editor_sends_and_drops_what_was_refused(
    refused: Refused, organization: Organization, browser_page: OpenPage
) -> None:
    refused.refuse("r1", body=GOOD)
    refused.refuse("r2")
    page = browser_page("editor")
    page.goto(f"/o/{organization.name}/events")
    page.get_by_role("link", name="Refused", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Refused 2")
    rows = page.locator("tbody tr")
    rows.filter(has_text="r1").get_by_role("link").click()
    expect(page.get_by_label("Body")).to_have_value(re.compile('"name": "Acme"'))
    page.get_by_role("button", name="Send again", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("It was refused again: Event setting not")
    page.get_by_role("link", name="Drop").click()
    page.get_by_role("button", name="Drop request").click()
    expect(page.get_by_role("status").first).to_have_text("1 request was dropped.")
    expect(rows).to_have_count(1)
    page.get_by_role("link", name="Drop all").click()
    page.get_by_role("button", name="Drop 1").click()
    expect(page.get_by_text("Nothing was refused")).to_be_visible()


def test_an_editor_corrects_what_was_refused(
    refused: Refused, organization: Organization, browser_page: OpenPage
) -> None:
    refused.refuse("r1")
    [request] = refused.requests.page(refused.organization_id, datetime.now(UTC))
    page = browser_page("editor")
    page.goto(f"/o/{organization.name}/events/refused/{request.id}")
    typed = '\n{"event_key": "login"\n'
    page.get_by_label("Body, as JSON").fill(typed)
    page.get_by_role("button", name="Correct and send again").click()
    expect(page.get_by_role("alert")).to_contain_text("line 3 column 1")
    expect(page.get_by_label("Body, as JSON")).to_have_value(typed)
    assert faults_in_every_look(page) == []
    page.get_by_role("link", name="Show the body as it was sent").click()
    expect(page.get_by_label("Body, as JSON")).to_have_value(re.compile('"id": "c1"'))


@pytest.mark.long
def test_the_pages_are_accessible_in_every_look(
    refused: Refused, organization: Organization, browser_page: OpenPage
) -> None:
    page = browser_page("editor")
    base = f"/o/{organization.name}/events"
    refused.refuse("e" * 64, event_key="k" * 200, body=b'{"a":"' + b"x" * 30_000 + b'"}')
    refused.refuse("\u05d0\u05d1" * 20, error="<b>" * 50, status=404, body=b"")
    newest, oldest = refused.requests.page(refused.organization_id, datetime.now(UTC))
    paths = ("live", "refused", f"refused/{newest.id}", f"refused/{oldest.id}", "refused/drop")
    for path in (*paths, f"refused/{newest.id}/drop", "trace", f"trace?id={'e' * 64}"):
        page.goto(f"{base}/{path}")
        assert faults_in_every_look(page) == [], path
    expect(page.get_by_text(re.compile("Correct it, or mend the cause"))).to_be_visible()
