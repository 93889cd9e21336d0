"""Retries and drops accepted events that were set aside."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.database import transaction
from models.events import rejected_events
from models.events.rejected_events import RejectedEntry
from models.organizations import audit_log
from queues.lanes.lane import Lane
from queues.lanes.lane_queue import LaneQueue
from services.accounts.audit import Maker, change_by
from services.errors import ServiceError
from services.events.records import read_entry
from services.events.tracked_event import UnreadableEvent, with_time_of_acceptance

MOST_AT_ONCE = 1_000
"""The most events that one transaction retries, unless it is given their ids. They may have 32 KB
each, and are locked meanwhile."""

_APPENDED_AT_ONCE = 100
"""Redis does nothing else while a script appends."""

_AUDITED = 20
"""The most events that an entry of the audit log names."""


class NoSuchEvent(ServiceError):
    """Raised when an event is not, or no longer, set aside; `ids` are those of rows."""

    def __init__(self, ids: Sequence[int]) -> None:
        super().__init__(f"not set aside: {', '.join(map(str, ids))}")
        self.ids = ids


@dataclass(frozen=True)
class Retried:
    """How many events were returned to the journal.

    `unreadable` has the reason, with advice, for each event that cannot be retried, by the id of
    its row. `last_id` is the last row that was tried, None if no row was left.
    """

    events: int
    unreadable: Mapping[int, str]
    last_id: int | None


def retry(
    organization_id: int,
    filters: Mapping[str, Any],
    journal: LaneQueue,
    *,
    maker: Maker,
    at: datetime,
) -> Retried:
    """Return events to the journal, the oldest first, and delete their rows.

    The filters are those of `rejected_events.read_page`. Without `ids`, only the first
    `MOST_AT_ONCE` events are tried. Events return as they were accepted, so they are stored at
    their own times. If the transaction is not committed after all, both the journal and the table
    have them, and their ids keep them from being stored twice. What is refused again is set aside
    again, in a new row.

    Raises:
        NoSuchEvent: some of `ids` are not set aside; nothing was changed.
        RedisError: Redis does not answer or is full. Roll back.
    """
    most = None if "ids" in filters else MOST_AT_ONCE
    entries = _lock(organization_id, filters, most)
    returned: list[RejectedEntry] = []
    readable: list[tuple[Lane, bytes]] = []
    unreadable: dict[int, str] = {}
    for entry in entries:
        try:
            record = read_entry(organization_id, entry.fields)
        except UnreadableEvent as error:
            unreadable[entry.event.id] = str(error)
        else:
            returned.append(entry)
            lane = Lane.of_company(organization_id, record.company_id)
            readable.append((lane, with_time_of_acceptance(entry.fields[1], record.received_at)))
    for first in range(0, len(readable), _APPENDED_AT_ONCE):
        journal.append(readable[first : first + _APPENDED_AT_ONCE])
    if returned:
        rejected_events.delete(organization_id, {"ids": [entry.event.id for entry in returned]})
        _record(organization_id, maker, at, "Events retried", returned, len(returned))
    last_id = entries[-1].event.id if entries else None
    return Retried(len(returned), unreadable, last_id)


def retry_all(
    organization_id: int,
    filters: Mapping[str, Any],
    journal: LaneQueue,
    *,
    maker: Maker,
    at: datetime,
) -> Iterator[Retried]:
    """Retry all events that match, each thousand in a transaction of its own; yields its result.

    Raises:
        RedisError: as `retry`; what was yielded before is done.
    """
    with transaction():
        until_id = rejected_events.latest_id(organization_id)
    retried = Retried(0, {}, 0)
    while retried.last_id is not None:
        # Not those that are refused again meanwhile, which would come again and again.
        remaining = {**filters, "after_id": retried.last_id, "until_id": until_id}
        with transaction():
            retried = retry(organization_id, remaining, journal, maker=maker, at=at)
        yield retried


def drop(organization_id: int, filters: Mapping[str, Any], *, maker: Maker, at: datetime) -> int:
    """Delete events that were set aside, for good, and return their number.

    Raises:
        NoSuchEvent: some of `ids` are not set aside; nothing was changed.
    """
    entries = _lock(organization_id, filters, None if "ids" in filters else _AUDITED)
    number = rejected_events.delete(organization_id, filters)
    if number:
        _record(organization_id, maker, at, "Events dropped", entries, number)
    return number


def _lock(
    organization_id: int, filters: Mapping[str, Any], most: int | None
) -> list[RejectedEntry]:
    entries = rejected_events.lock(organization_id, filters, limit=most)
    missing = set(filters.get("ids") or ()) - {entry.event.id for entry in entries}
    if missing:
        raise NoSuchEvent(sorted(missing))
    return entries


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
