"""`GET /v1/transitions`."""

from typing import Any

from flask import Response, request

from dashboard.api.reading import (
    answer,
    asked_limit,
    check_known,
    organization_at_hand,
    unknown_place,
)
from models.cursors import UnreadableCursor
from models.database import transaction
from models.health import transition_feed
from models.health.transition_feed import FedTransition


def list_transitions() -> Response:
    """The transitions after a cursor, in an order that never changes (`transition_feed`)."""
    check_known(("after", "limit"))
    limit = asked_limit()
    with transaction():
        try:
            found = transition_feed.stretch(
                organization_at_hand().id, after=request.args.get("after"), limit=limit
            )
        except UnreadableCursor:
            raise unknown_place() from None
    told = [_told(one) for one in found.transitions]
    return answer({"transitions": told, "next": found.next, "more": found.more})


def _told(one: FedTransition) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "company": {"id": one.company, "name": one.company_name},
        "sequence": one.sequence,
        "at": one.at,
        "from": one.from_status,
        "to": one.to_status,
        "cause": one.cause,
        "changes": [
            {name: change.get(name) for name in ("flag", "from", "to", "threshold")}
            for change in one.changes
        ],
        "rules_version": one.rules_version,
        "recorded_at": one.recorded_at,
    }
