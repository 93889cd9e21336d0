"""What a customer success manager does most often, with the keyboard alone from the sign-in on."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.support.browser.keyboard import Keyboard

pytestmark = pytest.mark.long

CRITICAL = "Acorn"
"""The only Critical company of Ann."""


def test_my_critical_companies_are_found_and_one_says_why(keys: Keyboard) -> None:
    page = keys.page
    keys.opens("Today")
    keys.tab_to(r"Critical 1 · 40,000")  # of Your companies
    keys.press("Enter")
    expect(page.locator(".companies tbody tr")).to_have_count(1)
    keys.press("j")
    assert keys.focused() == CRITICAL
    keys.press("Enter")
    expect(page.locator(".sentence")).to_contain_text("no reports for 25 days")
    assert keys.presses <= 25


def test_a_note_mentions_a_colleague_who_is_chosen_from_a_list(keys: Keyboard) -> None:
    page = keys.page
    keys.press("/")
    keys.type("acorn")
    expect(page.locator("#found a").first).to_contain_text(CRITICAL)
    keys.press("ArrowDown", "Enter")
    keys.opens(CRITICAL)
    keys.tab_to("Notes")
    keys.press("Enter")
    page.wait_for_url("**/notes")
    keys.opens(CRITICAL)
    keys.tab_to("Note")
    keys.type("x j ? / please call them, @na")  # what are keys elsewhere is text here
    offered = page.get_by_role("listbox", name="Colleagues")
    expect(offered.get_by_role("option", selected=True)).to_contain_text("nadia")
    keys.press("ArrowDown", "Enter")
    keys.type("today.")
    keys.tab_to("Add note", most=1)
    keys.press("Enter")
    expect(page.locator(".notes")).to_contain_text("x j ? / please call them, @nadia today.")
    assert keys.presses <= 40


def test_a_work_item_is_opened_assigned_dated_and_set_in_work(keys: Keyboard) -> None:
    page = keys.page
    keys.go("w", "Worklist")
    keys.tab_to("Team 5")
    keys.press("Enter")
    expect(page.locator(".worklist tbody")).to_have_count(5)
    keys.press("j", "j", "o")
    item = page.locator(".worklist tbody").nth(1)
    expect(item.get_by_label("State")).to_be_focused()
    keys.press("ArrowDown", "ArrowDown")
    keys.tab_to("Assignee", most=1)
    keys.settle()
    assert keys.focused() == "Assignee"
    keys.type("nadia")
    keys.press("Enter")
    keys.settle()
    keys.tab_to("Due", most=1)
    due = datetime.now(UTC).date() + timedelta(days=3)
    keys.type(f"{due:%m%d%Y}")
    keys.tab_to("Next step")
    keys.settle()
    keys.type("Call them")
    keys.press("Enter")
    history = item.get_by_role("list", name="History").get_by_role("listitem")
    expect(history).to_have_count(4)
    expect(history).to_contain_text([
        "set it to in work", "assigned it to nadia", f"set the date to {due}",
        "set the next step to “Call them”",
    ])  # fmt: skip
    keys.press("Escape")
    assert keys.focused().startswith("Edit Reports of")
    expect(item.get_by_label("State")).to_have_count(0)
    assert keys.presses <= 45


def test_five_companies_are_snoozed_at_once_and_that_is_undone(keys: Keyboard) -> None:
    page = keys.page
    keys.go("c", "Companies")
    for _ in range(5):
        keys.press("j", "x")
    expect(page.get_by_text("5 selected")).to_be_visible()
    keys.press("a")
    assert keys.focused() == "Reason or note"
    keys.press("Escape")
    assert keys.focused() == "Birch"
    keys.press("a")
    keys.type("at the fair")
    keys.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("5 items snoozed for 7 days.")
    keys.skip()
    keys.tab_to("Undo", most=1)
    keys.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("5 items undone.")
    assert keys.presses <= 30


def test_selected_items_are_set_in_work_and_assigned_by_keys(keys: Keyboard) -> None:
    page = keys.page
    keys.go("w", "Worklist")
    keys.tab_to("Team.*")
    keys.press("Enter")
    page.wait_for_url("**/worklist?whose=team")
    keys.press("j", "x", "j", "x", "w")
    expect(page.get_by_role("status").first).to_contain_text("2 items marked in work.")
    keys.press("j", "x", "g", "w")  # `w` after `g` opens the page
    page.wait_for_url("**/worklist")
    page.go_back()
    expect(page.get_by_text("1 selected")).to_be_visible()
    keys.press("j", "k", "u")
    assert keys.focused() == "Assign to"
    keys.type("nadia")
    keys.tab_to("Assign", most=1)
    keys.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("1 item assigned to nadia")


def test_companies_are_filtered_sorted_shown_in_columns_and_kept_as_a_view(keys: Keyboard) -> None:
    page = keys.page
    keys.go("c", "Companies")
    keys.tab_to("Add filter")
    keys.press("Enter")
    keys.tab_to("Field")
    keys.type("csm")
    expect(page.locator(".values")).to_contain_text("Ben 4")
    keys.tab_to("Ben 4")
    keys.press("Enter")
    expect(page.locator(".chip")).to_contain_text("csm is Ben")
    keys.skip()
    keys.tab_to("Columns")
    keys.press("Enter")
    keys.tab_to("Move Owner to the front")
    for _ in range(2):
        keys.press("Enter")
        keys.settle()
    assert keys.focused() == "Move Owner to the back"  # there is nothing before it
    keys.tab_to("Hide Owner", most=1)
    keys.press("Enter")
    keys.settle()
    assert keys.focused() == "+ Owner"
    keys.press("Escape")
    assert keys.focused() == "Columns"
    keys.tab_to("Value", most=30)
    keys.press("Enter")
    expect(page.locator(".companies tbody th a")).to_have_text(["Dune", "Cedar", "Elm", "Fir"])
    assert keys.focused() == "Value ↓"
    keys.tab_to("Save this view", back=True)
    keys.press("Enter")
    keys.tab_to("Name", most=1)
    keys.type("Of Ben")
    keys.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("was saved")
    questions: list[str] = []
    page.on("dialog", lambda dialog: (questions.append(dialog.message), dialog.accept()))
    keys.skip()
    keys.tab_to("Change view")
    keys.press("Enter")
    keys.tab_to("Delete view")
    keys.press("Enter")
    expect(page.get_by_role("status").first).to_have_text(re.compile("deleted"))
    assert questions == ["Delete the view “Of Ben”?"]
    assert keys.presses <= 90
