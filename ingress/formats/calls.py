"""Accepts the calls of other products' SDKs: authenticates, reads, enqueues and answers.

An SDK looks at the status alone. So a batch is answered 200 when all of its calls that can be
accepted are in the journal; what was refused is kept, and counted for the page of events.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, request

from ingress.body import check_body, read
from ingress.client.answers import Answer
from ingress.client.errors import ApiError, UnknownEvent, unexpected
from ingress.client.gate import Gate
from ingress.client.headers import Headers
from ingress.client.rate_limit import Window
from ingress.client.request_keys import ScopeMissing, key_of
from ingress.client.steps import Blocking, Steps, run
from ingress.event.refusals import KEPT, UNREAD, Refusing
from ingress.formats.form import Form, Rejected, Sent, accepted, refused
from ingress.formats.records import Reading
from ingress.formats.request_body import parse_leniently
from ingress.strict_json import Json, UnreadableBody
from models.keys.api_keys import KeyHolder
from models.keys.scopes import Scope
from queues.refused.requests import Refusal

MOST_KEPT = 100
"""Refused calls of one request that are kept; the event keys of all are counted."""


@dataclass(frozen=True)
class Calls:
    """The handler of one endpoint and its dependencies."""

    gate: Gate
    now: Callable[[], datetime]
    form: Form

    def view(self) -> Response:
        """Accept a request, as a view of Flask."""
        body = read(request, self.form.largest)
        steps = self.handle(body, request.headers, request.remote_addr or "unknown")
        return run(steps, self.gate.admissions).response()

    def handle(self, body: bytes, headers: Headers, address: str) -> Steps[Answer]:
        """Accept a request, in steps. Every answer has the state of the rate limit."""
        try:
            return (yield from self._accept(body, headers, address))
        except ApiError as error:
            faulty = error
        except Exception as error:  # noqa: BLE001 -- it is logged, and the client gets a 500
            faulty = unexpected(error)
        window = faulty.window
        if window is None:
            window = yield Blocking(lambda: self._count_unread(faulty, headers, address))
        return refused(faulty, window)

    def _accept(self, body: bytes, headers: Headers, address: str) -> Steps[Answer]:
        largest = self.form.largest
        readable = check_body(body, headers, "A request", largest, any_type=True)
        if key_of(headers):
            holder = yield from self._authenticating(headers, address)
            return (yield from self._accepting(holder, readable, headers))
        parsed = parse_leniently(readable)
        sent = self.form.unpack(parsed.value, headers)
        holder = yield from self._authenticating(headers, address, sent.key)
        return (yield from self._enqueueing(holder, parsed, sent))

    def answering(
        self, holder: KeyHolder, body: bytes | UnreadableBody, headers: Headers
    ) -> Steps[Answer]:
        """Accept the calls in a body for the holder of the request's key, in steps.

        Raises:
            Exception: what is no refusal of the request.
        """
        try:
            return (yield from self._accepting(holder, body, headers))
        except ApiError as error:
            if error.window is None:
                raise
            return refused(error, error.window)

    def _accepting(
        self, holder: KeyHolder, body: bytes | UnreadableBody, headers: Headers
    ) -> Steps[Answer]:
        """Accept the calls in a body for the holder of the request's key, in steps.

        Raises:
            ApiError: the request was refused as a whole; it has been counted.
        """
        try:
            parsed = parse_leniently(body)
            sent = self.form.unpack(parsed.value, headers)
        except ApiError as error:
            # The request counts, and an exceeded limit takes precedence over the error.
            error.window = yield from self.gate.admitting(holder, rejected=1)
            yield from self._keeping(holder, [self._unreadable(holder, error)])
            raise
        return (yield from self._enqueueing(holder, parsed, sent))

    def _authenticating(self, headers: Headers, address: str, key: str = "") -> Steps[KeyHolder]:
        try:
            return (yield from self.gate.authenticating(headers, address, Scope.SEND, key))
        except ScopeMissing as error:
            refusals = [self._unreadable(error.holder, error)]
            yield from self._keeping(error.holder, refusals)
            raise

    def _enqueueing(self, holder: KeyHolder, parsed: Json, sent: Sent) -> Steps[Answer]:
        gate, received_at = self.gate, self.now()
        reading = Reading(gate, self.form, holder, received_at, parsed, sent)
        try:
            entries, rejected = yield from reading.all()
        except ApiError as error:
            error.window = yield from gate.admitting(holder)
            if error.status in KEPT:
                yield from self._keeping(holder, [self._unreadable(holder, error)])
            raise
        window = yield from gate.admitting(holder, entries, rejected=len(rejected))
        yield from self._keeping(holder, self._refusals(holder, received_at, sent, rejected))
        if rejected and not sent.is_batch:
            raise _alone(rejected[0].error, window)
        return accepted(self.form, window, len(entries), rejected)

    def _keeping(self, holder: KeyHolder, refusals: Sequence[Refusal]) -> Steps[None]:
        if refusals:
            yield Blocking(lambda: self.gate.note_refused(holder, refusals))

    def _refusals(
        self, holder: KeyHolder, at: datetime, sent: Sent, rejected: Sequence[Rejected]
    ) -> list[Refusal]:
        """Return the refusals of calls.

        An unknown event that the product sends by itself is only counted: it is no mistake.
        """
        refusing = Refusing(holder, at, self.form.path)
        common = self.form.common(sent)
        kept = 0
        refusals = []
        for call in rejected:
            record, error = call.record, call.error
            is_automatic = record is not None and record.automatic
            is_kept = kept < MOST_KEPT and not (is_automatic and isinstance(error, UnknownEvent))
            kept += is_kept
            refusals.append(
                refusing.of_call(
                    error,
                    self.form.name,
                    _with_common(call.call, common),
                    event_id=record.id if record else None,
                    name=record.name if record else None,
                    is_kept=is_kept,
                )
            )
        return refusals

    def _unreadable(self, holder: KeyHolder, error: ApiError) -> Refusal:
        """Return the refusal of a whole request, without its body: the key may be in it."""
        return Refusing(holder, self.now(), self.form.path).of_call(error, self.form.name, None)

    def _count_unread(self, error: ApiError, headers: Headers, address: str) -> Window:
        """Count a request whose key was not checked for its address; never raises."""
        window = self.gate.count_address(address)
        if error.status in UNREAD and (holder := self.gate.holder_behind(headers, window)):
            self.gate.note_refused(holder, [self._unreadable(holder, error)])
        return window


def _with_common(call: Any, common: Mapping[str, Any]) -> Any:
    """Return a call with what its batch says about all calls, so that it can be read alone."""
    return {**common, **call} if isinstance(call, dict) else call


def _alone(error: ApiError, window: Window) -> ApiError:
    """Return the error that answers a single call.

    No SDK gets a 404 for an event that is not configured: the process of one would end.
    """
    status = 400 if error.status == 404 else error.status
    return ApiError(status, error.error, error.details, window=window)
