"""Live evaluation: companies are evaluated when events arrive and when flags fall due."""

from datetime import datetime

from models.across_organizations import FLAGS, find_due_companies
from models.database import transaction
from services.events.tracked_event import TrackedEvent
from services.rules.rule_books import RuleBooks
from tests.support.in_transactions import evaluate, store


def receive(event: TrackedEvent, rulebooks: RuleBooks) -> None:
    """Store an event and evaluate its company if necessary, as the actors do."""
    for company_id in store([event], rulebooks):
        evaluate([company_id], rulebooks, event.occurred_at)


def pass_time(until: datetime, rulebooks: RuleBooks) -> None:
    """Evaluate each company at the instant at which a flag of it falls due, as the clock does."""
    while True:
        with transaction():
            due = find_due_companies(FLAGS, until=until, limit=1)
        if not due:
            return
        [company] = due
        evaluate([company.company_id], rulebooks, company.due_at)
