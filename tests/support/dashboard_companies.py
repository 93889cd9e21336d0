"""Companies with events for pages, stored and judged as the workers do."""

from datetime import timedelta

from models.organizations.organizations import Organization
from services.rules.rule_books import RuleBooks
from tests.support.dashboard import NOW
from tests.support.events import tracked
from tests.support.in_transactions import evaluate, store


def store_company(
    organization: Organization, name: str, *days_ago: float, key: str = "login"
) -> None:
    """A company whose id is its name, with one event so many days before now each."""
    rulebooks = RuleBooks()
    happened = sorted(NOW - timedelta(days=days) for days in days_ago)
    unsettled = store([tracked(organization.id, name, at, key=key) for at in happened], rulebooks)
    for company_id in unsettled:
        evaluate([company_id], rulebooks, NOW)
