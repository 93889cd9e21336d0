"""The events of PostHog's SDKs."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from formats.reading import corrected, id_in, member, name_in, the_object, time_in
from formats.record import Kind, Record, UnreadableRecord

COMPANY_TYPES = (
    "company", "organization", "organisation", "account", "customer", "workspace", "tenant",
)  # fmt: skip
"""The group types that are companies, the first of these that an event has. Of an event with a
single group, that is the company whatever its type."""

JOINED = frozenset({"$create_alias", "$merge_dangerously"})
"""Events that join two ids of a person."""

ABOUT_PEOPLE = frozenset({"$identify", "$set", "$set_once"})

LEFT_OUT = frozenset(
    {
        "$groups", "$set", "$set_once", "$unset", "token", "distinct_id", "$lib", "$lib_version",
        "$geoip_disable", "$is_server", "$process_person_profile", "$insert_id",
    }
)  # fmt: skip
"""Properties that are about the sending, or that are read otherwise."""


MOST_MILLISECONDS = 1e11
"""Three years: older events have a `timestamp`."""


def read(event: Any, received_at: datetime, sent_at: Any = None) -> Record | None:
    """Read an event; `sent_at` is that of the batch that it came in, if it has none itself.

    None if there is nothing to keep of it: an alias joins two ids of a person.

    Raises:
        UnreadableRecord: nothing can be made of the event.
    """
    event = the_object(event, "An event")
    name = name_in(event, "event", "The event")
    if name in JOINED:
        return None
    properties = member(event, "properties")
    sent_id = id_in(event, "uuid") or id_in(properties, "$insert_id")
    at = _time(event, received_at, event.get("sent_at") or sent_at)
    if name == "$groupidentify":
        return Record(Kind.COMPANY, company=_identified_group(event), id=sent_id, at=at)
    user, company = _user(event, properties), _company(event)
    if name in ABOUT_PEOPLE:
        if user is None:
            raise UnreadableRecord(f"`{name}` needs a `distinct_id`, the user", "distinct_id")
        return Record(Kind.USER, company=company, user=user, id=sent_id, at=at)
    if user is None and company is None:
        raise UnreadableRecord(
            "The event names nobody: it needs a `distinct_id`, or the company in"
            " `properties.$groups.company`",
            "distinct_id",
        )
    data = {key: value for key, value in properties.items() if key not in LEFT_OUT}
    automatic = name.startswith("$")
    return Record(Kind.EVENT, name, company, user, data, sent_id, at, automatic=automatic)


def _time(event: Mapping[str, Any], received_at: datetime, sent_at: Any) -> datetime | None:
    at = corrected(time_in(event, "timestamp"), sent_at, received_at)
    offset = event.get("offset")
    if at is not None or isinstance(offset, bool) or not isinstance(offset, int | float):
        return at
    is_plausible = 0 <= offset < MOST_MILLISECONDS
    return received_at - timedelta(milliseconds=offset) if is_plausible else None


def _user(event: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any] | None:
    user_id = id_in(event, "distinct_id") or id_in(properties, "distinct_id")
    if user_id is None or properties.get("$process_person_profile") is False:
        return None
    fields: dict[str, Any] = {}
    for given in ("$set_once", "$set"):
        fields |= {**member(event, "properties", given), **member(event, given)}
    return {**fields, "id": user_id}


def _company(event: Mapping[str, Any]) -> dict[str, Any] | None:
    groups = member(event, "properties", "$groups")
    named = [kind for kind in COMPANY_TYPES if groups.get(kind) is not None]
    if not named and len(groups) == 1:
        named = list(groups)
    group_key = id_in(groups, named[0]) if named else None
    return {"id": group_key} if group_key else None


def _identified_group(event: Mapping[str, Any]) -> dict[str, Any]:
    properties = member(event, "properties")
    kind, group_key = properties.get("$group_type"), id_in(properties, "$group_key")
    if kind not in COMPANY_TYPES:
        raise UnreadableRecord(
            f"Groups of this type are no companies; those of {', '.join(COMPANY_TYPES)} are",
            "properties",
            "$group_type",
        )
    if group_key is None:
        raise UnreadableRecord("The group has no key", "properties", "$group_key")
    return {**member(event, "properties", "$group_set"), "id": group_key}
