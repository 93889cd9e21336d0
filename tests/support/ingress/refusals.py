"""Refused requests, and the event keys that they name."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import redis

from queues.refused.requests import Refusal, RefusedRequests

AT = datetime(2024, 1, 20, 10, 30, tzinfo=UTC)


def refusal(**changes: Any) -> Refusal:
    """Return the refusal of an event without a name of its company."""
    parts: dict[str, Any] = {
        "at": AT,
        "form": "brazebee",
        "path": "/v1/track",
        "status": 400,
        "error": "Invalid data",
        "details": [{"path": ["company", "name"], "message": "Required"}],
        "body": b'{"event_key":"login","company":{"id":"c1"}}',
        "event_id": None,
        "key_id": 1,
        "event_key": "login",
    }
    return Refusal(**{**parts, **changes})


def note_unknown_keys(
    client: redis.Redis, organization_id: int, keys: Mapping[str, int], now: datetime
) -> None:
    """Refuse each event key this many times, as one that is not configured."""
    refusals = [
        refusal(at=now, status=404, event_key=key)
        for key, times in keys.items()
        for _ in range(times)
    ]
    RefusedRequests(client).note(organization_id, refusals, now)
