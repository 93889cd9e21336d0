"""`POST /v1/track`: checks an event, enqueues it and answers 200."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Response, g, request

from ingress.body import receive
from ingress.client.answers import json_answer
from ingress.client.gate import Gate
from ingress.event.accepting import Accepting, parse
from ingress.event.event_ids import header_faults, header_id

TRACK = "/v1/track"

LARGEST_EVENT = 32 * 1024
"""Bytes of a request body."""


@dataclass(frozen=True)
class Tracking:
    """The view and its dependencies."""

    gate: Gate
    now: Callable[[], datetime]

    def track(self) -> Response:
        """Accept one event."""
        body = receive(request, "An event", LARGEST_EVENT)
        holder = self.gate.authenticate(request.environ)
        received_at = self.now()
        try:
            parsed, key = parse(body), header_id(request.environ)
            event = Accepting(self.gate, holder, received_at).event(
                parsed.value,
                key,
                storable=parsed.is_storable(),
                faults=header_faults(key),
            )
        except Exception as error:
            # The request counts, and an exceeded limit takes precedence over the error.
            g.window = self.gate.admit(holder, rejected=1)
            self.gate.note_unknown(holder, [error], received_at)
            raise
        g.window = self.gate.admit(holder, [event])
        return json_answer(accepted(event))


def accepted(event: dict[str, Any]) -> dict[str, Any]:
    """Return the response for an enqueued event."""
    return {
        "success": True,
        "event_key": event["event_key"],
        "accepted_at": event["received_at"].astimezone(UTC),
        "event_id": event["event_id"],
    }
