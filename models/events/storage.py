"""Stores events."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import psycopg2

from models.bulk import NULL, copy_into, escape_json, escape_text, query_over
from models.database import transaction


@dataclass(frozen=True)
class StoredEvent:
    """An event to store."""

    organization_id: int
    event_id: str
    company_id: int
    user_id: int | None
    event_key: str
    occurred_at: datetime
    received_at: datetime
    data: dict[str, Any] | None


EventKey = tuple[int, str]
"""Organization id, and the event's id."""

MANY = 20
"""The number of events from which on COPY is worth its round trips."""

CAREFUL_SECONDS = 60.0


class NewEvents:
    """Stores events. Many are stored with COPY, which fails if one of them is stored already.

    Then they are inserted instead, and so are the events of the next minute.
    """

    def __init__(self) -> None:
        self._careful_until = 0.0

    def add(self, events: Iterable[StoredEvent]) -> set[EventKey]:
        """Store events, and return the keys of the ones that were not stored before."""
        ordered = sorted(events, key=_key)
        if len(ordered) >= MANY and time.monotonic() >= self._careful_until:
            try:
                with transaction():
                    copy_into("events", ", ".join(_COLUMNS), map(_line, ordered))
            except psycopg2.IntegrityError:
                self._careful_until = time.monotonic() + CAREFUL_SECONDS
            else:
                return set(map(_key, ordered))
        return add(ordered)


_COLUMNS = {
    "organization_id": "bigint",
    "event_id": "text",
    "company_id": "bigint",
    "user_id": "bigint",
    "event_key": "text",
    "occurred_at": "timestamptz",
    "received_at": "timestamptz",
    "data": "jsonb",
}
_key = attrgetter("organization_id", "event_id")


def _line(event: StoredEvent) -> str:
    """Return a row in the text format of COPY."""
    user_id = NULL if event.user_id is None else event.user_id
    data = NULL if event.data is None else escape_json(event.data)
    return (
        f"{event.organization_id}\t{escape_text(event.event_id)}\t{event.company_id}\t{user_id}"
        f"\t{escape_text(event.event_key)}\t{event.occurred_at}\t{event.received_at}\t{data}\n"
    )


def add(events: Iterable[StoredEvent]) -> set[EventKey]:
    """Insert events, and return the keys of the ones that were not stored before."""
    rows = query_over(
        f"insert into events ({', '.join(_COLUMNS)}) select * from v"
        " on conflict (organization_id, event_id) do nothing returning organization_id, event_id",
        sorted(
            events, key=_key
        ),  # so that transactions that store the same events wait in one order
        ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items()),
    )
    return {(row["organization_id"], row["event_id"]) for row in rows}
