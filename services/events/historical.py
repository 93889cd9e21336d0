"""Marks companies whose history has to be rewritten, because events of the past were stored."""

from collections.abc import Iterable
from datetime import datetime

from models.companies import pending_history
from services.events.tracked_event import TrackedEvent


def mark_historical(organization_id: int, new: Iterable[tuple[TrackedEvent, int]]) -> None:
    """Mark the companies of historical events that were not stored before.

    `new` are events with the ids of their companies, whose rows are locked.
    """
    arrivals: dict[int, datetime] = {}
    for event, company_id in new:
        if event.historical:
            latest = arrivals.get(company_id, event.received_at)
            arrivals[company_id] = max(latest, event.received_at)
    if arrivals:
        pending_history.mark(organization_id, arrivals)
