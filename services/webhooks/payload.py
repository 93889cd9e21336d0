"""The payload of a webhook."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import orjson

from models.health.transitions import StoredTransition
from services.times import iso_milliseconds


class EventType(StrEnum):
    """The types of webhook events."""

    HEALTH_SCORE_CHANGED = "health_score_changed"
    THRESHOLD_CROSSED = "threshold_crossed"


def event_type(transition: StoredTransition) -> EventType:
    """Return `health_score_changed` if the status changed, otherwise `threshold_crossed`."""
    stayed = transition.from_status == transition.to_status
    return EventType.THRESHOLD_CROSSED if stayed else EventType.HEALTH_SCORE_CHANGED


def build_payload(
    *,
    message_id: str,
    transition: StoredTransition,
    company_id: str,
    company_name: str,
    triggers: Sequence[dict[str, Any]],
) -> str:
    """Return the JSON body of the webhook for a transition."""
    return orjson.dumps(
        {
            "event": event_type(transition),
            "id": message_id,
            "sequence": transition.sequence,
            "cause": transition.cause,
            "company": {
                "id": company_id,
                "name": company_name,
                "health_status": transition.to_status,
                "previous_status": transition.from_status,
            },
            "timestamp": iso_milliseconds(transition.at),
            "triggers": list(triggers),
        }
    ).decode()
