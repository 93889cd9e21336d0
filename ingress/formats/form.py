"""What differs between the requests of other products."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from formats.record import Record
from ingress.client.answers import Answer, json_bytes
from ingress.client.errors import ApiError
from ingress.client.headers import Headers
from ingress.client.rate_limit import Window

MOST_CALLS = 1_000
"""Calls in a request: SDKs send 100, unless somebody sets another number."""

MOST_ERRORS = 100
"""Calls whose errors an answer names."""


@dataclass(frozen=True)
class Sent:
    """The calls of a request, and what it says about all of them.

    `key` is the API key in the body, and `sent_at` the time of sending by the sender's clock.
    `is_batch` is false for a single call, whose refusal is the answer.
    """

    calls: Sequence[Any]
    is_batch: bool
    key: str = ""
    sent_at: Any = None
    historical: bool = False


@dataclass(frozen=True)
class Rejected:
    """A call that was refused, by its index in the request."""

    index: int
    call: Any
    error: ApiError
    record: Record | None = None

    def as_json(self) -> dict[str, Any]:
        """Return its entry in the answer."""
        entry: dict[str, Any] = {"index": self.index, "error": self.error.error}
        return entry | ({"details": self.error.details} if self.error.details else {})


@dataclass(frozen=True)
class Form:
    """How one endpoint of another product reads its requests.

    `name` says in what form a refused call is kept. `unpack` finds the calls in a parsed body,
    given the headers, and `read` makes a record of one: its arguments are the call, the time of its
    arrival, and `Sent.sent_at`. `success` is what the SDK expects in the answer.
    `common` returns what a batch says about all of its calls, in the words of a call.
    """

    name: str
    path: str
    unpack: Callable[[Any, Headers], Sent]
    read: Callable[[Any, datetime, Any], Record | None]
    largest: int
    success: Mapping[str, Any]
    common: Callable[[Sent], Mapping[str, Any]] = lambda _sent: {}


def accepted(form: Form, window: Window, number: int, rejected: Sequence[Rejected]) -> Answer:
    """Return the answer to a request whose calls are in the journal, as far as they could be."""
    body = {**form.success, "accepted": number, "rejected": len(rejected)}
    if rejected:
        body["errors"] = [each.as_json() for each in rejected[:MOST_ERRORS]]
    return Answer(json_bytes(body), headers=window.headers())


def refused(error: ApiError, window: Window) -> Answer:
    """Return the answer to a request that was refused as a whole.

    RudderStack's SDKs look for `code` and `message`, and PostHog's for `detail`.
    """
    messages = [str(detail.get("message", "")) for detail in error.details]
    readable = ": ".join([error.error, *messages[:1]])
    return error.answer(
        window, {"code": str(error.status), "message": readable, "detail": readable}
    )
