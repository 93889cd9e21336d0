"""Turns the arguments of a call into what is kept in the spool and sent later.

A record is its kind, a blank, and one object of JSON, as the API takes it in a batch.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timezone
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from brazebee_client.errors import InvalidCall
from brazebee_client.event_ids import new_event_id

EVENT = b"e"
USER = b"u"
COMPANY = b"c"
KINDS = (EVENT, USER, COMPANY)

Fields = Mapping[str, Any]

_DEEPEST = 32
"""Levels of nesting. The API takes 10; a structure that contains itself has no end."""


def track_record(
    event_key: str,
    company: Fields,
    user: Fields | None,
    data: Fields | None,
    timestamp: datetime | str | None,
    event_id: str | None,
) -> tuple[str, bytes]:
    """Return the id of an event and its record.

    Raises:
        InvalidCall: an argument is missing or is no JSON.
    """
    event: dict[str, Any] = {
        "event_key": _text(event_key, "event_key"),
        "company": _identified(company, "company", named=True),
    }
    if user is not None:
        event["user"] = _identified(user, "user")
    if data is not None:
        event["data"] = _fields(data, "data")
    event["timestamp"] = _instant(timestamp)
    event["event_id"] = new_event_id() if event_id is None else _text(event_id, "event_id")
    return event["event_id"], _record(EVENT, event)


def user_and_company_records(
    user: Fields | None, company: Fields | None, timestamp: datetime | str | None
) -> list[bytes]:
    """Return the records that update a user, a company, or both and that they belong together.

    Raises:
        InvalidCall: an argument is missing or is no JSON.
    """
    instant = _instant(timestamp)
    records = []
    company_fields = None if company is None else _identified(company, "company")
    if company_fields is not None and (user is None or len(company_fields) > 1):
        records.append(_record(COMPANY, {"company": company_fields, "timestamp": instant}))
    if user is not None:
        update: dict[str, Any] = {"user": _identified(user, "user")}
        if company_fields is not None:
            update["company"] = {"id": company_fields["id"]}
        records.append(_record(USER, update | {"timestamp": instant}))
    return records


def _record(kind: bytes, value: Mapping[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        return kind + b" " + text.encode()
    except UnicodeEncodeError as error:
        raise InvalidCall("A text has half of a surrogate pair, which is no Unicode") from error


def _identified(fields: Fields, name: str, *, named: bool = False) -> dict[str, Any]:
    """Return the fields of a company or a user, whose id is a text."""
    if not isinstance(fields, Mapping):
        raise InvalidCall(f"{name} must be a mapping with an `id`, not {_kind(fields)}")
    plain = _fields(fields, name)
    own_id = plain.get("id")
    if isinstance(own_id, int) and not isinstance(own_id, bool):
        plain["id"] = own_id = str(own_id)
    if not isinstance(own_id, str) or not own_id:
        raise InvalidCall(f"{name}['id'] is missing: it must be your own id, as text or integer")
    if named and (not isinstance(plain.get("name"), str) or not plain["name"]):
        raise InvalidCall(f"{name}['name'] is missing: every event names its company")
    return plain


def _fields(value: Fields, name: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidCall(f"{name} must be a mapping, not {_kind(value)}")
    return {_key(key, name): _plain(inner, f"{name}[{key!r}]", 1) for key, inner in value.items()}


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidCall(f"{name} must be a text that is not empty, not {_kind(value)}")
    return value


def _instant(value: datetime | str | None) -> str:
    """Return an instant as ISO 8601; the present if there is none."""
    if value is None:
        value = datetime.now(timezone.utc)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidCall("timestamp has no time zone; use datetime.now(timezone.utc)")
        return value.astimezone(timezone.utc).isoformat(timespec="microseconds")
    return _text(value, "timestamp")


def _plain(value: Any, path: str, depth: int) -> Any:  # noqa: C901 -- a row for each type
    """Return a value as JSON has it; common types of Python are written as text or numbers."""
    if depth > _DEEPEST:
        raise InvalidCall(f"{path} is nested too deeply, or contains itself")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return _plain(value.value, path, depth + 1)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidCall(f"{path} is {value}, which JSON does not have")
        return float(value)
    if isinstance(value, Decimal):
        return _plain(float(value), path, depth + 1)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {
            _key(key, path): _plain(inner, f"{path}[{key!r}]", depth + 1)
            for key, inner in value.items()
        }
    if isinstance(value, (set, frozenset)) or (
        isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview))
    ):
        return [_plain(inner, f"{path}[{i}]", depth + 1) for i, inner in enumerate(value)]
    raise InvalidCall(f"{path} is {_kind(value)}, which JSON does not have")


def _key(key: Any, path: str) -> str:
    if not isinstance(key, str):
        raise InvalidCall(f"{path} has the key {key!r}; the keys of JSON are texts")
    return str(key)


def _kind(value: Any) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"
