"""Describes what is refused of a request, so that it can be kept for a while."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from ingress.client.errors import ApiError
from ingress.strict_json import BYTE_ORDER_MARK, UnreadableBody
from models.keys.api_keys import KeyHolder
from queues.refused.requests import Refusal

EVENT: Final = "brazebee"
"""The form of an event as `POST /v1/track` takes it."""

BATCH: Final = "batch"
"""The form of the body of a batch that was refused as a whole."""

KEPT = frozenset({400, 403, 404, 413, 415})
"""The statuses of requests that are kept if their key is valid: the same request would be refused
again. Requests beyond the rate limit, or at a bad moment, are sent again by their clients."""

UNREAD = frozenset({413, 415})
"""The statuses of requests that are refused before their key is checked."""


@dataclass(frozen=True)
class Refusing:
    """Describes the refusals of one request with a valid key."""

    holder: KeyHolder
    at: datetime
    path: str

    def of_body(
        self, error: ApiError, body: bytes | UnreadableBody, event_id: str | None = None
    ) -> Refusal:
        """Return the refusal of an event from its body, with the id that its header gives it."""
        text = b"" if isinstance(body, UnreadableBody) else body
        try:
            payload = orjson.loads(text.removeprefix(BYTE_ORDER_MARK))
        except orjson.JSONDecodeError:
            payload = None
        return self._refusal(error, EVENT, text, payload, event_id)

    def of_event(self, error: ApiError, payload: Any, event_id: str | None = None) -> Refusal:
        """Return the refusal of a parsed event, with the id that it has if it has none itself."""
        try:
            text = orjson.dumps(payload)
        except TypeError:  # an integer beyond 64 bits
            text = json.dumps(payload, ensure_ascii=False).encode(errors="backslashreplace")
        return self._refusal(error, EVENT, text, payload, event_id)

    def of_batch(self, error: ApiError, body: bytes | UnreadableBody) -> Refusal:
        """Return the refusal of a whole batch."""
        text = b"" if isinstance(body, UnreadableBody) else body
        return self._refusal(error, BATCH, text, None, None)

    def _refusal(
        self, error: ApiError, form: str, body: bytes, payload: Any, event_id: str | None
    ) -> Refusal:
        named = payload if isinstance(payload, dict) else {}
        return Refusal(
            at=self.at,
            form=form,
            path=self.path,
            status=error.status,
            error=error.error,
            details=error.details,
            body=body,
            event_id=_text(named.get("event_id")) or event_id,
            key_id=self.holder.key_id,
            event_key=_text(named.get("event_key")),
        )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
