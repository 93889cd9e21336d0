"""`GET /v1/transitions`."""

from typing import Any

from flask import Response, request

from dashboard.api.authentication import requesting_organization
from dashboard.api.parameters import check_parameters, invalid_cursor, page_limit
from ingress.client.answers import json_answer
from models.cursors import UnreadableCursor
from models.database import transaction
from models.health import transition_feed
from models.health.transition_feed import FeedTransition
from services.health.as_json import json_value


def list_transitions() -> Response:
    """Answer with the transitions after a cursor, in a stable order (`transition_feed`)."""
    check_parameters(("after", "limit"))
    limit = page_limit()
    with transaction():
        try:
            feed = transition_feed.read_feed(
                requesting_organization().id, after=request.args.get("after"), limit=limit
            )
        except UnreadableCursor:
            raise invalid_cursor() from None
    transitions = [_transition_json(transition) for transition in feed.transitions]
    return json_answer(
        json_value({"transitions": transitions, "next": feed.next, "more": feed.more})
    )


def _transition_json(transition: FeedTransition) -> dict[str, Any]:
    return {
        "id": str(transition.id),
        "company": {"id": transition.company, "name": transition.company_name},
        "sequence": transition.sequence,
        "at": transition.at,
        "from": transition.from_status,
        "to": transition.to_status,
        "cause": transition.cause,
        "changes": [
            {name: change.get(name) for name in ("flag", "from", "to", "threshold")}
            for change in transition.changes
        ],
        "rules_version": transition.rules_version,
        "recorded_at": transition.recorded_at,
    }
