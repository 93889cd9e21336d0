"""What an administrator does, with the keyboard alone from the sign-in on."""

import pytest
from playwright.sync_api import expect

from models.organizations.organizations import Organization
from tests.support.browser.keyboard import Keyboard
from tests.support.notifications.channels import channel

pytestmark = pytest.mark.long


def test_a_destination_of_notifications_is_created_tested_and_removed(
    administrator: Keyboard,
) -> None:
    keys, page = administrator, administrator.page
    keys.go("s", "API keys")
    keys.tab_to("Notifications", back=True)
    keys.press("Enter")
    keys.opens("Notifications")
    with channel("slack") as slack:
        keys.tab_to("Name")
        keys.type("cs-alerts")
        keys.tab_to("URL", most=1)
        keys.type(slack.url)
        keys.press("Enter")
        row = page.locator(".destinations li", has_text="cs-alerts")
        expect(row).to_contain_text("active")
        keys.skip()
        keys.tab_to("Send a test")
        keys.press("Enter")
        expect(page.locator("#test")).to_contain_text("cs-alerts")
        keys.skip()
        keys.tab_to("Change cs-alerts")
        keys.press("Enter")
        keys.tab_to("Remove", most=3)
        keys.press("Enter")
        keys.opens("Remove this destination?")
        keys.tab_to("Cancel")
        keys.press("Enter")
        keys.opens("Notifications")
        keys.tab_to("Change cs-alerts")
        keys.press("Enter")
        keys.tab_to("Remove", most=3)
        keys.press("Enter")
        keys.opens("Remove this destination?")
        keys.tab_to("Remove destination", most=1)
        keys.press("Enter")
    expect(row).to_have_count(0)


def test_an_api_key_and_a_webhook_are_created_and_the_key_is_revoked(
    administrator: Keyboard,
) -> None:
    keys, page = administrator, administrator.page
    keys.go("s", "API keys")
    keys.tab_to("Name")
    keys.press("Enter")  # without a name
    expect(page.locator(".field.wrong")).to_have_count(1)
    assert keys.focused() == "Name"
    keys.type("staging")
    keys.press("Enter")
    expect(page.locator(".secret")).to_be_visible()
    keys.press("g", "s")
    keys.opens("API keys")
    keys.tab_to("Revoke staging")
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Revoke")
    keys.skip()
    keys.tab_to("Revoke key", most=1)
    keys.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("revoked")
    keys.skip()
    keys.tab_to("Webhooks", back=True)
    keys.press("Enter")
    keys.opens("Webhooks")
    keys.tab_to("URL")
    keys.type("https://example.com/hook")
    keys.press("Enter")
    expect(page.locator("main")).to_contain_text("https://example.com/hook")


def test_a_person_is_added_given_another_role_and_removed(
    administrator: Keyboard, organization: Organization
) -> None:
    keys, page = administrator, administrator.page
    keys.go("s", "API keys")
    keys.tab_to("People", back=True)
    keys.press("Enter")
    keys.opens("People")
    keys.tab_to("Email")
    keys.type(f"omar@{organization.name}.example.com")
    keys.tab_to("Name", most=1)
    keys.type("Omar")
    keys.press("Enter")
    keys.opens("Person added")
    keys.tab_to("Back to people")
    keys.press("Enter")
    keys.opens("People")
    role = page.get_by_label("Role of Omar")
    expect(role).to_have_value("viewer")
    keys.tab_to("Role of Omar")
    keys.press("ArrowDown", "ArrowDown", "ArrowUp", "Escape")
    page.reload()
    expect(role).to_have_value("viewer")
    keys.skip()
    keys.tab_to("Role of Omar")
    keys.press("ArrowDown", "Enter")
    expect(page.get_by_role("status").first).to_contain_text("is now an editor")
    assert keys.focused() == "Role of Omar"
    questions: list[str] = []
    page.once("dialog", lambda dialog: (questions.append(dialog.message), dialog.dismiss()))
    keys.tab_to("Change Omar")
    keys.press("Enter")
    keys.tab_to("Remove from .*")
    keys.press("Enter")
    assert len(questions) == 1
    assert keys.focused().startswith("Remove from")  # where it was before the question
    page.once("dialog", lambda dialog: dialog.accept())
    keys.press("Enter")
    expect(role).to_have_count(0)
