"""Stores events."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import psycopg2

from models.bulk import NULL, copy_into, escape_json, escape_text, insert
from models.database import transaction


@dataclass  # not frozen, which would take four times as long for each
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


MANY = 20
"""The number of events from which on COPY is worth its round trips."""

CAREFUL_SECONDS = 60.0


class NewEvents:
    """Stores events. Many are stored with COPY, which fails if one of them is stored already.

    Then they are inserted instead, and so are the events of the next minute.
    """

    def __init__(self) -> None:
        self._careful_until = 0.0

    def add(self, events: Iterable[StoredEvent]) -> set[str]:
        """Store an organization's events; return the ids of those that were not stored before."""
        ordered = sorted(events, key=_event_id)
        if len(ordered) >= MANY and time.monotonic() >= self._careful_until:
            try:
                with transaction():
                    copy_into("events", ", ".join(_COLUMNS), map(_line, ordered))
            except psycopg2.IntegrityError:
                self._careful_until = time.monotonic() + CAREFUL_SECONDS
            else:
                return set(map(_event_id, ordered))
        return add(ordered)


_COLUMNS = tuple(StoredEvent.__dataclass_fields__)
_event_id = attrgetter("event_id")


def _line(event: StoredEvent) -> str:
    """Return a row in the text format of COPY."""
    user_id = NULL if event.user_id is None else event.user_id
    data = NULL if event.data is None else escape_json(event.data)
    return (
        f"{event.organization_id}\t{escape_text(event.event_id)}\t{event.company_id}\t{user_id}"
        f"\t{escape_text(event.event_key)}\t{event.occurred_at}\t{event.received_at}\t{data}\n"
    )


def add(events: Iterable[StoredEvent]) -> set[str]:
    """Insert an organization's events; return the ids of those that were not stored before."""
    rows = insert(
        "events",
        _COLUMNS,
        sorted(events, key=_event_id),  # so that transactions with the same ones wait in one order
        json_columns=("data",),
        then="on conflict (organization_id, event_id) do nothing returning event_id",
    )
    return {row["event_id"] for row in rows}
