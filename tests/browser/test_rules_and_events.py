"""Changes of rules and events, in the real editor."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, Route, expect

from models.database import transaction
from models.organizations import rule_versions
from models.organizations.organizations import Organization
from services.rules.apply_rules import apply_rules
from tests.support.browser.accessibility import faults_in_every_look, grave_faults
from tests.support.browser.browsing import OpenPage

RULES = """\
# Ours
version: 1
events:
  login: {name: Signed in}
  report: {name: Report}   # monthly
flags:
  - flag: Gone quiet
    event: login
    when:
      At Risk: no activity for 7 days
"""


RIGHT_TO_LEFT = "\u05d0\u05d1 " * 60

LONG_NAMES = f"""\
version: 1
statuses: [{", ".join(f"{name} {'very ' * 12}long" for name in ("A", "B", "C", "D", "E", "F"))}]
events:
  login: {{name: "{"W" * 200}"}}
flags:
  - flag: "<b>{"x" * 190}</b>"
    event: login
    when: {{B {"very " * 12}long: no activity for 7 days}}
    note: "{"note" * 200}"
  - flag: "\u05d0{RIGHT_TO_LEFT}x"
    event: login
    when: {{F {"very " * 12}long: less than 5 times in 7 days}}
    enabled: false
"""


def put_in_force(organization: Organization, text: str, by: str = "brazebee up") -> None:
    with transaction():
        apply_rules(organization.id, text, file="r", applied_by=by, now=datetime.now(UTC))


def latest(organization: Organization) -> str:
    with transaction():
        return rule_versions.read_page(organization.id, limit=1)[0].source


@pytest.fixture
def page(organization: Organization, browser_page: OpenPage) -> Page:
    """The rules page, opened by an editor of the organization."""
    put_in_force(organization, RULES)
    page = browser_page("editor")
    page.goto(f"/o/{organization.name}/rules?view=text")
    expect(page.locator("#check-result")).to_have_text("No errors.")
    return page


def type_after(page: Page, text: str, typed: str) -> None:
    page.locator(".cm-line", has_text=text).click()
    page.keyboard.press("End")
    page.keyboard.type(typed)


def test_a_number_is_changed_by_keyboard_and_who_would_change_is_shown_beside_it(
    organization: Organization, browser_page: OpenPage
) -> None:
    put_in_force(organization, RULES)
    page = browser_page("editor")
    page.goto(f"/o/{organization.name}/")
    page.get_by_role("link", name="Rules").first.click()
    number = page.get_by_label("Gone quiet, At Risk: number in “no activity for 7 days”")
    number.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("9")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What would change")).to_be_visible()
    expect(page.locator("#number-0")).to_be_focused()
    expect(page.locator(".difference .added")).to_contain_text("no activity for 9 days")
    page.get_by_role("button", name="Edit Gone quiet").click()
    expect(page.locator("#part-1-length")).to_have_value("9")
    page.locator("#kind-2").select_option("count")
    page.locator("#part-2-number").fill("3")
    page.locator("#part-2-length").fill("30")
    page.get_by_label("Name", exact=True).focus()
    expect(page.locator(".difference")).to_contain_text("Critical: less than 3 times in 30 days")
    assert faults_in_every_look(page) == []
    page.get_by_role("button", name="Text", exact=True).click()
    expect(page.locator(".cm-content")).to_contain_text("no activity for 9 days")
    page.get_by_role("button", name="Flags", exact=True).click()
    page.get_by_role("button", name="Apply as version 2").click()
    expect(page.get_by_text("Version 2 is active.")).to_be_visible()
    assert latest(organization) == RULES.replace("7 days", "9 days")


def test_a_fault_is_marked_in_the_text_while_typing(page: Page) -> None:
    type_after(page, "no activity for 7 days", "z")
    expect(page.locator("#check-result")).to_contain_text("1 error. First: line 10")
    expect(page.locator(".cm-lintRange-error")).to_have_text("daysz")
    page.keyboard.press("Backspace")
    expect(page.locator("#check-result")).to_have_text("No errors.")


def test_what_is_typed_before_the_editor_has_loaded_continues_in_it(
    organization: Organization, browser_page: OpenPage
) -> None:
    put_in_force(organization, RULES)
    page = browser_page("editor")
    waiting: list[Route] = []

    def keep_waiting(route: Route) -> None:
        waiting.append(route)

    page.route("**/rules_editor*", keep_waiting)
    page.goto(f"/o/{organization.name}/rules?view=text&line=5")
    area = page.locator("textarea#text")
    area.focus()
    page.keyboard.press("Control+End")
    page.keyboard.type("  - flag: Qui")
    expect(page.locator(".cm-content")).to_have_count(0)
    while not waiting:
        page.wait_for_timeout(10)
    for route in waiting:
        route.continue_()
    expect(page.locator(".cm-content")).to_be_focused()
    expect(page.locator(".cm-activeLine")).to_be_in_viewport()
    page.keyboard.type("et")
    expect(area).to_have_value(RULES + "  - flag: Quiet")


def test_the_editor_completes_keys_events_statuses_and_phrases(page: Page) -> None:
    completions = page.locator(".cm-tooltip-autocomplete li")
    type_after(page, "no activity for 7 days", "\nCri")
    expect(completions).to_have_text(["Critical"])
    page.keyboard.press("Escape")
    for _ in "Cri":
        page.keyboard.press("Backspace")
    page.keyboard.type("Critical: no act")
    expect(completions.first).to_have_text("no activity for 2 weeks")
    page.keyboard.press("Escape")
    type_after(page, "event: login", "\nrec")
    expect(completions).to_contain_text(["recover"])
    page.keyboard.press("Escape")
    type_after(page, "event: login", "x")
    for _ in "loginx":
        page.keyboard.press("Backspace")
    page.keyboard.type("re")
    expect(completions).to_contain_text(["report"])


def test_planned_changes_are_applied_and_comments_are_kept(
    page: Page, organization: Organization
) -> None:
    type_after(page, "no activity for 7 days", "   # a week")
    page.get_by_role("button", name="Plan changes").click()
    expect(page.get_by_role("heading", name="What would change")).to_be_visible()
    assert grave_faults(page) == []
    page.get_by_role("button", name="Apply as version 2").click()
    expect(page.get_by_role("status").first).to_contain_text("Version 2 is active.")
    assert latest(organization) == RULES.replace("7 days\n", "7 days   # a week\n")


def test_an_edit_invalidates_the_outcome_on_the_page(page: Page) -> None:
    page.get_by_role("button", name="Backtest", exact=True).click()
    expect(page.locator("#outcome")).to_contain_text("There are no companies to replay yet.")
    assert grave_faults(page) == []
    type_after(page, "# Ours", "!")
    expect(page.locator("#outcome")).to_have_text("The text has changed. Plan it again.")


def test_a_conflicting_edit_shows_the_changes_made_in_the_meantime(
    page: Page, organization: Organization
) -> None:
    put_in_force(organization, RULES.replace("Ours", "Theirs"), by="bob@acme.com")
    type_after(page, "no activity for 7 days", "   # mine")
    page.get_by_role("button", name="Plan changes").click()
    expect(page.get_by_role("alert")).to_contain_text(
        "You started from version 1, but bob@acme.com"
    )
    expect(page.locator(".difference .removed").first).to_contain_text("# Theirs")
    assert "Theirs" in latest(organization)
    page.get_by_role("button", name="Plan changes").click()
    page.get_by_role("button", name="Apply as version 3").click()
    expect(page.get_by_role("status").first).to_contain_text("Version 3 is active.")
    assert "# mine" in latest(organization)


def test_an_event_is_switched_off_and_the_rest_of_the_rules_is_kept(
    page: Page, organization: Organization
) -> None:
    page.get_by_role("link", name="Events", exact=True).click()
    row = page.get_by_role("row", name=re.compile("Report"))
    row.locator("summary").click()
    page.once("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("status")).to_have_text("report is now rejected.")
    expect(row).to_contain_text("disabled")
    assert latest(organization) == RULES.replace("{name: Report}", "{name: Report, enabled: false}")


@pytest.mark.long
def test_rules_and_events_are_accessible_in_every_look(
    organization: Organization, browser_page: OpenPage
) -> None:
    put_in_force(organization, RULES)
    put_in_force(organization, LONG_NAMES)
    page = browser_page("editor")
    for path in ("rules", "rules?view=text", "rules/versions", "rules/versions/2", "events"):
        page.goto(f"/o/{organization.name}/{path}")
        if path == "rules?view=text":
            expect(page.locator("#check-result")).to_have_text("No errors.")
        assert faults_in_every_look(page) == [], path
