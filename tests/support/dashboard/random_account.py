"""An organization of random companies, for recounts of what the dashboard shows of them."""

from datetime import timedelta
from random import Random
from typing import Any

from models.database import transaction
from models.outcomes import outcomes
from models.outcomes.outcomes import NewOutcome, OutcomeKind
from services.portfolio.upkeep import catch_up
from tests.support.dashboard.application import NOW, Browser, Dashboard
from tests.support.dashboard.customers import RULES, Customers

TEAM = "team: {owner: company.csm, value: company.arr, renewal: company.renews}\n"
OWNERS = ("ann@acme.com", "ANN@acme.com", "Bén <i>", "Jane Doe", None)
VALUES = (0, 1200, "99.5", 40_000.25, -3, "much", None)


class RandomAccount:
    """Companies with random activity, owners, values, renewals and departures."""

    def __init__(self, dashboard: Dashboard, chance: Random) -> None:
        self.customers = Customers(dashboard.organization("acme"))
        self.customers.apply_rules(RULES + TEAM)
        self.browser: Browser = dashboard.signed_in(
            "ann@acme.com", (self.customers.organization, "viewer")
        )
        for number in range(25):
            days = [chance.uniform(0, 20) for _ in range(chance.randrange(1, 6))]
            renews = NOW.date() + timedelta(days=chance.choice([-1, 0, 30, 60, 61]))
            fields: dict[str, Any] = {"csm": chance.choice(OWNERS), "arr": chance.choice(VALUES)}
            fields |= {"renews": renews.isoformat()}
            self.customers.track_days_ago(f"c{number}", *days, **fields)
        for hours in range(30 * 24, -1, -12):
            self.customers.judge(at=NOW - timedelta(hours=hours))
        with transaction():
            left = [
                NewOutcome(company_id, OutcomeKind.LEFT, NOW.date() - timedelta(days=3))
                for company_id in self.customers.company_ids()[::9]
            ]
            outcomes.enter(self.customers.id, left, "ann", NOW)
        more = True
        while more:
            with transaction():
                more = catch_up(self.customers.id, self.customers.rulebooks)

    def companies(self) -> list[dict[str, Any]]:
        """Return the companies that have not left."""
        return self.customers.rows(
            "select health_status as status, lower(owner) as owner, coalesce(value, 0) as value,"
            " renews_on from companies where organization_id = %(id)s and left_on is null"
        )
