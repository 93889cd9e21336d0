"""Events as `persist` reads them from the queue."""

import itertools
from datetime import datetime
from typing import Any

from services.events.tracked_event import TrackedEvent

_numbers = itertools.count(1)


def tracked(
    organization_id: int, company: str, at: datetime, /, *, key: str = "login", **changed: Any
) -> TrackedEvent:
    """Build an event of a company without a user, with a new id.

    `changed` replaces fields of `TrackedEvent`.
    """
    event: dict[str, Any] = {
        "organization_id": organization_id,
        "key_id": None,
        "event_id": f"tracked-{next(_numbers)}",
        "event_key": key,
        "company_id": company,
        "company": {"name": company},
        "user_id": None,
        "user": {},
        "data": None,
        "occurred_at": at,
        "received_at": at,
    }
    return TrackedEvent(**event | changed)
