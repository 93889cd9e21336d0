"""Reasons of raised flags for lists: the same as on the page of a company, with few statements."""

from datetime import timedelta

import pytest

from models.database import transaction
from services.health.explanation import explain
from services.health.raised_reasons import raised_reasons
from services.rules.rule_books import RuleBooks
from tests.support.dashboard.application import NOW
from tests.support.world import World, days_ago

pytestmark = pytest.mark.usefixtures("settings")

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events:
  signed_in: {name: Signed in}
  report_created: {name: Report created}
  ticket_opened: {name: Ticket opened}
team: {renewal: company.renewal_date}
flags:
  - {flag: Quiet, event: signed_in, when: {Critical: no activity for 7 days}}
  - {flag: Usage drop, event: report_created, when: {At Risk: down 40% in 30 days}}
  - {flag: Tickets, event: ticket_opened, when: {At Risk: at least 3 times in 7 days}}
  - {flag: Renewal, when: {Critical: company.renewal_date within 60 days}}
  - {flag: NPS, when: {At Risk: company.nps below 7}}
  - {flag: Praise, when: {At Risk: company.nps at least 9}}
"""
NAMES = ("Quiet", "Usage drop", "Tickets", "Renewal", "NPS", "Praise")


def test_lists_give_the_reasons_of_the_page_of_a_company_for_the_flags_that_they_show() -> None:
    world = World.create(RULES, start=NOW, rules_at=-timedelta(days=400))
    fields = {"renewal_date": (NOW + timedelta(days=36)).date().isoformat(), "nps": 3}
    for company in ("c1", "c2", "c3"):
        world.track(company, *days_ago(*range(59, 31, -2)), key="report_created", **fields)
        world.track(company, *days_ago(20, 12, 3), key="report_created")
        world.track(company, *days_ago(5, 4, 3, 2), key="ticket_opened")
        world.track(company, *days_ago(9.5), key="signed_in")
    world.judge()
    with transaction():
        version = world.rules_version
        flags = {"c1": NAMES, "c3": ["NPS"], "gone": NAMES}
        reasons = raised_reasons(world.id, flags, version, NOW, RuleBooks())
        explained = explain(world.id, "c1", version, NOW)
    assert reasons == {
        "c1": {
            "Quiet": "nobody signed in for 9 days",
            "Renewal": "renews in 36 days",
            "Usage drop": "reports fell from 14 to 3",
            "Tickets": "4 tickets in 7 days",
            "NPS": "NPS is 3",
        },
        "c3": {"NPS": "NPS is 3"},
    }
    assert explained is not None
    summaries = {flag.flag: flag.summary for flag in explained.flags}
    assert reasons["c1"].items() <= summaries.items()
