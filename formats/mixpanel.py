"""Reads events as Mixpanel exports them: lines of its raw event export.

`{"event": "Report Created", "properties": {"time": 1602611311, "distinct_id": "u1",
"$insert_id": "29fc...", "company_id": "acme", ...}}`

The time is in seconds, or milliseconds, since 1970. Properties whose names begin with `$` or `mp_`
are Mixpanel's own and are left out.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from formats.groups import COMPANY_NAMES, company_in, plain_name
from formats.record import Kind, Record, UnreadableRecord

MILLISECONDS_FROM = 10**11
"""Greater numbers are milliseconds: as seconds they would be after the year 5000."""


def read(call: Mapping[str, Any], company: str | None = None) -> Record:
    """Read one line; `company` is the property with the id of the company, guessed by default.

    Raises:
        UnreadableRecord: it is no such event.
    """
    properties = call.get("properties")
    if not isinstance(properties, Mapping):
        raise UnreadableRecord("Expected an object", "properties")
    company_id = company_in(properties, company)
    user_id = _text(properties.get("$user_id")) or _text(properties.get("distinct_id"))
    return Record(
        Kind.EVENT,
        name=_text(call.get("event")),
        company={"id": company_id} if company_id else None,
        user={"id": user_id} if user_id else None,
        data={
            name: value
            for name, value in properties.items()
            if not name.startswith(("$", "mp_"))
            and name not in ("time", "distinct_id", "token", company)
            and (company is not None or plain_name(name) not in COMPANY_NAMES)
        },
        id=_text(properties.get("$insert_id")),
        at=_time(properties.get("time")),
    )


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and value != "" else None


def _time(value: Any) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnreadableRecord("Expected seconds since 1970", "properties", "time")
    try:
        return datetime.fromtimestamp(value / 1000 if value >= MILLISECONDS_FROM else value, UTC)
    except (OverflowError, ValueError, OSError):
        raise UnreadableRecord("There is no such time", "properties", "time") from None
