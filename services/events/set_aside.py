"""Sets aside what is accepted and cannot be stored as an event."""

from collections.abc import Sequence

import orjson

from models.events import rejected_events, unreadable_messages
from queues.messages import EVENTS

_LONGEST_ID = 1_000
"""Characters; a longer text where an id belongs is none."""


def set_aside(
    organization_id: int | None,
    fields: Sequence[bytes],
    reason: str,
    *,
    journal_id: str | None = None,
) -> None:
    """Keep what cannot be stored as an event, in the current transaction.

    `fields` are the fields and values of its entry in the journal, `journal_id` the entry's lane
    and id, so that it is kept only once. What belongs to no organization that exists is kept among
    the unreadable messages.
    """
    reason = reason.replace("\0", "\\x00")
    company, event_id = _ids_in(fields[1])
    if organization_id is not None:
        if rejected_events.add(
            organization_id,
            fields,
            reason,
            journal_id=journal_id,
            company=company,
            event_id=event_id,
        ):
            return
        reason = f"There is no organization {organization_id}. {reason}"
    unreadable_messages.add(EVENTS, fields[1], reason, journal_id=journal_id)


def _ids_in(content: bytes) -> tuple[str | None, str | None]:
    """Return the client's ids of the company and of the event, as far as they can be read."""
    try:
        message = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None, None
    if not isinstance(message, dict):
        return None, None
    company = message.get("company")
    company_id = company.get("id") if isinstance(company, dict) else None
    return _as_id(company_id), _as_id(message.get("event_id"))


def _as_id(value: object) -> str | None:
    if isinstance(value, str) and "\0" not in value and len(value) <= _LONGEST_ID:
        return value
    return None
