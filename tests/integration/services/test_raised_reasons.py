"""Reasons of raised flags for lists: the same as on the page of a company, with few statements."""

from datetime import timedelta

import pytest

from models.database import transaction
from services.health.explanation import explain
from services.health.raised_reasons import RaisedReason, raised_reasons
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
"""


def test_lists_give_the_reasons_of_the_page_of_a_company_worst_first() -> None:
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
        reasons = raised_reasons(world.id, ["c1", "c3", "gone"], version, NOW, RuleBooks(), most=9)
        explained = explain(world.id, "c1", version, NOW)
    assert reasons.keys() == {"c1", "c3"}
    assert reasons["c1"] == [
        RaisedReason("Quiet", "Critical", "nobody signed in for 9 days"),
        RaisedReason("Renewal", "Critical", "renews in 36 days"),
        RaisedReason("Usage drop", "At Risk", "reports fell from 14 to 3"),
        RaisedReason("Tickets", "At Risk", "4 tickets in 7 days"),
        RaisedReason("NPS", "At Risk", "NPS is 3"),
    ]
    assert explained is not None
    summaries = {flag.flag: flag.summary for flag in explained.flags}
    assert summaries == {reason.flag: reason.text for reason in reasons["c1"]}
