"""`POST /v1/track`: checks an event, enqueues it and answers 200."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Response, request

from ingress.body import check_body, read
from ingress.client.answers import Answer, json_bytes
from ingress.client.errors import ApiError, unexpected
from ingress.client.gate import Gate
from ingress.client.headers import Headers
from ingress.client.rate_limit import Window
from ingress.client.request_keys import ScopeMissing, has_basic
from ingress.client.steps import Blocking, Steps, run
from ingress.event.accepting import Accepting, parse
from ingress.event.event_ids import HEADER, header_faults
from ingress.event.refusals import KEPT, UNREAD, Refusing
from ingress.event.valid_event import LARGEST_EVENT
from ingress.formats import cloud_events, segment
from ingress.formats.calls import Calls
from ingress.formats.form import Form
from ingress.strict_json import Json, UnreadableBody
from models.keys.api_keys import KeyHolder
from models.keys.scopes import Scope

TRACK = "/v1/track"


@dataclass(frozen=True)
class Tracking:
    """The handler and its dependencies."""

    gate: Gate
    now: Callable[[], datetime]

    def track(self) -> Response:
        """Accept one event, as a view of Flask."""
        body = read(request, LARGEST_EVENT)
        steps = self.handle(body, request.headers, request.remote_addr or "unknown")
        return run(steps, self.gate.admissions).response()

    def handle(self, body: bytes, headers: Headers, address: str) -> Steps[Answer]:
        """Accept one event, in steps. Every answer has the state of the rate limit."""
        try:
            return (yield from self._accept(body, headers, address))
        except ApiError as error:
            window = error.window
            if window is None:
                unread = error
                window = yield Blocking(lambda: self._count_unread(unread, headers, address))
            return error.answer(window)
        except Exception as error:  # noqa: BLE001 -- it is logged, and the client gets a 500
            unknown = unexpected(error)
            return unknown.answer((yield Blocking(lambda: self.gate.count_address(address))))

    def _accept(self, body: bytes, headers: Headers, address: str) -> Steps[Answer]:
        gate = self.gate
        readable = check_body(body, headers, "An event", LARGEST_EVENT)
        try:
            holder = yield from gate.authenticating(headers, address, Scope.SEND)
        except ScopeMissing as error:
            yield from self._keep(error, readable, error.holder, self.now(), headers)
            raise
        received_at = self.now()
        try:
            parsed = parse(readable)
            other = _other_form(parsed.value, headers)
            if other is None:
                event = yield from self._event(parsed, headers, holder, received_at)
        except Exception as error:
            # The request counts, and an exceeded limit takes precedence over the error.
            window = yield from gate.admitting(holder, rejected=1)
            if isinstance(error, ApiError):
                yield from self._keep(error, readable, holder, received_at, headers)
                error.window = window
            raise
        if other is not None:
            return (yield from Calls(gate, self.now, other).answering(holder, readable, headers))
        window = yield from gate.admitting(holder, [event])
        return Answer(json_bytes(accepted(event)), headers=window.headers())

    def _event(
        self, parsed: Json, headers: Headers, holder: KeyHolder, received_at: datetime
    ) -> Steps[dict[str, Any]]:
        key = headers.get(HEADER.lower())
        accepting = Accepting(self.gate, holder, received_at)
        return (
            yield from accepting.event(
                parsed.value, key, storable=parsed.is_storable(), faults=header_faults(key)
            )
        )

    def _keep(
        self,
        error: ApiError,
        body: bytes | UnreadableBody,
        holder: KeyHolder,
        at: datetime,
        headers: Headers,
    ) -> Steps[None]:
        """Keep a refused event, in steps."""
        if error.status in KEPT:
            refusing = Refusing(holder, at, TRACK)
            event_id = headers.get(HEADER.lower())
            yield Blocking(
                lambda: self.gate.note_refused(holder, [refusing.of_body(error, body, event_id)])
            )

    def _count_unread(self, error: ApiError, headers: Headers, address: str) -> Window:
        """Count a request whose body was not read for its address; never raises.

        If it has a valid key all the same, its refusal is kept without the body.
        """
        window = self.gate.count_address(address)
        if error.status in UNREAD and (holder := self.gate.holder_behind(headers, window)):
            refusing = Refusing(holder, self.now(), TRACK)
            self.gate.note_refused(holder, [refusing.of_body(error, b"")])
        return window


def _other_form(payload: Any, headers: Headers) -> Form | None:
    """Return the form of a call of another product that is sent to this path."""
    if type(payload) is not dict or "event_key" in payload:
        return None
    if "event" in payload and has_basic(headers):
        return segment.TRACK_CALL
    if "specversion" in payload or headers.get("ce-specversion") is not None:
        return cloud_events.TO_TRACK
    return None


def accepted(event: dict[str, Any]) -> dict[str, Any]:
    """Return the response for an enqueued event."""
    return {
        "success": True,
        "event_key": event["event_key"],
        "accepted_at": event["received_at"].astimezone(UTC),
        "event_id": event["event_id"],
    }
