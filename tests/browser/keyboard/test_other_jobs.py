"""What a customer success manager does less often, with the keyboard alone from the sign-in on."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from models.organizations.organizations import Organization
from tests.browser.keyboard.conftest import signed_in
from tests.support.browser.browsing import OpenPage
from tests.support.browser.keyboard import Keyboard

pytestmark = pytest.mark.long


def test_what_changed_since_friday_is_read_and_one_change_is_opened(keys: Keyboard) -> None:
    page = keys.page
    keys.tab_to("Changes")
    keys.press("Enter")
    keys.opens("What changed")
    keys.tab_to("Since Friday")
    keys.press("Enter")
    page.wait_for_url("**/changes?span=friday")
    assert keys.focused() == "Since Friday"  # the choice keeps the focus
    keys.tab_to("7 days", most=2)
    keys.press("Enter")
    page.wait_for_url("**/changes?span=7")
    keys.press("j")
    assert keys.focused() == "Acorn"
    keys.press("Enter")
    expect(page.locator(".sentence")).to_contain_text("no reports")


def test_renewals_in_60_days_that_are_at_risk_are_listed(keys: Keyboard) -> None:
    page = keys.page
    keys.go("c", "Companies")
    keys.tab_to("60 days")
    keys.press("Enter")
    expect(page.locator(".companies tbody tr")).to_have_count(3)
    keys.tab_to("At Risk 1", back=True)
    keys.press("Enter")
    expect(page.locator(".companies tbody th a")).to_have_text(["Birch"])


def test_the_week_is_planned_by_owner_without_passing_through_other_owners(keys: Keyboard) -> None:
    page = keys.page
    keys.tab_to("Upcoming")
    keys.press("Enter")
    keys.opens("Upcoming changes")
    keys.tab_to("In the next")
    keys.press("ArrowDown", "Enter")
    page.wait_for_url("**/upcoming?days=14*")
    assert keys.focused() == "In the next"
    keys.tab_to("Owner", most=1)
    keys.press("ArrowDown", "ArrowDown")
    assert "owner=Ben" not in page.url
    keys.press("Enter")
    page.wait_for_url("**/upcoming?*owner=Ben*")
    assert keys.focused() == "Owner"


def test_a_number_of_a_flag_is_changed_and_applied_after_seeing_who_would_change(
    keys: Keyboard,
) -> None:
    page = keys.page
    keys.go("r", "Rules")
    keys.tab_to(".*At Risk.*")
    keys.type("4")
    keys.press("Enter")
    expect(page.locator("#outcome")).to_contain_text("What would change")
    assert keys.page.evaluate("document.activeElement.matches('input.in-words')")
    keys.tab_to("Apply as version 2", most=60)
    keys.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Version 2")


def test_a_flag_is_added_by_the_form_and_another_is_paused(keys: Keyboard) -> None:
    page = keys.page
    keys.go("r", "Rules")
    keys.tab_to("Pause Reports")
    keys.press("Enter")
    keys.settle()
    assert keys.focused() == "Resume Reports"
    keys.tab_to("Add a flag", back=True)
    keys.press("Enter")
    keys.settle()
    assert keys.focused() == "Name"
    keys.type("Silence")
    keys.tab_to("Event that it counts", most=1)
    keys.type("Report")
    keys.tab_to("At Risk: kind of phrase")
    keys.press("ArrowDown", "Enter")
    keys.settle()
    assert keys.focused() == "At Risk: kind of phrase"
    keys.tab_to("Add the flag")
    keys.press("Enter")
    expect(page.locator(".phrase-row.wrong")).to_contain_text("missing")
    keys.tab_to("At Risk: number of units of time", most=2)  # from the first field that is wrong
    keys.type("30")
    keys.tab_to("At Risk: unit of time", most=1)
    keys.type("days")
    keys.tab_to("Add the flag")
    keys.press("Enter")
    expect(page.locator(".rule-flags")).to_contain_text("Silence")
    expect(page.locator(".rule-flags .paused")).to_contain_text("Reports")


def test_the_text_of_the_rules_is_edited_and_left_and_a_backtest_shows_its_progress(
    keys: Keyboard,
) -> None:
    page = keys.page
    keys.go("r", "Rules")
    keys.tab_to("Text")
    keys.press("Enter")
    expect(page.locator(".cm-editor")).to_be_visible()  # until then, Tab leaves the text area
    keys.skip()
    keys.tab_to("Rules")
    keys.press("Control+Home")
    keys.type("# ours")
    keys.press("Enter", "Tab")
    assert keys.focused() == "Rules"  # Tab indents
    keys.press("Escape")
    keys.tab_to("Plan changes", most=2)
    keys.tab_to("Rules", back=True, most=2)
    keys.press("Escape")
    keys.tab_to("Backtest all companies")
    keys.press("Enter")
    expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()
    keys.opens("Backtest of 90 days")
    keys.tab_to("Cancel")
    page.wait_for_timeout(2500)  # the progress is shown again every two seconds
    assert keys.focused() == "Cancel"
    keys.press("Enter")
    expect(page.locator("#job")).to_contain_text("Cancelled")


def test_outcomes_are_entered_and_imported_from_a_file(keys: Keyboard) -> None:
    page = keys.page
    keys.go("i", "Insights")
    keys.tab_to("Outcomes", back=True)
    keys.press("Enter")
    keys.opens("Outcomes")
    keys.tab_to("Add an outcome")
    keys.press("Enter")
    keys.tab_to("Company", most=1)
    keys.type("acorn")
    keys.tab_to("Day")
    keys.type(f"{datetime.now(UTC):%m%d%Y}")
    keys.tab_to("Add outcome")
    keys.press("Enter")
    expect(page.get_by_role("table", name="Outcomes")).to_contain_text("Acorn")
    keys.skip()
    keys.tab_to("Import a file")
    keys.press("Enter")
    keys.opens("Import outcomes")
    keys.tab_to("CSV file")
    with page.expect_file_chooser() as chooser:
        keys.press("Space")
    rows = b"company_id,outcome,date,amount\nelm,renewed,2026-04-01,8400\n"
    chooser.value.set_files({"name": "outcomes.csv", "mimeType": "text/csv", "buffer": rows})
    keys.tab_to("Show what it would change", most=1)
    keys.press("Enter")
    keys.opens("outcomes.csv")
    keys.tab_to("Import 1 outcome")
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("outcomes.csv")


def test_a_report_is_printed(keys: Keyboard) -> None:
    page = keys.page
    page.evaluate("window.print = () => { window.printed = true }")
    keys.go("c", "Companies")
    keys.press("j", "Enter")
    expect(page.locator(".sentence")).to_be_visible()
    keys.skip()
    keys.tab_to("Report", most=2)
    keys.press("Enter")
    expect(page.locator(".report")).to_be_visible()
    keys.skip()
    keys.tab_to("Print or save as PDF")
    keys.press("Enter")
    page.wait_for_function("() => window.printed")


def test_mentions_are_marked_as_read_and_a_note_is_deleted(
    keys: Keyboard, organization: Organization, open_page: OpenPage
) -> None:
    page = keys.page
    keys.go("c", "Companies")
    keys.press("j", "Enter")
    expect(page.locator(".sentence")).to_be_visible()
    keys.skip()
    keys.tab_to("Notes")
    keys.press("Enter")
    page.wait_for_url("**/notes")
    for _ in range(2):
        keys.skip()
        keys.tab_to("Note")
        keys.type("@nadia")
        expect(page.get_by_role("listbox", name="Colleagues")).to_be_visible()
        keys.press("Enter", "Tab", "Enter")
        expect(page.get_by_role("status").first).to_have_text("Your note was added.")
    reader = signed_in(open_page, f"nadia@{organization.name}.example.com")
    reader.go("m", "Mentions")
    reader.tab_to("Mark as read: .*")
    reader.press("Enter")
    expect(reader.page.locator(".unread")).to_have_count(1)
    reader.tab_to("Mark all as read", back=True)
    reader.press("Enter")
    expect(reader.page.locator(".unread")).to_have_count(0)
    assert reader.faults == []
    page.on("dialog", lambda dialog: dialog.accept())
    keys.skip()
    keys.tab_to("Delete.*")
    keys.press("Enter")
    expect(page.locator(".notes > li")).to_have_count(1)


def test_the_time_zone_is_changed(keys: Keyboard) -> None:
    page = keys.page
    keys.tab_to("Change the time zone", back=True, most=2)
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
    keys.tab_to("Time zone")
    keys.press("Control+a")
    keys.type("Asia/Kolkata")
    keys.tab_to("Save time zone")
    keys.press("Enter")
    expect(page.get_by_role("contentinfo")).to_contain_text("Asia/Kolkata")
