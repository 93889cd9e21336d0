"""Events of the CloudEvents specification (cloudevents.io), whose data names company and user."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from formats.reading import id_in, member, name_in, the_object, time_in
from formats.record import Kind, Record, UnreadableRecord

_HOW = "`data.company` is an object with an `id`, or the attribute `companyid` has it"


def read(event: Any, _received_at: datetime) -> Record:
    """Read an event in the form of JSON: its attributes, and its `data`.

    `data.company` and `data.user` are objects as `POST /v1/track` takes them, or ids alone; the
    attributes `companyid` and `userid` stand in for them. What else the data has is the event's.

    Raises:
        UnreadableRecord: nothing can be made of the event.
    """
    event = the_object(event, "A CloudEvent")
    version = event.get("specversion")
    if not isinstance(version, str) or not version.startswith(("1.", "0.3")):
        raise UnreadableRecord("`specversion` is 1.0", "specversion")
    name = name_in(event, "type", "The event")
    if event.get("data_base64") is not None:
        raise UnreadableRecord("The data has to be JSON, not bytes", "data_base64")
    data = dict(member(event, "data"))
    company, user = (_named(event, data, what) for what in ("company", "user"))
    if company is None and user is None:
        raise UnreadableRecord(f"The event names neither a company nor a user: {_HOW}", "data")
    for attribute in ("source", "subject"):
        if event.get(attribute) is not None:
            data.setdefault(attribute, event[attribute])
    at = time_in(event, "time")
    return Record(Kind.EVENT, name, company, user, data, id_in(event, "id"), at)


def _named(event: Mapping[str, Any], data: dict[str, Any], what: str) -> dict[str, Any] | None:
    """Take the company or user out of the data."""
    given = data.pop(what, None)
    if isinstance(given, dict):
        own = id_in(given, "id") or id_in(event, f"{what}id")
        if own is None:
            raise UnreadableRecord("Required", "data", what, "id")
        return {**given, "id": own}
    own = id_in({what: given}, what) or id_in(event, f"{what}id")
    return {"id": own} if own else None
