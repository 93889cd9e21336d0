"""Insights: answers appear without reloading, and link to companies."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from models.database import transaction
from models.organizations.organizations import Organization
from services.insights.questions import (
    Adoption,
    Cohorts,
    Distribution,
    Question,
    Uptake,
    write_question,
)
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks
from services.totals import refresh
from tests.support.browser.accessibility import grave_faults
from tests.support.browser.browsing import OpenPage
from tests.support.events import tracked
from tests.support.in_transactions import compute_answer, store

RULES = """
version: 1
events: {login: {name: Signed in}}
flags:
  - {flag: Logs in, event: login, when: {At Risk: less than 2 times in 7 days}}
"""

LOOKS: tuple[dict[str, Any], ...] = (
    {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    {"color_scheme": "dark", "viewport": {"width": 375, "height": 700}},
)


@pytest.fixture
def logins(organization: Organization) -> None:
    now = datetime.now(UTC)
    with transaction():
        apply_rules(organization.id, RULES, file="r", applied_by="test", now=now)
    at = now - timedelta(hours=1)
    store(
        [
            tracked(
                organization.id, company, at, company={"name": company, "plan": plan}, user_id="ann"
            )
            for company, plan, times in (("acme", "Pro", 2), ("hooli", "Free", 1))
            for _ in range(times)
        ],
        RuleBooks(),
    )
    refresh(now, RuleBooks())


def answer(organization: Organization, *questions: Question) -> None:
    """Compute the answers, as the workers do."""
    for question in questions:
        compute_answer(organization.id, write_question(question), datetime.now(UTC))


@pytest.mark.usefixtures("logins")
@pytest.mark.parametrize("look", [LOOKS[0], pytest.param(LOOKS[1], marks=pytest.mark.thorough)])
def test_answers_appear_without_reloading_and_link_to_companies(
    organization: Organization, browser_page: OpenPage, look: dict[str, Any]
) -> None:
    page = browser_page("viewer", **look)
    page.goto(f"/o/{organization.name}/insights")
    row = page.get_by_role("row", name="Signed in")
    expect(row).not_to_contain_text("%")
    answer(organization, Adoption("login"))
    expect(row).to_contain_text("100 %")  # without reloading
    assert grave_faults(page) == []
    row.get_by_role("link", name="Signed in").click()
    expect(page.get_by_text("Still counting.").first).to_be_visible()
    counted = Distribution("login", (), timedelta(days=7), users=False, flag="Logs in")
    answer(organization, Uptake("login"), counted, Cohorts("plan", "login"))
    near = page.get_by_text("1 company is one event away from At Risk.")
    expect(near).to_be_visible()
    assert grave_faults(page) == []
    page.locator("summary", has_text="Show data").first.click()
    expect(page.get_by_role("cell", name="so far").first).to_be_visible()
    answer(organization, Cohorts("crm_provider", "login"))
    page.get_by_label("Group companies by", exact=True).select_option("crm_provider")
    expect(page.get_by_role("rowheader", name="Unknown")).to_be_visible()
    page.get_by_label("Group companies by", exact=True).select_option("plan")
    page.get_by_role("rowheader", name="Pro").get_by_role("link").click()
    expect(page.get_by_role("row", name="acme")).to_be_visible()
    expect(page.get_by_text("hooli")).to_have_count(0)
