"""Ids of events: those that clients give, so that sending again counts once, and our own."""

from typing import TYPE_CHECKING, Any

import uuid_utils

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

LONGEST_ID = 64
"""Characters of an event's id."""

HEADER = "Idempotency-Key"


def new_id() -> str:
    """A UUID of version 7: later ones sort after earlier ones."""
    return str(uuid_utils.uuid7())


def id_fault(event_id: str, longest: int = LONGEST_ID) -> str | None:
    """What is wrong with an id that a client gives, for people; None if nothing is."""
    if not event_id:
        return "Must not be empty"
    if len(event_id) > longest:
        return f"At most {longest} characters"
    if any(map(str.isspace, event_id)):
        return "Must not contain blanks"
    return None


def header_id(environ: "WSGIEnvironment") -> str | None:
    """The id in a request's header."""
    return environ.get("HTTP_IDEMPOTENCY_KEY")


def header_faults(key: str | None, longest: int = LONGEST_ID) -> list[dict[str, Any]]:
    """What is wrong with the header, in the form of the faults of a body."""
    if key is None:
        return []
    fault = id_fault(key, longest)
    if fault is None and not (key.isascii() and key.isprintable()):
        fault = "Must be of visible ASCII characters"  # a header has no agreed encoding for others
    return [{"path": [HEADER], "message": fault}] if fault else []
