"""Measures how long a customer's events take to be stored and changes by time to be recorded."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

import psycopg2

POLL_SECONDS = 0.05
LOOK_BACK = "2 minutes"


@dataclass
class Delays:
    """Seconds from acceptance until stored, and from a change by time until it is recorded."""

    stored: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)


@contextmanager
def observing(database_url: str, organization_id: int) -> Iterator[Delays]:
    """Measure the delays of an organization during a block, until what it sent is stored."""
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
    events: set[str] | None = None
    transitions: set[str] | None = None
    while not stopping.wait(POLL_SECONDS):
        with (
            suppress(psycopg2.OperationalError),
            closing(psycopg2.connect(database_url)) as connection,
        ):
            connection.autocommit = True
            with connection.cursor() as cursor:
                while not stopping.wait(POLL_SECONDS):
                    events = _read(cursor, _EVENTS, organization_id, events, delays.stored)
                    transitions = _read(
                        cursor, _TRANSITIONS, organization_id, transitions, delays.late
                    )


_EVENTS = f"""
    select event_id, extract(epoch from clock_timestamp() - occurred_at)::float from events
    where organization_id = %(id)s and event_key = any(array['report', 'error'])
        and occurred_at > now() - interval '{LOOK_BACK}'
"""
_TRANSITIONS = f"""
    select id::text, extract(epoch from recorded_at - at)::float from transitions
    where organization_id = %(id)s and at > now() - interval '{LOOK_BACK}' and cause = 'time'
"""


def _read(
    cursor: "psycopg2.extensions.cursor",
    sql: str,
    organization_id: int,
    known: set[str] | None,
    delays: list[float],
) -> set[str]:
    """Add the delays of rows that were not known; the first time, all rows are."""
    cursor.execute(sql, {"id": organization_id})
    rows = dict(cursor.fetchall())
    if known is not None:
        delays += (delay for name, delay in rows.items() if name not in known)
    return rows.keys() | (known or set())
