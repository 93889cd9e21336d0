"""Makes what a worker stores of a record that was read from a call of another product."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from formats.record import Kind, Record, UnreadableRecord
from ingress.client.errors import ApiError
from ingress.client.gate import Gate
from ingress.client.steps import Steps
from ingress.event.event_ids import new_id
from ingress.event.refusals import as_json
from ingress.event.schema import InvalidEvent
from ingress.event.shapes import TOO_LATE, RecordSchema, Shape, is_too_late
from ingress.event.valid_event import LARGEST_EVENT
from ingress.formats.form import MOST_CALLS, Form, Rejected, Sent
from ingress.formats.request_body import value_faults
from ingress.strict_json import Json
from models.keys.api_keys import KeyHolder

_RECORD = Shape(RecordSchema())

LEVELS_LESS = -1
"""The data of an event may be nested deeper in a record than in a request, by one level."""


@dataclass(frozen=True)
class Reading:
    """Reads the calls of one request."""

    gate: Gate
    form: Form
    holder: KeyHolder
    received_at: datetime
    parsed: Json
    sent: Sent

    def all(self) -> Steps[tuple[list[dict[str, Any]], list[Rejected]]]:
        """Return what is to be stored, and the calls that were refused, in steps.

        Raises:
            ApiError: there are too many, or the service is unavailable.
        """
        if len(self.sent.calls) > MOST_CALLS:
            message = f"At most {MOST_CALLS:,} calls in a request"
            raise ApiError(413, "Request body too large", [{"message": message}])
        entries: list[dict[str, Any]] = []
        rejected: list[Rejected] = []
        for index, call in enumerate(self.sent.calls):
            record = None
            try:
                record = self.read(call, self.received_at)
                if record is not None:
                    entries.append((yield from self.entry(record)))
            except ApiError as error:
                if error.status >= 500:
                    raise
                rejected.append(Rejected(index, call, error, record))
        return entries, rejected

    def read(self, call: Any, arrived_at: datetime) -> Record | None:
        """Return the record of a call; None if nothing of it is kept.

        Raises:
            ApiError: it cannot be read.
        """
        faults = list(value_faults(call)) if self.parsed.may_hold_others else []
        if faults:
            raise ApiError(400, "Invalid data", faults)
        if self.parsed.size > LARGEST_EVENT and len(as_json(call)) > LARGEST_EVENT:
            message = f"A call is at most {LARGEST_EVENT // 1024} KB"
            raise ApiError(400, "Invalid data", [{"path": [], "message": message}])
        try:
            return self.form.read(call, arrived_at, self.sent.sent_at)
        except UnreadableRecord as error:
            detail = {"path": list(error.path), "message": str(error)}
            raise ApiError(400, "Invalid data", [detail]) from None

    def entry(self, record: Record) -> Steps[dict[str, Any]]:
        """Return the contents of a `persist` message, as `ingress.event.accepting.contents` does.

        What is no event has no `event_key`; it is about the company, the user, or both.

        Raises:
            ApiError: the record is invalid, or its event is not configured or disabled.
        """
        is_event = record.kind is Kind.EVENT
        try:
            loaded = _RECORD.load(
                {
                    "event_id": record.id,
                    "event_key": record.name,
                    "company": record.company,
                    "user": record.user,
                    "data": record.data,
                },
                self.received_at,
                storable=self.parsed.is_storable(LEVELS_LESS),
            )
        except InvalidEvent as error:
            raise ApiError(400, "Invalid data", error.details) from None
        if is_too_late(record.at, self.received_at):
            raise ApiError(400, "Invalid data", [TOO_LATE])
        key = None
        if record.name is not None:
            key = yield from self.gate.checking_configured(self.holder, record.name)
        entry = {
            "organization_id": self.holder.organization_id,
            "key_id": self.holder.key_id,
            "event_id": loaded.get("event_id") or (new_id() if is_event else None),
            "event_key": key,
            "company": loaded.get("company"),
            "user": loaded.get("user"),
            "data": (loaded.get("data") or None) if is_event else None,
            "occurred_at": min(record.at or self.received_at, self.received_at),
            "received_at": self.received_at,
        }
        return entry | ({"historical": True} if self.sent.historical and is_event else {})
