"""Measures how long a customer's events take to be stored and changes by time to be recorded."""

import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg2

POLL_SECONDS = 0.05


@dataclass
class Delays:
    """Seconds from acceptance until stored, and from a change by time until it is recorded."""

    stored: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)


@contextmanager
def observing(database_url: str, organization_id: int) -> Iterator[Delays]:
    """Measure the delays of an organization during a block.

    What was sent or due before it is left out: a former fault may have delayed that.
    """
    delays, stopping = Delays(), threading.Event()
    observer = threading.Thread(
        target=_observe, args=(database_url, organization_id, delays, stopping), daemon=True
    )
    observer.start()
    try:
        yield delays
    finally:
        stopping.set()
        observer.join()


def _observe(
    database_url: str, organization_id: int, delays: Delays, stopping: threading.Event
) -> None:
    events: set[str] = set()
    transitions: set[str] = set()
    parameters = {"id": organization_id, "since": datetime.now(UTC)}
    while not stopping.wait(POLL_SECONDS):
        with (
            suppress(psycopg2.OperationalError),
            closing(psycopg2.connect(database_url)) as connection,
        ):
            connection.autocommit = True
            with connection.cursor() as cursor:
                while not stopping.wait(POLL_SECONDS):
                    events |= _read(cursor, _EVENTS, parameters, events, delays.stored)
                    transitions |= _read(cursor, _TRANSITIONS, parameters, transitions, delays.late)


_EVENTS = """
    select event_id, extract(epoch from clock_timestamp() - occurred_at)::float from events
    where organization_id = %(id)s and event_key = any(array['report', 'error'])
        and occurred_at > %(since)s
"""
_TRANSITIONS = """
    select id::text, extract(epoch from recorded_at - at)::float from transitions
    where organization_id = %(id)s and at > %(since)s and cause = 'time'
"""


def _read(
    cursor: "psycopg2.extensions.cursor",
    sql: str,
    parameters: Mapping[str, Any],
    known: Collection[str],
    delays: list[float],
) -> set[str]:
    """Add the delays of rows that were not known, and return the ids of all."""
    cursor.execute(sql, parameters)
    rows = dict(cursor.fetchall())
    delays += (delay for name, delay in rows.items() if name not in known)
    return set(rows)
