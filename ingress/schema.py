"""The shape of an event: what the ingress takes, and every fault of what it does not."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from marshmallow import EXCLUDE, INCLUDE, Schema, ValidationError, fields, validate

from ingress.event import LONGEST_TEXT, ValidEvent
from ingress.event_ids import id_fault
from ingress.plain_events import recognize
from ingress.strict_json import storage_faults
from ingress.timestamps import FUTURE_TOLERANCE, parse_timestamp

MOST_FAULTS = 50
"""Faults of nesting and NUL characters that are told of one event: enough to find the cause."""

_KINDS = {str: "string", bool: "boolean", int: "number", float: "number", dict: "object",
          list: "array", type(None): "null"}  # fmt: skip
_REQUIRED: dict[str, Any] = {"required": "Required", "null": "Required"}


class InvalidEvent(Exception):
    """Raised when an event is not of the shape; `details` holds each fault's path and message."""

    def __init__(self, details: list[dict[str, Any]]) -> None:
        super().__init__("Invalid data")
        self.details = details


def validate_event(payload: Any, received_at: datetime, *, storable: bool = False) -> ValidEvent:
    """Check a parsed event; `storable` spares a look for what the database cannot store.

    Raises:
        InvalidEvent: with every fault that it has.
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
    """The message for a value of another kind than `kind`."""
    return f"Expected {kind}, received {_KINDS[type(value)]}"


class _FewValidators(fields.Field[Any]):
    """Does not combine validators where there are none, as marshmallow does for every value."""

    def _validate(self, value: Any) -> None:
        if self.validators:
            super()._validate(value)


class _Text(_FewValidators):
    """A string as it was sent; no number is taken for one."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError(expected("string", value))
        return value


class _Name(_Text):
    """A string that names something."""

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
    """ISO 8601, without an offset in UTC."""

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
        unknown = INCLUDE  # custom fields are kept as they are

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
    """Marshmallow's nested messages as a flat list with paths."""

    def walk(said: Any, path: list[Any]) -> Iterator[dict[str, Any]]:
        if isinstance(said, Mapping):
            for key, inner in said.items():
                yield from walk(inner, path if key == "_schema" else [*path, key])
        else:
            for message in said:
                yield {"path": path, "message": message}

    yield from walk(messages, [])
