"""`POST /v1/track`: the checks in their order, then the queue, then 200."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Request, Response, jsonify, request
from uuid_utils.compat import uuid7

from ingress.body import UnreadableBody, plainly_storable, read_json
from ingress.errors import ApiError
from ingress.gate import Gate
from ingress.schema import InvalidEvent, ValidEvent, validate_event
from models.api_keys import KeyHolder

LARGEST_EVENT = 32 * 1024
"""Bytes of a request body."""


@dataclass(frozen=True)
class Tracking:
    """The view, with what it needs."""

    gate: Gate
    now: Callable[[], datetime]

    def track(self) -> Response:
        """Take one event."""
        body = _read_body(request)
        holder = self.gate.authenticate(request)
        received_at = self.now()
        try:
            event = _read_event(body, received_at)
            self.gate.check_configured(holder, event.event_key)
        except Exception:
            self.gate.admit(holder)  # it counts all the same, and its limit is checked before it
            raise
        event_id = str(uuid7())
        self.gate.admit(holder, [_message(holder, event, event_id, received_at)])
        return jsonify(
            {
                "success": True,
                "event_key": event.event_key,
                "accepted_at": _iso_seconds(received_at),
                "event_id": event_id,
            }
        )


def _read_body(incoming: Request) -> bytes:
    if (incoming.content_length or 0) > LARGEST_EVENT:
        raise _too_large()
    if incoming.mimetype != "application/json":
        raise ApiError(
            415,
            "Unsupported media type",
            [{"message": "Send the event as JSON, with Content-Type: application/json"}],
        )
    if incoming.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ApiError(
            415, "Unsupported media type", [{"message": "Send the body without Content-Encoding"}]
        )
    body = incoming.stream.read(LARGEST_EVENT + 1)
    if len(body) > LARGEST_EVENT:
        raise _too_large()
    return body


def _too_large() -> ApiError:
    return ApiError(
        413,
        "Request body too large",
        [{"message": f"An event is at most {LARGEST_EVENT // 1024} KB"}],
    )


def _read_event(body: bytes, received_at: datetime) -> ValidEvent:
    try:
        return validate_event(read_json(body), received_at, storable=plainly_storable(body))
    except UnreadableBody as error:
        raise ApiError(400, "Invalid JSON", [{"path": [], "message": str(error)}]) from None
    except InvalidEvent as error:
        raise ApiError(400, "Invalid data", error.details) from None


def _message(
    holder: KeyHolder, event: ValidEvent, event_id: str, received_at: datetime
) -> dict[str, Any]:
    return {
        "organization_id": holder.organization_id,
        "key_id": holder.key_id,
        "event_id": event_id,
        "event_key": event.event_key,
        "company": event.company,
        "user": event.user,
        "data": event.data,
        "occurred_at": event.occurred_at.isoformat(),
        "received_at": received_at.isoformat(),
    }


def _iso_seconds(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
