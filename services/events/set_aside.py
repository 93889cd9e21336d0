"""Accepted events that cannot be stored: sets them aside, retries them and drops them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from models.events import rejected_events, unreadable_messages
from models.events.rejected_events import RejectedEntry
from models.organizations import audit_log
from queues.lanes.lane import Lane
from queues.lanes.lane_queue import FORMAT, LaneQueue
from queues.messages import EVENTS
from services.accounts.audit import Maker, change_by
from services.errors import ServiceError
from services.events.tracked_event import TrackedEvent, UnreadableEvent

MOST_AT_ONCE = 1_000
"""The most events that one call retries: they are locked meanwhile, and up to 32 KB each."""

_APPENDED_AT_ONCE = 100
"""Redis is blocked while a script appends."""

_LONGEST_ID = 1_000
"""Characters; a longer text where an id belongs is none."""

_AUDITED = 20
"""The most events that an entry of the audit log names."""


class NoSuchEntry(ServiceError):
    """Raised when an event is not, or no longer, set aside; `ids` are those of its row."""

    def __init__(self, ids: Sequence[int]) -> None:
        super().__init__(f"not set aside: {', '.join(map(str, ids))}")
        self.ids = ids


@dataclass(frozen=True)
class Retried:
    """What a call of `retry` has done.

    `unreadable` has the reason, with advice, for each event that cannot be retried, by the id of
    its row. `last_id` is the last row that was tried; None if no row was left.
    """

    events: int
    unreadable: Mapping[int, str]
    last_id: int | None


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


def read_event(organization_id: int, fields: Sequence[bytes]) -> TrackedEvent:
    """Read an entry of the journal, as workers do.

    Raises:
        UnreadableEvent: this release cannot read it; the message says what to do.
    """
    entry_format, content = fields[:2]
    if entry_format != FORMAT.encode():
        raise UnreadableEvent(
            f"its format, `{as_text(entry_format)}`, is not known to this release. Upgrade Brazebee"
            " to the release that wrote it and retry it then, or drop it"
        )
    try:
        event = TrackedEvent.from_json(content)
    except UnreadableEvent as error:
        raise UnreadableEvent(
            f"it is not an event as this release knows them ({error}). Drop it, unless a newer"
            " release can read it"
        ) from None
    if event.organization_id != organization_id:
        raise UnreadableEvent("it names another organization. Drop it")
    return event


def retry(
    organization_id: int,
    filters: Mapping[str, Any],
    journal: LaneQueue,
    *,
    maker: Maker,
    at: datetime,
) -> Retried:
    """Return events to the journal, in the order in which they were set aside.

    The filters are those of `rejected_events.read_page`. A call takes the first `MOST_AT_ONCE`, and
    continues after the row `after_id`. The events are as they were accepted, so they are stored at
    their own times, and once: nothing is lost or counted twice if the transaction is not committed
    after all, and both the journal and the table have an event. What is refused again is set aside
    again, in a new row.

    Raises:
        NoSuchEntry: some of `ids` are not set aside; nothing was changed.
        RedisError: Redis does not answer or is full. Roll back.
    """
    entries = rejected_events.lock(organization_id, filters, limit=MOST_AT_ONCE)
    _require(filters, entries)
    readable: list[tuple[Lane, bytes]] = []
    returned: list[RejectedEntry] = []
    unreadable: dict[int, str] = {}
    for entry in entries:
        try:
            event = read_event(organization_id, entry.fields)
        except UnreadableEvent as error:
            unreadable[entry.event.id] = str(error)
        else:
            readable.append((Lane.of_company(organization_id, event.company_id), entry.fields[1]))
            returned.append(entry)
    for first in range(0, len(readable), _APPENDED_AT_ONCE):
        journal.append(readable[first : first + _APPENDED_AT_ONCE])
    if returned:
        ids = [entry.event.id for entry in returned]
        rejected_events.delete(organization_id, {"ids": ids})
        _record(organization_id, maker, at, "Events retried", returned, len(returned))
    last_id = entries[-1].event.id if entries else None
    return Retried(len(returned), unreadable, last_id)


def drop(organization_id: int, filters: Mapping[str, Any], *, maker: Maker, at: datetime) -> int:
    """Delete events that were set aside, for good, and return their number; filters as above.

    Raises:
        NoSuchEntry: some of `ids` are not set aside; nothing was changed.
    """
    most = None if "ids" in filters else _AUDITED
    entries = rejected_events.lock(organization_id, filters, limit=most)
    _require(filters, entries)
    number = rejected_events.delete(organization_id, filters)
    if number:
        _record(organization_id, maker, at, "Events dropped", entries, number)
    return number


def as_text(content: bytes) -> str:
    """Return content as printable text, in which everything else is escaped, in Python's way."""
    text = content.decode(errors="backslashreplace")
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character in "\n\t"
        else character.encode("unicode_escape").decode()
        for character in text
    )


def accepted_at(fields: Sequence[bytes]) -> datetime | None:
    """Return when an entry was accepted into the journal, if it has that time."""
    named = dict(zip(fields[::2], fields[1::2], strict=False))
    try:
        return datetime.fromtimestamp(int(named[b"t"]) / 1_000_000, UTC)
    except (KeyError, OverflowError, ValueError):
        return None


def _require(filters: Mapping[str, Any], entries: Sequence[RejectedEntry]) -> None:
    missing = set(filters.get("ids") or ()) - {entry.event.id for entry in entries}
    if missing:
        raise NoSuchEntry(sorted(missing))


def _record(
    organization_id: int,
    maker: Maker,
    at: datetime,
    action: str,
    entries: Sequence[RejectedEntry],
    number: int,
) -> None:
    """Write the audit log: how many events, and the first of them."""
    names = [e.event.event_id or f"entry {e.event.id}" for e in entries[:_AUDITED]]
    subject, detail = f"{number} events", {"events": ", ".join(names)}
    if number > len(names):
        detail["events"] += f" and {number - len(names)} more"
    if number == 1:
        [subject], detail = names, {"company": entries[0].event.company or "unknown"}
    audit_log.add(organization_id, change_by(maker, at, action, subject, detail))


def _ids_in(content: bytes) -> tuple[str | None, str | None]:
    """Return the client's ids of the company and of the event, as far as they can be read."""
    try:
        message = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None, None
    if not isinstance(message, dict):
        return None, None
    company = message.get("company")
    return _id(company.get("id") if isinstance(company, dict) else None), _id(
        message.get("event_id")
    )


def _id(value: object) -> str | None:
    if isinstance(value, str) and "\0" not in value and len(value) <= _LONGEST_ID:
        return value
    return None
