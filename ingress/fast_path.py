"""Handles plainly valid events before Flask does, and leaves all other requests to its views.

Nearly all requests are a valid event with a known key. For these, Flask's contexts, routing,
request and response would cost as much as parsing, validating and enqueuing.
"""

import io
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ingress.client.answers import JSON, json_bytes
from ingress.client.errors import ApiError, unexpected
from ingress.client.gate import Gate
from ingress.client.rate_limit import Window
from ingress.event.accepting import contents
from ingress.event.event_ids import header_faults, header_id
from ingress.event.plain_events import recognize
from ingress.strict_json import UnreadableBody, read_json
from ingress.track import LARGEST_EVENT, TRACK, accepted
from models.keys.api_keys import KeyHolder

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class FastPath:
    """WSGI middleware that does what the view of `/v1/track` does if the request has no fault.

    A request with a possible fault is passed to the view unchanged.
    """

    def __init__(self, app: "WSGIApplication", gate: Gate, now: Callable[[], datetime]) -> None:
        self._app = app
        self._gate = gate
        self._now = now

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Handle a request."""
        body = _plain_body(environ)
        answer = self._app if body is None else self._answer(environ, body)
        return answer(environ, start_response)

    def _answer(self, environ: "WSGIEnvironment", body: bytes) -> "WSGIApplication":
        try:
            holder = self._gate.authenticate(environ)
            event = self._recognize(environ, body, holder)
        except ApiError as error:
            return error.response() if error.window else self._app
        except Exception:  # noqa: BLE001 -- the view raises it as well and reports it
            return self._app
        if event is None:
            return self._app
        try:
            window = self._gate.admit(holder, [event])
        except ApiError as error:
            return error.response()
        except Exception as error:  # noqa: BLE001 -- no retry: the event may have been enqueued
            return unexpected(error, window=self._gate.limiter.unknown()).response()
        return _accepted(event, window)

    def _recognize(
        self, environ: "WSGIEnvironment", body: bytes, holder: KeyHolder
    ) -> dict[str, Any] | None:
        """Return what a worker stores of an event; None unless it is certainly valid."""
        try:
            parsed = read_json(body)
        except UnreadableBody:
            return None
        if not parsed.is_storable() or type(parsed.value) is not dict:
            return None
        received_at, fallback_id = self._now(), header_id(environ)
        event = recognize(parsed.value, received_at)
        if event is None or header_faults(fallback_id):
            return None
        if not self._gate.is_configured(holder, event.event_key):
            return None
        return contents(holder, event, event.event_id or fallback_id, received_at)


def _accepted(event: dict[str, Any], window: Window) -> "WSGIApplication":
    content = json_bytes(accepted(event))
    headers = [("Content-Type", JSON), ("Content-Length", str(len(content))), *window.headers()]

    def answer(_environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response("200 OK", headers)
        return [content]

    return answer


def _plain_body(environ: "WSGIEnvironment") -> bytes | None:
    """Return the body of an ordinary request to track; the view can read it again."""
    if (
        environ.get("PATH_INFO") != TRACK
        or environ.get("REQUEST_METHOD") != "POST"
        or environ.get("CONTENT_TYPE") != JSON
        or "HTTP_CONTENT_ENCODING" in environ
        or "HTTP_TRANSFER_ENCODING" in environ
    ):
        return None
    try:
        length = int(environ["CONTENT_LENGTH"])
    except (KeyError, ValueError):
        return None
    if not 0 < length <= LARGEST_EVENT:
        return None
    body: bytes = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return body if len(body) == length else None
