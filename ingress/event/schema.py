"""The schema of an event, which lists every fault of an invalid one."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from marshmallow import EXCLUDE, INCLUDE, Schema, ValidationError, fields, validate

from ingress.errors import IngressError
from ingress.event.event_ids import id_fault
from ingress.event.plain_events import recognize
from ingress.event.timestamps import FUTURE_TOLERANCE, parse_timestamp
from ingress.event.valid_event import LONGEST_TEXT, ValidEvent
from ingress.strict_json import storage_faults

MOST_FAULTS = 50
"""Faults of nesting and NUL characters reported for one event: enough to find the cause."""

_KINDS = {str: "string", bool: "boolean", int: "number", float: "number", dict: "object",
          list: "array", type(None): "null"}  # fmt: skip
_REQUIRED: dict[str, Any] = {"required": "Required", "null": "Required"}


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
        details += _details(error.messages_dict)
        loaded = error.valid_data if isinstance(error.valid_data, dict) else {}
    occurred_at = loaded.get("timestamp") or received_at
    if occurred_at > received_at + FUTURE_TOLERANCE:
        details.append({"path": ["timestamp"], "message": "More than 1 hour in the future"})
    if details:
        raise InvalidEvent(details)
    return ValidEvent(
        event_key=loaded["event_key"],
        company=loaded["company"],
        user=loaded.get("user"),
        data=loaded.get("data"),
        occurred_at=min(occurred_at, received_at),
        event_id=loaded.get("event_id"),
    )


def expected(kind: str, value: Any) -> str:
    """Return the message for a value of another type than `kind`."""
    return f"Expected {kind}, received {_KINDS[type(value)]}"


class _FewValidators(fields.Field[Any]):
    """A field that skips combining validators if it has none, unlike marshmallow."""

    def _validate(self, value: Any) -> None:
        if self.validators:
            super()._validate(value)


class _Text(_FewValidators):
    """A string; numbers are not converted."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError(expected("string", value))
        return value


class _Name(_Text):
    """A name or id that is not blank."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        text = super()._deserialize(value)
        if not text.strip():
            raise ValidationError("Must not be empty")
        if len(text) > LONGEST_TEXT:
            raise ValidationError(f"At most {LONGEST_TEXT} characters")
        return text


class _EventId(_Text):
    """A client's own id of an event."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        text = super()._deserialize(value)
        fault = id_fault(text)
        if fault:
            raise ValidationError(fault)
        return text


class _Timestamp(_Text):
    """ISO 8601; UTC if it has no offset."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Any:
        text = super()._deserialize(value)
        try:
            return parse_timestamp(text)
        except (OverflowError, ValueError):
            raise ValidationError(
                "Invalid timestamp: expected ISO 8601, such as 2024-01-20T10:30:00Z"
            ) from None


class _Object(_FewValidators):
    """Any JSON object."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError(expected("object", value))
        return value


class _Nested(_FewValidators, fields.Nested):
    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError(expected("object", value))
        return super()._deserialize(value, *args, **kwargs)


class _CompanySchema(Schema):
    class Meta:
        unknown = INCLUDE  # custom fields are kept unchanged

    id = _Name(required=True, error_messages=_REQUIRED)
    name = _Name(required=True, error_messages=_REQUIRED)
    payment_provider = _Name(allow_none=True)
    payment_provider_id = _Name(allow_none=True)
    crm_provider = _Name(allow_none=True)
    crm_provider_id = _Name(allow_none=True)


class _UserSchema(Schema):
    class Meta:
        unknown = INCLUDE

    id = _Name(required=True, error_messages=_REQUIRED)
    email = _Text(allow_none=True, validate=validate.Email(error="Invalid email"))
    name = _Name(allow_none=True)


class _EventSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    event_id = _EventId(allow_none=True)
    event_key = _Name(required=True, error_messages=_REQUIRED)
    company = _Nested(_CompanySchema, required=True, error_messages=_REQUIRED)
    user = _Nested(_UserSchema, allow_none=True)
    data = _Object(allow_none=True)
    timestamp = _Timestamp(allow_none=True)


_SCHEMA = _EventSchema()


def _details(messages: Mapping[Any, Any]) -> Iterator[dict[str, Any]]:
    """Yield marshmallow's nested messages as a flat list with paths."""

    def walk(nested: Any, path: list[Any]) -> Iterator[dict[str, Any]]:
        if isinstance(nested, Mapping):
            for key, inner in nested.items():
                yield from walk(inner, path if key == "_schema" else [*path, key])
        else:
            for message in nested:
                yield {"path": path, "message": message}

    yield from walk(messages, [])
