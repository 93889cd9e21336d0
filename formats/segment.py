"""The calls of Segment's SDKs, which RudderStack's SDKs send in the same form."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from formats.reading import corrected, id_in, member, name_in, the_object, time_in
from formats.record import Kind, Record, UnreadableRecord

PAGE_VIEWED, SCREEN_VIEWED = "Page Viewed", "Screen Viewed"
"""The names of the events that pages and screens become; which one it was is in their data."""

TYPES = ("track", "identify", "group", "page", "screen", "alias")


def read(call: Any, received_at: datetime, sent_at: Any = None) -> Record | None:
    """Read a call; `sent_at` is the `sentAt` of the batch that it came in.

    None if there is nothing to keep of it: `alias` joins two ids of a user, and an anonymous
    visitor who sees a page is nobody's customer.

    Raises:
        UnreadableRecord: nothing can be made of the call.
    """
    call = the_object(call, "A call")
    kind = call.get("type")
    if kind not in TYPES:
        raise UnreadableRecord(f"`type` is one of {', '.join(TYPES)}", "type")
    if kind == "alias":
        return None
    at = corrected(
        time_in(call, "originalTimestamp", "timestamp"),
        call["sentAt"] if call.get("sentAt") is not None else sent_at,
        received_at,
    )
    read_kind = {"identify": _identify, "group": _group, "track": _track}.get(kind, _view)
    return read_kind(call, id_in(call, "messageId"), at)


def _identify(call: Mapping[str, Any], sent_id: str | None, at: datetime | None) -> Record:
    user_id = id_in(call, "userId")
    if user_id is None:
        raise UnreadableRecord("`identify` needs a `userId`; a visitor is no user", "userId")
    fields = {**member(call, "context", "traits"), **member(call, "traits")}
    company = _company(call)
    own = fields.get("company")
    if isinstance(own, dict) and (named := id_in(own, "id")):
        fields.pop("company")
        if company is None or company["id"] == named:
            company = {**own, "id": named}
    return Record(Kind.USER, company=company, user=_user(user_id, fields), id=sent_id, at=at)


def _group(call: Mapping[str, Any], sent_id: str | None, at: datetime | None) -> Record:
    group_id = id_in(call, "groupId")
    if group_id is None:
        raise UnreadableRecord("`group` needs a `groupId`, the id of the company", "groupId")
    company = {**member(call, "traits"), "id": group_id}
    return Record(Kind.COMPANY, company=company, user=_own_user(call), id=sent_id, at=at)


def _track(call: Mapping[str, Any], sent_id: str | None, at: datetime | None) -> Record:
    name = name_in(call, "event", "`track`")
    company, user = _company(call), _own_user(call)
    if company is None and user is None:
        raise UnreadableRecord(
            "The call names nobody: it needs a `userId`, or the company in `context.groupId`."
            " An anonymous visitor is no user",
            "userId",
        )
    data = member(call, "properties")
    return Record(Kind.EVENT, name, company, user, data, sent_id, at)


def _view(call: Mapping[str, Any], sent_id: str | None, at: datetime | None) -> Record | None:
    """Read a `page` or `screen`."""
    company, user = _company(call), _own_user(call)
    if company is None and user is None:
        return None
    seen = {name: call[name] for name in ("category", "name") if call.get(name) is not None}
    data = {**member(call, "properties"), **seen}
    name = PAGE_VIEWED if call["type"] == "page" else SCREEN_VIEWED
    return Record(Kind.EVENT, name, company, user, data, sent_id, at, automatic=True)


def _company(call: Mapping[str, Any]) -> dict[str, Any] | None:
    group_id = id_in(member(call, "context"), "groupId") or id_in(call, "groupId")
    return {"id": group_id} if group_id else None


def _own_user(call: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the user of a call that is about something else, with the fields in its context."""
    user_id = id_in(call, "userId")
    return _user(user_id, member(call, "context", "traits")) if user_id else None


def _user(user_id: str, traits: Mapping[str, Any]) -> dict[str, Any]:
    names = [traits.get(part) for part in ("firstName", "lastName")]
    given = [name for name in names if isinstance(name, str) and name.strip()]
    name = {"name": " ".join(given)} if given and traits.get("name") is None else {}
    return {**traits, **name, "id": user_id}
