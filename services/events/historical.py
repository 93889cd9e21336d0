"""Marks companies whose history has to be rewritten, because events of the past were stored."""

from collections.abc import Iterable
from datetime import datetime

from models.companies import pending_history
from services.events.records import PlacedRecord
from services.events.tracked_event import TrackedEvent


def mark_historical(organization_id: int, new: Iterable[tuple[PlacedRecord, int | None]]) -> None:
    """Mark the companies of historical events that were not stored before.

    `new` are records with the ids of their companies, whose rows are locked.
    """
    arrivals: dict[int, datetime] = {}
    for record, company_id in new:
        if isinstance(record, TrackedEvent) and record.historical and company_id is not None:
            latest = arrivals.get(company_id, record.received_at)
            arrivals[company_id] = max(latest, record.received_at)
    if arrivals:
        pending_history.mark(organization_id, arrivals)
