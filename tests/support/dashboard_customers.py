"""Customers that tests of the dashboard's pages show: sent as events, judged by rules."""

from datetime import datetime, timedelta
from typing import Any

from models.companies import companies
from models.database import transaction
from models.organizations.organizations import Organization
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks
from tests.support.dashboard import NOW
from tests.support.events import tracked
from tests.support.in_transactions import evaluate, store

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events:
  report_created: {name: Report created}
  login: {name: Signed in, enabled: true}
flags:
  - flag: Reports
    event: report_created
    when:
      At Risk: less than 2 times in 7 days
      Critical: less than 1 time in 14 days
"""


class Customers:
    """The companies of an organization."""

    def __init__(self, organization: Organization, rules: str = RULES) -> None:
        self.organization_id = organization.id
        self.rulebooks = RuleBooks()
        self.apply(rules, NOW - timedelta(days=60))

    def apply(self, rules: str, at: datetime) -> None:
        with transaction():
            apply_rules(
                self.organization_id, rules, file="r.yaml", applied_by="ann@acme.com", now=at
            )

    def track(
        self, company: str, *days_ago: float, key: str = "report_created", **says: Any
    ) -> None:
        """Events of a company, each that many days before `NOW`, the first one first."""
        for days in days_ago:
            at = NOW - timedelta(days=days)
            named = {"name": company.title(), **says}
            event = tracked(self.organization_id, company, at, key=key, company=named)
            store([event], self.rulebooks)

    def judge(self, at: datetime = NOW) -> None:
        """Judge every company as of an instant."""
        with transaction():
            ids = companies.list_ids(self.organization_id)
        for company_id in ids:
            evaluate([company_id], self.rulebooks, at)
