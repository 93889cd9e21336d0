"""The schema of an event, which lists every fault of an invalid one."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from marshmallow import EXCLUDE, INCLUDE, Schema, ValidationError, validate

from ingress.errors import IngressError
from ingress.event.fields import EventId, Name, Nested, Object, Text, Timestamp, expected
from ingress.event.plain import derive
from ingress.event.valid_event import ValidEvent
from ingress.strict_json import storage_faults

FUTURE_TOLERANCE = timedelta(hours=1)
"""Clocks drift: a timestamp up to this far in the future is treated as the present."""

MOST_FAULTS = 50
"""Faults of nesting and NUL characters reported for one event: enough to find the cause."""

REQUIRED: dict[str, Any] = {"required": "Required", "null": "Required"}


class InvalidEvent(IngressError):
    """Raised when an event is invalid; `details` has the path and message of each fault."""

    def __init__(self, details: list[dict[str, Any]]) -> None:
        super().__init__("Invalid data")
        self.details = details


def validate_event(payload: Any, received_at: datetime, *, storable: bool = False) -> ValidEvent:
    """Validate a parsed event; with `storable`, skip the search for values that cannot be stored.

    Raises:
        InvalidEvent: with every fault of the event.
    """
    if not isinstance(payload, dict):
        raise InvalidEvent([{"path": [], "message": expected("object", payload)}])
    if storable and (plain := recognize(payload, received_at)):
        return plain
    details = [] if storable else list(islice(storage_faults(payload), MOST_FAULTS))
    loaded: dict[str, Any] = {}
    try:
        loaded = _SCHEMA.load(payload)
    except ValidationError as error:
        details += details_of(error.messages_dict)
        loaded = error.valid_data if isinstance(error.valid_data, dict) else {}
    occurred_at = loaded.get("timestamp") or received_at
    if occurred_at > received_at + FUTURE_TOLERANCE:
        details.append({"path": ["timestamp"], "message": "More than 1 hour in the future"})
    if details:
        raise InvalidEvent(details)
    return _valid_event(loaded, min(occurred_at, received_at))


class CompanySchema(Schema):
    """A company; what is not known here is a custom field, and kept unchanged."""

    class Meta:
        """Custom fields are kept."""

        unknown = INCLUDE

    id = Name(required=True, error_messages=REQUIRED)
    name = Name(required=True, error_messages=REQUIRED)
    payment_provider = Name(allow_none=True)
    payment_provider_id = Name(allow_none=True)
    crm_provider = Name(allow_none=True)
    crm_provider_id = Name(allow_none=True)


class UserSchema(Schema):
    """A user."""

    class Meta:
        """Custom fields are kept."""

        unknown = INCLUDE

    id = Name(required=True, error_messages=REQUIRED)
    email = Text(allow_none=True, validate=validate.Email(error="Invalid email"))
    name = Name(allow_none=True)


class EventSchema(Schema):
    """The shape of an event; whatever is faster is derived from it."""

    class Meta:
        """Other fields are left out."""

        unknown = EXCLUDE

    event_id = EventId(allow_none=True)
    event_key = Name(required=True, error_messages=REQUIRED)
    company = Nested(CompanySchema, required=True, error_messages=REQUIRED)
    user = Nested(UserSchema, allow_none=True)
    data = Object(allow_none=True)
    timestamp = Timestamp(allow_none=True)


_SCHEMA = EventSchema()


_load_plain = derive(_SCHEMA)


def recognize(payload: dict[str, Any], received_at: datetime) -> ValidEvent | None:
    """Return an event if it is plainly valid, as nearly all are; None if it may not be."""
    loaded = _load_plain(payload)
    if loaded is None:
        return None
    occurred_at: datetime = loaded.get("timestamp", received_at)
    if occurred_at > received_at:
        if occurred_at > received_at + FUTURE_TOLERANCE:
            return None
        occurred_at = received_at
    return _valid_event(loaded, occurred_at)


def _valid_event(loaded: Mapping[str, Any], occurred_at: datetime) -> ValidEvent:
    return ValidEvent(
        loaded["event_key"],
        loaded["company"],
        loaded.get("user"),
        loaded.get("data"),
        occurred_at,
        loaded.get("event_id"),
    )


def details_of(messages: Mapping[Any, Any]) -> Iterator[dict[str, Any]]:
    """Yield marshmallow's nested messages as a flat list with paths."""

    def walk(nested: Any, path: list[Any]) -> Iterator[dict[str, Any]]:
        if isinstance(nested, Mapping):
            for key, inner in nested.items():
                yield from walk(inner, path if key == "_schema" else [*path, key])
        else:
            for message in nested:
                yield {"path": path, "message": message}

    yield from walk(messages, [])
