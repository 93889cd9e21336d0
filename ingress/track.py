"""`POST /v1/track`: the checks in their order, then the queue, then 200."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Request, Response, g, jsonify, request
from redis.exceptions import RedisError
from uuid_utils.compat import uuid7

from ingress.body import UnreadableBody, read_json
from ingress.directory import Directory, DirectoryUnavailable
from ingress.errors import ApiError, unavailable
from ingress.rate_limit import RateLimiter
from ingress.schema import InvalidEvent, ValidEvent, validate_event
from models.api_keys import KeyHolder

LARGEST_EVENT = 32 * 1024
"""Bytes of a request body."""

Enqueue = Callable[[dict[str, Any]], None]
"""Puts an event on the queue; raises `redis.RedisError` when it cannot."""


@dataclass(frozen=True)
class Tracking:
    """The view, with what it needs."""

    directory: Directory
    limiter: RateLimiter
    enqueue: Enqueue
    now: Callable[[], datetime]

    def track(self) -> Response:
        """Take one event."""
        body = _read_body(request)
        holder = self._authenticate(request)
        self._limit(holder)
        received_at = self.now()
        event = _read_event(body, received_at)
        self._check_configured(holder, event.event_key)
        event_id = str(uuid7())
        try:
            self.enqueue(_message(holder, event, event_id, received_at))
        except RedisError:
            raise unavailable(
                "The event queue does not answer", "it may not have been accepted"
            ) from None
        return jsonify(
            {
                "success": True,
                "event_key": event.event_key,
                "accepted_at": _iso_seconds(received_at),
                "event_id": event_id,
            }
        )

    def _authenticate(self, incoming: Request) -> KeyHolder:
        key = incoming.headers.get("x-api-key", "").strip()
        try:
            holder = self.directory.holder(key) if key else None
        except DirectoryUnavailable:
            raise unavailable("The API key cannot be checked at the moment") from None
        if holder is None:
            self._limit(None)
            raise ApiError(401, "Invalid API key" if key else "API key required")
        return holder

    def _limit(self, holder: KeyHolder | None) -> None:
        """Count the request, for its organization or, without a valid key, for its address."""
        try:
            if holder is None:
                g.window = self.limiter.count_address(request.remote_addr or "unknown")
            else:
                g.window = self.limiter.count_organization(
                    holder.organization_id, holder.rate_limit
                )
        except RedisError:
            g.window = self.limiter.unknown()
            raise unavailable("The event queue does not answer") from None
        if g.window.exceeded:
            raise ApiError(
                429,
                "Rate limit exceeded",
                [{"message": f"At most {g.window.limit} requests in a window; see Retry-After"}],
                retry_after=g.window.retry_after,
            )

    def _check_configured(self, holder: KeyHolder, event_key: str) -> None:
        try:
            enabled = self.directory.event_enabled(holder.organization_id, event_key)
        except DirectoryUnavailable:
            raise unavailable("The event settings cannot be read at the moment") from None
        if enabled is None:
            raise ApiError(
                404,
                f"Event setting not found for key: {event_key}",
                [
                    {
                        "field": "event_key",
                        "message": "Event must be configured in Event Settings before tracking",
                    }
                ],
            )
        if not enabled:
            raise ApiError(400, f"Event setting is disabled for key: {event_key}")


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
        return validate_event(read_json(body), received_at)
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
