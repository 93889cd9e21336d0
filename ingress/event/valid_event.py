"""A validated event."""

from datetime import datetime
from typing import Any, NamedTuple

LONGEST_TEXT = 200
"""Characters in an id, a name or an event key."""

LARGEST_EVENT = 32 * 1024
"""Bytes of an event as JSON."""


class ValidEvent(NamedTuple):
    """An event that passed validation; None for optional parts that were not sent."""

    event_key: str
    company: dict[str, Any]
    user: dict[str, Any] | None
    data: dict[str, Any] | None
    occurred_at: datetime
    event_id: str | None = None
