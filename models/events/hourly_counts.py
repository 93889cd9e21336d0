"""Hourly counts of events by organization and event key.

The transaction that stores events inserts rows into `event_arrivals`, so an event is counted
exactly when it is stored, at its own time, however late and however often it is sent. These
transactions never wait for each other there. `merge_arrivals` moves the rows into `event_counts`;
readers add up both tables, and so are always current.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from models.bulk import insert
from models.database import execute, query


class CountedEvent(Protocol):
    """An event that is being stored, as far as counting it goes."""

    @property
    def organization_id(self) -> int:
        """The organization's id."""
        ...

    @property
    def event_key(self) -> str:
        """The event key."""
        ...

    @property
    def occurred_at(self) -> datetime:
        """The time of the event."""
        ...


@dataclass
class _Arrivals:
    organization_id: int
    event_key: str
    hour: datetime
    events: int
    last_at: datetime


def record_arrivals(stored: Iterable[CountedEvent]) -> None:
    """Count events in the transaction that stores them."""
    arrivals: dict[tuple[int, str, datetime], _Arrivals] = {}
    for event in stored:
        at = event.occurred_at
        hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        key = event.organization_id, event.event_key, hour
        arrival = arrivals.get(key)
        if arrival is None:
            arrivals[key] = _Arrivals(*key, 1, at)
        else:
            arrival.events += 1
            arrival.last_at = max(arrival.last_at, at)
    insert("event_arrivals", tuple(_Arrivals.__dataclass_fields__), list(arrivals.values()))


def merge_arrivals(organization_id: int, now: datetime) -> None:
    """Merge an organization's arrivals into the counts and mark their weeks as touched."""
    arrived = query(
        "with arrived as (delete from event_arrivals"
        " where organization_id = %(organization_id)s returning *)"
        " select organization_id, event_key, hour, sum(events)::bigint as events,"
        " max(last_at) as last_at, date_trunc('week', hour at time zone 'UTC')::date as week,"
        " %(now)s::timestamptz as touched_at"
        " from arrived group by 1, 2, 3 order by 1, 2, 3",
        {"organization_id": organization_id, "now": now},
    )
    insert(
        "event_counts",
        tuple(_Arrivals.__dataclass_fields__),
        arrived,
        then="on conflict (organization_id, event_key, hour) do update set"
        " events = event_counts.events + excluded.events,"
        " last_at = greatest(event_counts.last_at, excluded.last_at)",
    )
    weeks = {(row["event_key"], row["week"]): row for row in arrived}
    insert(
        "event_weeks",
        ("organization_id", "event_key", "week", "touched_at"),
        list(weeks.values()),
        then="on conflict (organization_id, event_key, week) do update set"
        " touched_at = coalesce(event_weeks.touched_at, excluded.touched_at)",
    )


def recount(organization_id: int, now: datetime) -> None:
    """Count all events of an organization again, after they were stored in another way.

    Runs in the current transaction; no other may store events of the organization at the same time.
    """
    parameters = {"organization_id": organization_id, "now": now}
    for table in ("event_arrivals", "event_counts", "event_weeks"):
        execute(f"delete from {table} where organization_id = %(organization_id)s", parameters)
    execute(
        "insert into event_counts (organization_id, event_key, hour, events, last_at)"
        " select organization_id, event_key, date_trunc('hour', occurred_at, 'UTC'), count(*),"
        " max(occurred_at) from events where organization_id = %(organization_id)s"
        " group by 1, 2, 3",
        parameters,
    )
    execute(
        "insert into event_weeks (organization_id, event_key, week, touched_at)"
        " select distinct organization_id, event_key,"
        " date_trunc('week', hour at time zone 'UTC')::date, %(now)s::timestamptz"
        " from event_counts where organization_id = %(organization_id)s",
        parameters,
    )
