"""Companies with events for pages, stored and judged as the workers do."""

import itertools
from datetime import datetime, timedelta

from dashboard_serving import NOW

from actors.health import evaluate
from actors.intake import store
from actors.rulebooks import RuleBooks
from actors.tracked_event import TrackedEvent
from models.organizations import Organization

_numbers = itertools.count(1)


def store_company(
    organization: Organization, name: str, *days_ago: float, key: str = "login"
) -> None:
    """A company whose id is its name, with one event so many days before now each."""
    rulebooks = RuleBooks()
    happened = sorted(NOW - timedelta(days=days) for days in days_ago)
    unsettled = store([_event(organization, name, key, at) for at in happened], rulebooks)
    for company_id in unsettled:
        evaluate(company_id, rulebooks, NOW)


def _event(organization: Organization, name: str, key: str, at: datetime) -> TrackedEvent:
    return TrackedEvent(
        organization_id=organization.id,
        key_id=None,
        event_id=str(next(_numbers)),
        event_key=key,
        company_id=name,
        company={"name": name},
        user_id=None,
        user={},
        data=None,
        occurred_at=at,
        received_at=at,
    )
