"""The kinds of fields of an event, each with its validation and the check for plain values."""

from typing import Any

from marshmallow import ValidationError, fields

from formats.timestamps import parse_timestamp
from ingress.event.event_ids import id_fault
from ingress.event.valid_event import LONGEST_TEXT

_KINDS = {str: "string", bool: "boolean", int: "number", float: "number", dict: "object",
          list: "array", type(None): "null"}  # fmt: skip


def expected(kind: str, value: Any) -> str:
    """Return the message for a value of another type than `kind`."""
    return f"Expected {kind}, received {_KINDS[type(value)]}"


class _FewValidators(fields.Field[Any]):
    """A field that skips combining validators if it has none, unlike marshmallow.

    An optional text without a character that is not blank is taken as absent.
    """

    def plain(self, value: Any) -> Any:
        """Return what `deserialize` returns for a plainly valid value; None if it may not be."""
        raise NotImplementedError

    def _validate(self, value: Any) -> None:
        if self.validators and value is not None:
            super()._validate(value)


class Text(_FewValidators):
    """A string; numbers are not converted."""

    def plain(self, value: Any) -> Any:
        """See `_FewValidators.plain`."""
        return value if type(value) is str else None

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str | None:
        if not isinstance(value, str):
            raise ValidationError(expected("string", value))
        return None if self.allow_none and not value.strip() else value


class Name(Text):
    """A name or id that is not blank."""

    def plain(self, value: Any) -> Any:
        """See `_FewValidators.plain`."""
        is_name = type(value) is str and len(value) <= LONGEST_TEXT and value.strip() != ""
        return value if is_name else None

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str | None:
        text = super()._deserialize(value)
        if text is None:
            return None
        if not text.strip():
            raise ValidationError("Must not be empty")
        if len(text) > LONGEST_TEXT:
            raise ValidationError(f"At most {LONGEST_TEXT} characters")
        return text


class EventId(Text):
    """A client's own id of an event; an empty one is a mistake, as it makes no repeat harmless."""

    def plain(self, value: Any) -> Any:
        """See `_FewValidators.plain`."""
        return value if type(value) is str and not id_fault(value) else None

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError(expected("string", value))
        if fault := id_fault(value):
            raise ValidationError(fault)
        return value


class Timestamp(Text):
    """ISO 8601; UTC if it has no offset."""

    def plain(self, value: Any) -> Any:
        """See `_FewValidators.plain`."""
        try:
            return parse_timestamp(value)
        except (OverflowError, TypeError, ValueError):
            return None

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise ValidationError(expected("string", value))
        try:
            return parse_timestamp(value)
        except (OverflowError, ValueError):
            raise ValidationError(
                "Invalid timestamp: expected ISO 8601, such as 2024-01-20T10:30:00Z"
            ) from None


class Object(_FewValidators):
    """Any JSON object."""

    def plain(self, value: Any) -> Any:
        """See `_FewValidators.plain`."""
        return value if type(value) is dict else None

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError(expected("object", value))
        return value


class Nested(_FewValidators, fields.Nested):
    """An object with a schema of its own."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError(expected("object", value))
        return super()._deserialize(value, *args, **kwargs)
