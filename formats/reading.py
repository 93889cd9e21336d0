"""Reads the parts that the formats have in common."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from formats.record import UnreadableRecord
from formats.timestamps import parse_timestamp

SAME_CLOCK = timedelta(minutes=5)
"""Up to this difference between the sending and the arrival of a request, times stay as they are:
it is the way that the request took. Some SDKs send a request again with the time of the first
attempt; corrected by that, its calls would seem to be later than what was sent meanwhile."""

_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false",
          int: "a number", float: "a number", type(None): "null"}  # fmt: skip


def the_object(value: Any, what: str) -> Mapping[str, Any]:
    """Return a value that has to be an object.

    Raises:
        UnreadableRecord: it is something else.
    """
    if isinstance(value, dict):
        return value
    raise UnreadableRecord(f"{what} is an object, and this is {_KINDS[type(value)]}")


def member(of: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Return the object at a path; an empty one if there is none, or null.

    Raises:
        UnreadableRecord: something else is there.
    """
    found: Any = of
    for depth, name in enumerate(path, start=1):
        found = found.get(name)
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise UnreadableRecord(
                f"Expected an object, and this is {_KINDS[type(found)]}", *path[:depth]
            )
    return found  # type: ignore[no-any-return]


def id_in(of: Mapping[str, Any], name: str) -> str | None:
    """Return an id, as a text even if it was sent as a number; None if there is none.

    Raises:
        UnreadableRecord: it is neither a text nor a whole number.
    """
    found = of.get(name)
    if found is None or (isinstance(found, str) and not found.strip()):
        return None
    if isinstance(found, str):
        return found
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    raise UnreadableRecord(f"An id is a text or a whole number, not {_KINDS[type(found)]}", name)


def name_in(of: Mapping[str, Any], name: str, what: str) -> str:
    """Return the name of an event.

    Raises:
        UnreadableRecord: there is none.
    """
    found = of.get(name)
    if isinstance(found, str) and found.strip():
        return found
    raise UnreadableRecord(f"{what} has no name: `{name}` has to be a text", name)


def time_in(of: Mapping[str, Any], *names: str) -> datetime | None:
    """Return the time of the first of these names that is given; None if none is.

    Raises:
        UnreadableRecord: it is not a time.
    """
    for name in names:
        found = of.get(name)
        if found is not None:
            at = instant(found)
            if at is None:
                raise UnreadableRecord(
                    "Invalid time: expected ISO 8601, such as 2024-01-20T10:30:00Z", name
                )
            return at
    return None


def instant(value: Any) -> datetime | None:
    """Return the time that a text writes in ISO 8601; None if it does not."""
    if not isinstance(value, str):
        return None
    try:
        return parse_timestamp(value)
    except (OverflowError, ValueError):
        return None


def corrected(at: datetime | None, sent_at: Any, received_at: datetime) -> datetime | None:
    """Return a time of the sender's clock as one of ours.

    `sent_at` is when the sender says that it sent the request, which arrived at `received_at`.
    Where that cannot be read, the time stays as it is.
    """
    sent = instant(sent_at)
    if at is None or sent is None or abs(received_at - sent) <= SAME_CLOCK:
        return at
    try:
        return at + (received_at - sent)
    except OverflowError:
        return at
