"""Reads events as Amplitude exports them: lines of the files of its export API.

`{"event_type": "Report Created", "user_id": "u1", "event_time": "2024-01-20 10:30:00.000000",
"uuid": "c4e5...", "groups": {"company": ["acme"]}, "event_properties": {...}, ...}`

The company is in `groups`, else in `event_properties` or `user_properties`. Times are in UTC.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from formats.groups import company_in
from formats.record import Kind, Record, UnreadableRecord

OWN_EVENTS = ("$identify", "$groupidentify", "session_start", "session_end")
"""What Amplitude records by itself. The first two set fields."""


def read(call: Mapping[str, Any], company: str | None = None) -> Record:
    """Read one line; `company` is the group or property with the company's id, else guessed.

    Raises:
        UnreadableRecord: it is no such event.
    """
    groups, data = _object(call, "groups"), _object(call, "event_properties")
    user_properties, group_properties = _object(call, "user_properties"), _company_fields(call)
    company_id = next(
        (found for each in (groups, data, user_properties) if (found := company_in(each, company))),
        None,
    )
    if company_id is None and company is None and len(groups) == 1:
        company_id = company_in(groups, next(iter(groups)))
    user_id = _text(call.get("user_id"))
    name = _text(call.get("event_type"))
    fields = {key: value for key, value in user_properties.items() if not key.startswith("$")}
    kind = {"$identify": Kind.USER, "$groupidentify": Kind.COMPANY}.get(name or "", Kind.EVENT)
    return Record(
        kind,
        name=name if kind is Kind.EVENT else None,
        company={**group_properties, "id": company_id} if company_id else None,
        user={**fields, "id": user_id} if user_id else None,
        data=data,
        id=_text(call.get("uuid")) or _text(call.get("$insert_id")) or _text(call.get("insert_id")),
        at=_time(call),
    )


def _company_fields(call: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of the only group; of several, none."""
    by_type = _object(call, "group_properties")
    if len(by_type) != 1:
        return {}
    [by_name] = by_type.values()
    if not isinstance(by_name, Mapping) or len(by_name) != 1:
        return {}
    [fields] = by_name.values()
    return fields if isinstance(fields, Mapping) else {}


def _object(call: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = call.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UnreadableRecord("Expected an object", name)
    return value


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and value != "" else None


def _time(call: Mapping[str, Any]) -> datetime:
    name = "event_time" if call.get("event_time") else "client_event_time"
    try:
        at = datetime.fromisoformat(call[name])
    except KeyError:
        raise UnreadableRecord("Required", "event_time") from None
    except (TypeError, ValueError):
        raise UnreadableRecord("Expected a time such as 2024-01-20 10:30:00", name) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
