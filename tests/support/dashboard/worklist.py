"""Companies that went quiet: the raised flag of each is an item of the worklist."""

from collections.abc import Mapping
from datetime import timedelta

from models.organizations.organizations import Organization
from tests.support.dashboard.application import NOW
from tests.support.world import World

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: }
flags:
  - flag: Logs in
    event: login
    when: {At Risk: no activity for 5 days, Critical: no activity for 20 days}
    note: Call them.
team: {owner: company.csm, value: company.arr}
"""

Sick = Mapping[str, tuple[int, str | None, float | None]]
"""For companies: the days since the last event, the owner and the value."""


def track_sick(organization: Organization, companies: Sick) -> World:
    """Return the world of an organization with these companies, not judged yet."""
    world = World.of(organization, RULES, start=NOW, rules_at=-timedelta(days=60))
    for company, (days, owner, value) in companies.items():
        world.track(company, -timedelta(days=days), csm=owner, arr=value)
    return world
