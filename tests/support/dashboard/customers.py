"""`Customers`: a world whose companies create reports, for tests of pages about all companies."""

from datetime import timedelta
from typing import Any

from models.organizations.organizations import Organization
from tests.support.dashboard.application import NOW
from tests.support.world import World, days_ago

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


class Customers(World):
    """A world at `NOW`, with rules about reports."""

    def __init__(self, organization: Organization, rules: str = RULES) -> None:
        super().__init__(organization, NOW)
        self.apply_rules(rules, -timedelta(days=60))

    def track_days_ago(
        self, company: str, *days: float, key: str = "report_created", **event: Any
    ) -> None:
        """Store an event for each number of days before `NOW`."""
        self.track(company, *days_ago(*days), key=key, **event)
