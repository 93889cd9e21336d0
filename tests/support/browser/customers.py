"""Companies of two owners in each status, of which some renew soon."""

from datetime import UTC, datetime, timedelta

from models.database import transaction
from models.organizations.organizations import Organization
from services.rules.apply_rules import apply_rules
from services.rules.rule_books import RuleBooks
from tests.support.events import tracked
from tests.support.in_transactions import evaluate, store

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events: {report: {name: Report created}}
flags:
  - flag: Reports
    event: report
    when: {At Risk: less than 2 times in 7 days, Critical: no activity for 20 days}
team: {owner: company.csm, value: company.arr, renewal: company.renews}
"""

ANN = "Ann Smith"


def add_customers(organization: Organization, more: int = 0, owner: str = ANN) -> None:
    """Add two companies of an owner and four of Ben; all but one have a raised flag, and so have
    `more` of Ben.
    """
    rulebooks, now = RuleBooks(), datetime.now(UTC)
    with transaction():
        since = now - timedelta(days=60)
        apply_rules(organization.id, RULES, file="r.yaml", applied_by="test", now=since)
    for name, csm, value, renews_in, days_ago in (
        ("Acorn", owner, 40_000, 300, (25,)),
        ("Birch", owner, 9_000, 50, (12,)),
        ("Cedar", "Ben", 5_000, 90, (12,)),
        ("Dune", "Ben", 70_000, 30, (2, 1)),
        ("Elm", "Ben", 1_000, 20, (25,)),
        ("Fir", "Ben", 500, 300, (20.001,)),  # critical since a minute
        *((f"Grove {number}", "Ben", 100, 300, (12,)) for number in range(1, more + 1)),
    ):
        fields = {"csm": csm, "arr": value, "name": name}
        fields["renews"] = (now + timedelta(days=renews_in)).date().isoformat()
        for days in days_ago:
            at = now - timedelta(days=days)
            event = tracked(organization.id, name.lower(), at, key="report", company=fields)
            for company_id in store([event], rulebooks):
                evaluate([company_id], rulebooks, now)
