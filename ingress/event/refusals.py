"""Describes what is refused of a request, so that it can be kept for a while."""

import json
from dataclasses import dataclass, replace
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

KEYS_IN_BODIES = frozenset({"writeKey", "api_key", "token"})
"""Where the SDKs of other products have the key in a body."""

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

    def of_call(
        self,
        error: ApiError,
        form: str,
        call: Any,
        *,
        event_id: str | None = None,
        name: str | None = None,
        is_kept: bool = True,
    ) -> Refusal:
        """Return the refusal of a call of another product, or of fields of a company or user.

        `call` is None for a request that was refused as a whole, `name` that of the event, and
        `is_kept` false if it is only counted.
        """
        text = as_json(_without_keys(call)) if is_kept and call is not None else b""
        named = {"event_id": event_id, "event_key": name}
        return replace(self._refusal(error, form, text, named, None), is_kept=is_kept)

    def of_event(self, error: ApiError, payload: Any, event_id: str | None = None) -> Refusal:
        """Return the refusal of a parsed event, with the id that it has if it has none itself."""
        return self._refusal(error, EVENT, as_json(payload), payload, event_id)

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


def as_json(payload: Any) -> bytes:
    """Return a payload as JSON; of one that is nested too deeply, nothing."""
    try:
        return orjson.dumps(payload)
    except TypeError:  # an integer beyond 64 bits, or half of a character
        pass
    try:
        return json.dumps(payload, ensure_ascii=False).encode(errors="backslashreplace")
    except RecursionError:
        return b""


def _without_keys(call: Any) -> Any:
    """Return a call without the API key that some SDKs write into it."""
    if not isinstance(call, dict):
        return call
    kept = {name: value for name, value in call.items() if name not in KEYS_IN_BODIES}
    properties = kept.get("properties")
    if isinstance(properties, dict) and "token" in properties:
        kept["properties"] = {n: value for n, value in properties.items() if n != "token"}
    return kept


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
