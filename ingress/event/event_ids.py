"""The ids of events: those of clients, which make retries idempotent, and generated ones."""

from typing import Any

import uuid_utils

LONGEST_ID = 128
"""Characters."""

HEADER = "Idempotency-Key"
"""The header with the id of an event that has none of its own."""


def new_id() -> str:
    """Return a UUID of version 7, which sorts by time."""
    return str(uuid_utils.uuid7())


def id_fault(event_id: str, longest: int = LONGEST_ID) -> str | None:
    """Return the fault of a client's id as a sentence; None if it is valid."""
    if not event_id:
        return "Must not be empty"
    if len(event_id) > longest:
        return f"At most {longest} characters"
    if any(map(str.isspace, event_id)):
        return "Must not contain blanks"
    return None


def header_faults(key: str | None, longest: int = LONGEST_ID) -> list[dict[str, Any]]:
    """Return the faults of the header in the form of those of a body."""
    if key is None:
        return []
    fault = id_fault(key, longest)
    if fault is None and not (key.isascii() and key.isprintable()):
        fault = "Must be of visible ASCII characters"  # headers have no encoding for others
    return [{"path": [HEADER], "message": fault}] if fault else []
