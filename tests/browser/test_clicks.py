"""How many clicks a question of a customer-success team takes, from Today."""

import pytest
from playwright.sync_api import Page, expect

from models.database import transaction
from models.organizations.organizations import Organization
from models.people import memberships
from tests.support.browser.browsing import OpenPage
from tests.support.browser.customers import ANN, add_customers

COUNT_CLICKS = """
addEventListener("click", event => {
  if (event.isTrusted && event.detail) sessionStorage.clicks = Number(sessionStorage.clicks || 0) + 1;
}, true);
"""  # noqa: E501
"""Counts clicks of the mouse, over changes of pages; those that keys cause have no `detail`."""


@pytest.fixture
def today(organization: Organization, browser_page: OpenPage) -> Page:
    """Today, as Ann sees it."""
    add_customers(organization)
    page = browser_page("editor")
    with transaction():
        [ann] = memberships.list_for_organization(organization.id)
        memberships.set_owner_values(organization.id, ann.person_id, [ANN])
    page.context.add_init_script(COUNT_CLICKS)
    page.goto(f"/o/{organization.name}/")
    return page


def clicks(page: Page) -> int:
    return int(page.evaluate("sessionStorage.clicks || 0"))


def companies(page: Page) -> list[str]:
    return page.locator(".companies tbody th a").all_inner_texts()


def test_my_critical_customers_with_reasons_and_value_take_one_click(today: Page) -> None:
    today.get_by_label("Your companies").get_by_role("link", name="Critical").click()
    row = today.locator(".companies tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Acorn")
    expect(row).to_contain_text("no reports for 25 days")
    expect(row).to_contain_text("40,000")
    assert clicks(today) == 1


def test_the_worst_owner_takes_no_click(today: Page) -> None:
    worst = today.get_by_role("region", name="Companies by owner and status")
    expect(worst.locator("tbody tr").first).to_contain_text(ANN.split("@")[0])
    expect(worst.locator("tbody tr").first).to_contain_text("49,000")
    assert clicks(today) == 0


def test_renewals_in_60_days_that_are_at_risk_take_two_clicks(today: Page) -> None:
    today.get_by_label("What is at risk").get_by_role("link", name="At Risk").first.click()
    today.get_by_role("link", name="60 days", exact=True).click()
    expect(today.locator(".companies tbody tr")).to_have_count(1)
    assert companies(today) == ["Birch"]
    assert clicks(today) == 2


def test_the_week_is_planned_and_what_changed_since_friday_is_seen_with_one_click_each(
    today: Page,
) -> None:
    today.get_by_role("link", name="Plan the week").click()
    expect(today.get_by_role("heading", level=1)).to_have_text("Upcoming changes")
    assert clicks(today) == 1
    today.go_back()
    today.get_by_role("link", name="Since Friday").click()
    expect(today.locator(".rows")).to_contain_text("Fir")
    assert clicks(today) == 2


def test_a_threshold_is_changed_without_yaml_and_who_changes_is_seen_with_four_clicks(
    today: Page,
) -> None:
    today.get_by_role("link", name="Rules", exact=True).click()
    number = today.locator("input.in-words").first
    number.click()
    number.fill("9")
    number.press("Enter")
    plan = today.locator("#outcome")
    expect(plan).to_contain_text("Dune")
    assert clicks(today) <= 4


def test_five_flags_are_snoozed_at_once_with_a_reason_with_four_clicks(
    organization: Organization, today: Page
) -> None:
    with transaction():
        [ann] = memberships.list_for_organization(organization.id)
        memberships.set_owner_values(organization.id, ann.person_id, [ANN, "Ben"])
    today.get_by_role("link", name="Worklist", exact=True).click()
    boxes = today.get_by_role("checkbox", name="Select Reports")
    expect(boxes).to_have_count(5)
    boxes.first.click()
    boxes.last.click(modifiers=["Shift"])
    today.keyboard.type("at the fair")
    today.get_by_role("button", name="Snooze").click()
    expect(today.get_by_role("status")).to_contain_text(["5 items snoozed for 7 days."])
    expect(boxes).to_have_count(0)
    assert clicks(today) == 4
