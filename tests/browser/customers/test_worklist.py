"""The worklist in a browser: by the keyboard alone, and in every look."""

import pytest
from playwright.sync_api import Dialog, Page, expect

from models.organizations.organizations import Organization
from tests.support.browser.accessibility import faults_in_every_look
from tests.support.browser.browsing import OpenPage
from tests.support.browser.customers import add_customers


@pytest.fixture
def worklist(organization: Organization, browser_page: OpenPage) -> Page:
    """The items of the team, as an editor sees them."""
    add_customers(organization)
    page = browser_page("editor")
    page.goto(f"/o/{organization.name}/worklist?whose=team")
    return page


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the element with an accessible name has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            return
    raise AssertionError(f"Tab does not reach {name}")


def test_items_are_changed_snoozed_and_restored_by_the_keyboard(worklist: Page) -> None:
    page, keys = worklist, worklist.keyboard
    keys.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    keys.press("Escape")

    keys.press("j")
    keys.press("j")
    keys.press("o")  # the details of the second row; the focus is on its first control
    second = page.locator(".worklist tbody").nth(1)
    expect(second.get_by_label("State")).to_be_focused()
    keys.press("i")
    keys.press("Enter")
    expect(second.locator(".assignee")).to_contain_text("In work")
    expect(second.get_by_label("State")).to_be_focused()
    expect(second.locator(".history")).to_contain_text("set it to in work")

    page.reload()
    keys.press("j")
    keys.press("x")
    keys.press("j")
    keys.press("x")
    expect(page.get_by_text("2 selected")).to_be_visible()
    keys.press("?")
    keys.press("Escape")  # closes the help, and nothing else
    expect(page.get_by_text("2 selected")).to_be_visible()
    keys.press("Escape")
    expect(page.locator("[data-pick]:checked")).to_have_count(0)
    keys.press("x")
    keys.press("k")
    keys.press("Shift+X")
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.get_by_label("Reason or note").focus()
    keys.type("at the fair")
    keys.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("2 items snoozed for 7 days.")
    expect(page.locator(".worklist tbody")).to_have_count(3)
    tab_to(page, "Undo")
    keys.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("2 items undone.")
    expect(page.locator(".worklist tbody")).to_have_count(5)


def test_single_keys_do_nothing_for_a_person_who_has_turned_them_off(worklist: Page) -> None:
    page, keys = worklist, worklist.keyboard
    address = page.url
    page.goto("/account")
    page.get_by_label("Single-key shortcuts").uncheck()
    page.get_by_label("Single-key shortcuts").press("Enter")
    expect(page.get_by_text("Single-key shortcuts are off.")).to_be_visible()
    page.goto(address)
    page.locator("[data-pick]").first.focus()
    for key in ("j", "x", "o", "/", "?", "g", "c"):
        keys.press(key)
    expect(page.locator("[data-pick]").first).to_be_focused()
    expect(page.locator("[data-pick]:checked, dialog[open]")).to_have_count(0)
    keys.press("Space")
    keys.press("Escape")
    expect(page.locator("[data-pick]:checked")).to_have_count(0)
    assert page.url == address


def test_an_action_on_all_that_match_is_confirmed(worklist: Page) -> None:
    questions: list[str] = []

    def refuse(dialog: Dialog) -> None:
        questions.append(dialog.message)
        dialog.dismiss()

    worklist.on("dialog", refuse)
    worklist.get_by_role("checkbox", name="Select").first.click()
    worklist.get_by_role("checkbox", name="All 5 that match").check()
    worklist.get_by_role("button", name="Done").click()
    assert questions == ["Done: all 5 that match? "]
    worklist.remove_listener("dialog", refuse)
    worklist.on("dialog", lambda dialog: dialog.accept())
    worklist.get_by_role("button", name="Done").dblclick()
    expect(worklist.get_by_role("status").first).to_contain_text("5 items marked done.")


def test_the_worklist_has_no_accessibility_faults(worklist: Page) -> None:
    worklist.get_by_role("link", name="Edit").first.click()
    worklist.get_by_label("Next step").wait_for()
    worklist.get_by_role("checkbox", name="Select").first.click()
    assert faults_in_every_look(worklist) == []
