"""Events as they were sent, and the two probes into them that judging rests on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.database import execute, insert_rows, json, query

Filters = Sequence[tuple[Sequence[str], Sequence[Any]]]
"""Pairs of a path below `data` and the values of which one must stand there."""


@dataclass(frozen=True)
class StoredEvent:
    """One event's row."""

    organization_id: int
    event_id: str
    company_id: int
    user_id: int | None
    event_key: str
    occurred_at: datetime
    received_at: datetime
    data: dict[str, Any] | None


def add(events: Iterable[StoredEvent]) -> set[tuple[int, str]]:
    """Store events; the (organization id, event id) of those that were not stored before."""
    rows = insert_rows(
        "insert into events (organization_id, event_id, company_id, user_id, event_key,"
        " occurred_at, received_at, data) values %s"
        " on conflict (organization_id, event_id) do nothing returning organization_id, event_id",
        [
            (
                e.organization_id,
                e.event_id,
                e.company_id,
                e.user_id,
                e.event_key,
                e.occurred_at,
                e.received_at,
                None if e.data is None else json(e.data),
            )
            for e in sorted(events, key=lambda e: (e.organization_id, e.event_id))
        ],
        returning=True,
    )
    return {(organization_id, event_id) for organization_id, event_id in rows}


def reject(organization_id: int | None, message: Any, error: str) -> None:
    """Keep a message that cannot be stored as an event, with the reason."""
    execute(
        "insert into rejected_events (organization_id, message, error)"
        " values (%(organization_id)s, %(message)s, %(error)s)",
        {"organization_id": organization_id, "message": json(message), "error": error},
    )


def latest(
    company_id: int, event_key: str | None, where: Filters, *, limit: int, until: datetime
) -> list[datetime]:
    """Times of the `limit` latest matching events at or before `until`, newest first.

    One walk down `events_by_key`, or `events_by_time` where the key is None, that ends after
    `limit` matches.
    """
    condition, parameters = _matching(company_id, event_key, where)
    rows = query(
        f"select occurred_at from events where {condition} and occurred_at <= %(until)s"
        " order by occurred_at desc limit %(limit)s",
        {**parameters, "until": until, "limit": limit},
    )
    return [row["occurred_at"] for row in rows]


def next_after(
    company_id: int, event_key: str | None, where: Filters, *, after: datetime, until: datetime
) -> datetime | None:
    """Time of the first matching event in `(after, until]`; one probe of the same index."""
    condition, parameters = _matching(company_id, event_key, where)
    rows = query(
        f"select occurred_at from events where {condition}"
        " and occurred_at > %(after)s and occurred_at <= %(until)s"
        " order by occurred_at limit 1",
        {**parameters, "after": after, "until": until},
    )
    return rows[0]["occurred_at"] if rows else None


def _matching(company_id: int, event_key: str | None, where: Filters) -> tuple[str, dict[str, Any]]:
    conditions = ["company_id = %(company_id)s"]
    parameters: dict[str, Any] = {"company_id": company_id}
    if event_key is not None:
        conditions.append("event_key = %(event_key)s")
        parameters["event_key"] = event_key
    for number, (path, values) in enumerate(where):
        # Step by step with `->`, since `#>` would take a step such as `0` for a place in a list.
        steps = [f"path_{number}_{depth}" for depth in range(len(path))]
        field = " -> ".join(["data", *(f"%({step})s::text" for step in steps)])
        conditions.append(f"({field}) = any(%(values_{number})s::jsonb[])")
        parameters |= dict(zip(steps, path, strict=True))
        parameters[f"values_{number}"] = [json(value) for value in values]
    return " and ".join(conditions), parameters
