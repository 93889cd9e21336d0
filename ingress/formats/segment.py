"""The endpoints of Segment's SDKs, and so of RudderStack's."""

from functools import partial
from typing import Any

from formats import segment
from ingress.client.errors import ApiError
from ingress.client.headers import Headers
from ingress.event.fields import expected
from ingress.formats.form import Form, Sent

LARGEST = 1024 * 1024
"""Bytes of a request body; the SDKs send up to 500 KB."""

NAME = "segment"

IMPORT = "/v1/import"
"""The path of calls about the past."""

BATCHES = ("/v1/batch", IMPORT)

SINGLE = ("identify", "group", "page", "screen", "alias")


def _batch(envelope: Any, _headers: Headers, *, historical: bool) -> Sent:
    calls = envelope.get("batch") if isinstance(envelope, dict) else None
    if not isinstance(envelope, dict):
        raise _invalid([], expected("object", envelope))
    if not isinstance(calls, list):
        raise _invalid(["batch"], "Required" if calls is None else expected("array", calls))
    return Sent(calls, True, key_in(envelope), envelope.get("sentAt"), historical)


def _call(kind: str, call: Any, _headers: Headers) -> Sent:
    if not isinstance(call, dict):
        raise _invalid([], expected("object", call))
    return Sent([{**call, "type": kind}], False, key_in(call))


def key_in(body: dict[str, Any]) -> str:
    """Return the API key in a body; empty without one."""
    key = body.get("writeKey")
    return key.strip() if isinstance(key, str) else ""


def _common(sent: Sent) -> dict[str, Any]:
    return {} if sent.sent_at is None else {"sentAt": sent.sent_at}


def _invalid(path: list[str], message: str) -> ApiError:
    return ApiError(400, "Invalid data", [{"path": path, "message": message}])


def _form(path: str, unpack: Any) -> Form:
    return Form(NAME, path, unpack, segment.read, LARGEST, {"success": True}, _common)


TRACK_CALL = _form("/v1/track", partial(_call, "track"))
"""A single `track` call, which comes to the path of our own events."""

FORMS = (
    *(_form(path, partial(_batch, historical=path == IMPORT)) for path in BATCHES),
    *(_form(f"/v1/{kind}", partial(_call, kind)) for kind in SINGLE),
)
