"""Payloads of events, and the events or faults that validation returns."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ingress.event.schema import InvalidEvent, validate_event
from ingress.event.valid_event import ValidEvent

NOW = datetime(2024, 1, 20, 10, 30, 5, 123456, tzinfo=UTC)

NOT_A_TIME = "Invalid timestamp: expected ISO 8601, such as 2024-01-20T10:30:00Z"

COMPANY = {"id": "company_123", "name": "Acme Corp"}


def event(**changes: Any) -> dict[str, Any]:
    return {"event_key": "onboarding_complete", "company": COMPANY, **changes}


def company(**changes: Any) -> dict[str, Any]:
    return event(company={**COMPANY, **changes})


def valid(payload: Any) -> ValidEvent:
    return validate_event(payload, NOW)


def occurred_at(timestamp: str) -> datetime:
    return valid(event(timestamp=timestamp)).occurred_at


def faults(payload: Any) -> list[tuple[list[str | int], str]]:
    with pytest.raises(InvalidEvent) as raised:
        validate_event(payload, NOW)
    return [(fault["path"], fault["message"]) for fault in raised.value.details]
