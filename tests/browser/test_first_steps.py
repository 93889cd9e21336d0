"""The first steps: a page that waits and turns green, a key, and rules from an example."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from config.settings import Settings
from models.database import transaction
from models.organizations import rule_versions
from models.organizations.organizations import Organization
from queues.broker import build_broker
from tests.support.browser.accessibility import faults_in_every_look, grave_faults
from tests.support.browser.browsing import OpenPage
from tests.support.browser.running_dashboard import RunningDashboard
from tests.support.ingress.refusals import note_unknown_keys
from tests.support.world import World

RULES = "version: 1\nevents: {login: {name: Signed in}, report: }\n"


@pytest.fixture
def world(organization: Organization) -> World:
    """The organization of the test, at the real present."""
    return World.of(organization, RULES, start=datetime.now(UTC))


@pytest.fixture
def refused(served: tuple[RunningDashboard, Settings], organization: Organization) -> None:
    """Events of an SDK that no rule file lists."""
    broker = build_broker(served[1].redis_url)
    names = {"Report Created": 3, "User Logged In": 2, "Page Viewed": 1}
    note_unknown_keys(broker.client, organization.id, names, datetime.now(UTC))
    broker.client.close()


def test_the_start_page_turns_green_when_the_first_event_arrives(
    world: World, browser_page: OpenPage
) -> None:
    page = browser_page("editor")
    expect(page.locator(".waiting")).to_contain_text("Waiting for the first event or company.")
    world.track("acme", -60, name="Acme", user="ann", data={"pages": 3}, plan="Pro")
    expect(page.locator("#arrivals .message.done")).to_have_text("It works: an event has arrived.")
    expect(page.locator("#arrivals .facts")).to_contain_text("Acme acme")
    assert grave_faults(page) == []
    page.get_by_role("link", name="Open Today").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")


@pytest.mark.usefixtures("refused")
def test_a_phone_shows_the_buttons_that_add_events_without_scrolling(
    world: World, browser_page: OpenPage
) -> None:
    page = browser_page("editor", viewport={"width": 390, "height": 844})
    for path in (
        "settings/developers/connect/arrivals",
        "settings/developers/connect/sdk",
        "events",
    ):
        page.goto(f"/o/{world.name}/{path}")
        for button in page.get_by_role("button", name="Add", exact=True).all():
            box = button.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= 390, path


def test_a_page_that_nobody_sees_does_not_ask(world: World, browser_page: OpenPage) -> None:
    page = browser_page("viewer")
    page.clock.install()
    page.goto(f"/o/{world.name}/settings/developers/connect/arrivals")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_response(re.compile("arrivals.*seen=")) as looked:
        page.clock.run_for(2_100)
    assert looked.value.status == 204
    page.evaluate("Object.defineProperty(document, 'visibilityState', {value: 'hidden'})")
    before = len(asked)
    page.clock.run_for(60_000)
    assert len(asked) == before


def test_without_scripts_a_link_looks_again(world: World, browser_page: OpenPage) -> None:
    page = browser_page("viewer", java_script_enabled=False)
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What has arrived")
    world.track("acme", -60, name="Acme")
    page.get_by_role("link", name="Look again").click()
    expect(page.locator(".message.done")).to_have_text("It works: an event has arrived.")


def test_an_administrator_creates_a_key_and_copies_the_lines(
    world: World, browser_page: OpenPage
) -> None:
    page = browser_page("administrator", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name=re.compile("Show how: My application already")).click()
    page.get_by_role("button", name="Create key").click()
    key = page.locator("#secret").inner_text()
    page.locator("summary", has_text="PostHog, Python").click()
    expect(page.locator("#code-segment-python")).to_be_hidden()  # one is open at a time
    page.locator("details", has_text="PostHog, Python").get_by_role("button", name="Copy").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f'posthog = Posthog("{key}", host=' in copied
    assert grave_faults(page) == []
    assert world.name in page.url


@pytest.mark.usefixtures("refused")
def test_an_example_is_chosen_and_applied_with_the_keyboard(
    world: World, browser_page: OpenPage
) -> None:
    for days in range(20):
        world.track("acme", timedelta(days=days - 40), name="Acme", plan="Pro")
    world.judge()
    page = browser_page("editor")
    page.goto(f"/o/{world.name}/rules/examples")
    expect(page.get_by_text("2 of 4 events sent")).to_be_visible()
    page.get_by_role("link", name="Choose Usage").press("Enter")
    expect(page.get_by_label("Report created")).to_have_value("sent.Report Created")
    expect(page.get_by_label("Signed in")).to_have_value("sent.login")
    page.get_by_label("Session ended").press("ArrowDown")
    page.get_by_label("Session ended").select_option("")
    page.get_by_role("button", name="Plan changes").press("Enter")
    expect(page.get_by_role("heading", name="What would change")).to_be_visible()
    expect(page.locator("#outcome")).to_contain_text("1 of 1 company would change status")
    assert grave_faults(page) == []
    page.get_by_role("button", name="Apply as version 2").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Version 2 is active.")
    with transaction():
        text = rule_versions.read_page(world.id, limit=1)[0].source
    assert "report_created: {name: Report created, called: [Report Created]}" in text
    assert "  page_viewed: {name: Page Viewed, called: [Page Viewed]}\n" in text
    assert "Short sessions" not in text


PAGES = (
    "rules/examples",
    "rules/examples/usage-drop",
    "settings/developers/connect/sdk",
    pytest.param("", marks=pytest.mark.thorough),
    pytest.param("settings/developers/connect", marks=pytest.mark.thorough),
    pytest.param("settings/developers/connect/export", marks=pytest.mark.thorough),
    pytest.param("settings/developers/connect/code", marks=pytest.mark.thorough),
    pytest.param("settings/developers/connect/arrivals", marks=pytest.mark.thorough),
)


@pytest.mark.usefixtures("refused")
@pytest.mark.parametrize("path", PAGES)
def test_the_first_steps_are_accessible_in_every_look(
    world: World, browser_page: OpenPage, path: str
) -> None:
    page = browser_page("administrator")
    page.goto(f"/o/{world.name}/{path}")
    assert faults_in_every_look(page) == []
