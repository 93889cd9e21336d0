"""`POST /v1/track/batch`: up to 100 events in one request, each validated on its own."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from flask import Response, g, request

from ingress.body import check_body, read
from ingress.client.answers import json_answer
from ingress.client.errors import ApiError
from ingress.client.gate import Gate
from ingress.client.request_keys import ScopeMissing
from ingress.client.steps import run
from ingress.event.accepting import Accepting, parse
from ingress.event.event_ids import HEADER, LONGEST_ID, header_faults, id_fault
from ingress.event.fields import expected
from ingress.event.refusals import KEPT, Refusing
from ingress.event.valid_event import LARGEST_EVENT
from ingress.strict_json import Json, UnreadableBody
from models.keys.scopes import Scope

BATCH_PATH = "/v1/track/batch"

LARGEST_BATCH = 1024 * 1024
"""Bytes of a request body."""

MOST_EVENTS = 100

HISTORICAL: Mapping[str, Any] = {"historical": True}
"""What the events of a batch about the past have besides."""

LEVELS_AROUND = 2
"""The object and the list around an event."""

LONGEST_KEY = LONGEST_ID - len(f"/{MOST_EVENTS - 1}") - 1
"""Characters of an `Idempotency-Key`, so that `<key>/<index>` is an id."""


class EventResult(NamedTuple):
    """The result of one event of a batch; `event` is what a worker stores, if it was accepted.

    `payload` is the event as it was sent, with what the batch says about all of them.
    """

    event_id: str | None
    event: dict[str, Any] | None
    error: ApiError | None = None
    payload: Any = None

    def as_json(self, index: int) -> dict[str, Any]:
        """Return its entry in the response."""
        entry: dict[str, Any] = {"index": index, "event_id": self.event_id, "status": "accepted"}
        if self.error:
            entry |= {"status": "rejected", "error": self.error.error}
            if self.error.details:
                entry["details"] = self.error.details
        return entry


@dataclass(frozen=True)
class Batch:
    """The view and its dependencies."""

    gate: Gate
    now: Callable[[], datetime]

    def track_batch(self) -> Response:
        """Accept events. Those without faults are enqueued together, all or none."""
        body = self._body()
        try:
            holder = self.gate.authenticate(request.environ, Scope.SEND)
        except ScopeMissing as error:
            refusing = Refusing(error.holder, self.now(), BATCH_PATH)
            self.gate.note_refused(error.holder, [refusing.of_batch(error, body)])
            raise
        received_at = self.now()
        accepting = Accepting(self.gate, holder, received_at)
        refusing = Refusing(holder, received_at, BATCH_PATH)
        try:
            results = list(_validate(accepting, parse(body), request.headers.get(HEADER)))
        except Exception as error:
            # The request counts, and an exceeded limit takes precedence over the error.
            g.window = self.gate.admit(holder)
            if isinstance(error, ApiError) and error.status in KEPT:
                self.gate.note_refused(holder, [refusing.of_batch(error, body)])
            raise
        accepted = [result.event for result in results if result.event]
        rejected = len(results) - len(accepted)
        g.window = self.gate.admit(holder, accepted, rejected=rejected)
        if rejected:
            refusals = [
                refusing.of_event(result.error, result.payload, result.event_id)
                for result in results
                if result.error
            ]
            self.gate.note_refused(holder, refusals)
        return json_answer(
            {
                "accepted": len(accepted),
                "rejected": rejected,
                "results": [result.as_json(index) for index, result in enumerate(results)],
            }
        )

    def _body(self) -> bytes | UnreadableBody:
        """Return the body; if it cannot be read, the refusal is kept as `Tracking` does it."""
        sent = read(request, LARGEST_BATCH)
        try:
            return check_body(sent, request.headers, "A batch", LARGEST_BATCH)
        except ApiError as error:
            g.window = self.gate.count_address(request.remote_addr or "unknown")
            if holder := self.gate.holder_behind(request.headers, g.window):
                refusing = Refusing(holder, self.now(), BATCH_PATH)
                self.gate.note_refused(holder, [refusing.of_batch(error, b"")])
            raise


def _validate(accepting: Accepting, parsed: Json, key: str | None) -> Iterator[EventResult]:
    """Validate each event.

    Raises:
        ApiError: the batch as a whole is invalid, or the service is unavailable.
    """
    faults = header_faults(key, LONGEST_KEY) + _historical_faults(parsed.value)
    events = items_of(parsed.value, "events", faults)
    more = HISTORICAL if parsed.value.get("historical") else {}
    storable = parsed.is_storable(LEVELS_AROUND)
    may_be_large = parsed.size > LARGEST_EVENT
    for index, payload in enumerate(events):
        fallback_id = None if key is None else f"{key}/{index}"
        try:
            event = run(
                accepting.event(payload, fallback_id, storable=storable), accepting.gate.admissions
            )
            if may_be_large:
                check_size(payload, "An event")
        except ApiError as error:
            if error.status >= 500:
                raise
            kept = {**payload, **more} if isinstance(payload, dict) else payload
            yield EventResult(_own_id(payload) or fallback_id, None, error, kept)
        else:
            yield EventResult(event["event_id"], {**event, **more})


def items_of(envelope: Any, name: str, faults: list[dict[str, Any]]) -> list[Any]:
    """Return the items of a batch, which are in its member with this name.

    `faults` of other parts of the request are reported together with those of the batch.

    Raises:
        ApiError: the batch as a whole is invalid.
    """
    items = envelope.get(name) if isinstance(envelope, dict) else None
    if not isinstance(envelope, dict):
        faults.append({"path": [], "message": expected("object", envelope)})
    elif items is None:
        faults.append({"path": [name], "message": "Required"})
    elif not isinstance(items, list):
        faults.append({"path": [name], "message": expected("array", items)})
    elif not items:
        faults.append({"path": [name], "message": "Must not be empty"})
    elif len(items) > MOST_EVENTS:
        faults.append({"path": [name], "message": f"At most {MOST_EVENTS} {name}"})
    if faults or not isinstance(items, list):
        raise ApiError(400, "Invalid data", faults)
    return items


def check_size(payload: Any, what: str) -> None:
    """Check the size of one item of a batch; `what` names it in the message.

    Raises:
        ApiError: it is too large.
    """
    if len(orjson.dumps(payload)) > LARGEST_EVENT:
        message = f"{what} is at most {LARGEST_EVENT // 1024} KB"
        raise ApiError(400, "Invalid data", [{"path": [], "message": message}])


def _historical_faults(envelope: Any) -> list[dict[str, Any]]:
    historical = envelope.get("historical") if isinstance(envelope, dict) else None
    if historical is None or isinstance(historical, bool):
        return []
    return [{"path": ["historical"], "message": expected("boolean", historical)}]


def _own_id(payload: Any) -> str | None:
    """Return the id that a rejected event carries, if it is valid."""
    own = payload.get("event_id") if isinstance(payload, dict) else None
    return own if isinstance(own, str) and not id_fault(own) else None
