"""The shapes of what is no event of `POST /v1/track`: updates, and records of other products."""

from datetime import datetime
from itertools import islice
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError

from ingress.event.fields import EventId, Name, Nested, Object, Timestamp, expected
from ingress.event.plain import derive
from ingress.event.schema import (
    FUTURE_TOLERANCE,
    MOST_FAULTS,
    REQUIRED,
    CompanySchema,
    InvalidEvent,
    UserSchema,
    details_of,
)
from ingress.strict_json import storage_faults

TOO_LATE = {"path": ["timestamp"], "message": "More than 1 hour in the future"}


class KnownCompanySchema(CompanySchema):
    """A company that need not have its name: one that is known has it already."""

    name = Name(allow_none=True)


class CompanyUpdateSchema(Schema):
    """Fields of a company."""

    class Meta:
        """Other fields are left out."""

        unknown = EXCLUDE

    company = Nested(KnownCompanySchema, required=True, error_messages=REQUIRED)
    timestamp = Timestamp(allow_none=True)


class UserUpdateSchema(Schema):
    """Fields of a user, who may belong to a company."""

    class Meta:
        """Other fields are left out."""

        unknown = EXCLUDE

    user = Nested(UserSchema, required=True, error_messages=REQUIRED)
    company = Nested(KnownCompanySchema, allow_none=True)
    timestamp = Timestamp(allow_none=True)


class RecordSchema(Schema):
    """What was read from the call of another product."""

    class Meta:
        """Nothing else was read."""

        unknown = EXCLUDE

    event_id = EventId(allow_none=True)
    event_key = Name(allow_none=True)
    company = Nested(KnownCompanySchema, allow_none=True)
    user = Nested(UserSchema, allow_none=True)
    data = Object(allow_none=True)


class Shape:
    """Loads objects of one schema, and lists every fault of an invalid one."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._load_plain = derive(schema)

    def load(
        self, payload: Any, received_at: datetime, *, storable: bool = False
    ) -> dict[str, Any]:
        """Return the fields of an object; `storable` is as in `validate_event`.

        `occurred_at` is added: its time, or that of its arrival. A company without a name has no
        `name`, rather than an empty one.

        Raises:
            InvalidEvent: with every fault.
        """
        if not isinstance(payload, dict):
            raise InvalidEvent([{"path": [], "message": expected("object", payload)}])
        loaded = self._load_plain(payload) if storable else None
        if loaded is None or is_too_late(loaded.get("timestamp"), received_at):
            loaded = self._load(payload, received_at, storable=storable)
        loaded["occurred_at"] = min(loaded.get("timestamp") or received_at, received_at)
        company = loaded.get("company")
        if company and company.get("name", "") is None:
            loaded["company"] = {name: company[name] for name in company if name != "name"}
        return loaded

    def _load(
        self, payload: dict[str, Any], received_at: datetime, *, storable: bool
    ) -> dict[str, Any]:
        details = [] if storable else list(islice(storage_faults(payload), MOST_FAULTS))
        loaded: dict[str, Any] = {}
        try:
            loaded = self._schema.load(payload)
        except ValidationError as error:
            details += details_of(error.messages_dict)
            loaded = error.valid_data if isinstance(error.valid_data, dict) else {}
        if is_too_late(loaded.get("timestamp"), received_at):
            details.append(TOO_LATE)
        if details:
            raise InvalidEvent(details)
        return loaded


def is_too_late(occurred_at: datetime | None, received_at: datetime) -> bool:
    """Whether a time is so far in the future that it is not merely of another clock."""
    return occurred_at is not None and occurred_at > received_at + FUTURE_TOLERANCE
