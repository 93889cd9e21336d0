"""Queries over stored events of one company, and of several companies in a window."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.database import database, json, query

Filters = Sequence[tuple[Sequence[str], Sequence[Any]]]
"""Pairs of a path in `data` and the accepted values at it."""


@dataclass(frozen=True)
class Selection:
    """The events of one company in `(since, until]` with a key (None is any) and matching data."""

    organization_id: int
    company_id: int
    event_key: str | None
    where: Filters
    since: datetime
    until: datetime


_OF_COMPANY = "organization_id = %(organization_id)s and company_id = %(company_id)s"


def find_latest(selection: Selection, *, limit: int) -> list[datetime]:
    """Return the times of the `limit` latest events, newest first.

    One scan of the index `events_by_key`, or `events_by_time` if the key is None, that ends after
    `limit` matches.
    """
    condition, parameters = _condition(selection)
    rows = query(
        f"select occurred_at from events where {condition}"
        " order by occurred_at desc limit %(limit)s",
        {**parameters, "limit": limit},
    )
    return [row["occurred_at"] for row in rows]


def find_first(selection: Selection) -> datetime | None:
    """Return the time of the first event; one probe of the same index."""
    condition, parameters = _condition(selection)
    rows = query(
        f"select occurred_at from events where {condition} order by occurred_at limit 1", parameters
    )
    return rows[0]["occurred_at"] if rows else None


def find_latest_by_user(selection: Selection, *, limit: int) -> list[datetime]:
    """Return the last time of each user, the `limit` latest of them, newest first.

    Skips from one (key, user) to the next in the index `events_by_user`, so its cost depends on
    the number of users, not of their events. With `where`, it reads all events of the window.
    """
    if selection.where:
        return _latest_of_each(selection, "user_id", {}, limit=limit)
    # For a single key, comparing whole rows would scan from the key's first entry each time.
    same_key, following = "true", "(event_key, user_id) > (pairs.event_key, pairs.user_id)"
    if selection.event_key is not None:
        same_key, following = "event_key = %(event_key)s", "user_id > pairs.user_id"
    rows = query(
        f"""
        with recursive pairs as (
            (select event_key, user_id from events
             where {_OF_COMPANY} and {same_key} and user_id is not null
             order by event_key, user_id limit 1)
            union all
            select next.* from pairs cross join lateral (
                select event_key, user_id from events
                where {_OF_COMPANY} and {same_key} and {following}
                    and user_id is not null
                order by event_key, user_id limit 1
            ) next
        )
        select max(last.occurred_at) as occurred_at from pairs cross join lateral (
            select occurred_at from events
            where {_OF_COMPANY} and user_id is not null
                and event_key = pairs.event_key and user_id = pairs.user_id
                and occurred_at > %(since)s and occurred_at <= %(until)s
            order by occurred_at desc limit 1
        ) last
        group by pairs.user_id order by 1 desc limit %(limit)s
        """,
        {**vars(selection), "limit": limit},
    )
    return [row["occurred_at"] for row in rows]


def find_latest_by_value(
    selection: Selection, path: Sequence[str], *, limit: int
) -> list[datetime]:
    """Return the last time of each distinct value at a path in `data`, the `limit` latest.

    Reads all events of the window.
    """
    field, parameters = _field(path, "of")
    return _latest_of_each(selection, f"nullif({field}, 'null')", parameters, limit=limit)


def read_values(selection: Selection, path: Sequence[str]) -> list[tuple[datetime, Any]]:
    """Return each event's time and its value at a path, oldest first; see `value_at`.

    Reads all events of the window.
    """
    field, parameters = value_at(path)
    condition, matching = _condition(selection)
    cursor = database.execute_sql(
        f"select occurred_at, {field} from events where {condition} order by occurred_at",
        {**parameters, **matching},
    )
    values: list[tuple[datetime, Any]] = cursor.fetchall()
    return values


def read_for_companies(
    organization_id: int,
    company_ids: Collection[int],
    event_keys: Collection[str] | None,
    *,
    since: datetime,
    until: datetime,
) -> list[tuple[int, datetime, str, int | None, Any]]:
    """Return all events of companies in `(since, until]`: company, time, key, user id, data.

    `event_keys` is None for events of any key.
    """
    only_keys = "" if event_keys is None else " and event_key = any(%(event_keys)s)"
    cursor = database.execute_sql(
        "select company_id, occurred_at, event_key, user_id, data from events"
        " where organization_id = %(organization_id)s and company_id = any(%(company_ids)s)"
        f" and occurred_at > %(since)s and occurred_at <= %(until)s{only_keys}",
        {
            "organization_id": organization_id,
            "company_ids": list(company_ids),
            "event_keys": None if event_keys is None else list(event_keys),
            "since": since,
            "until": until,
        },
    )
    events: list[tuple[int, datetime, str, int | None, Any]] = cursor.fetchall()
    return events


def find_first_arrivals(organization_id: int, company_ids: Collection[int]) -> dict[int, datetime]:
    """Return when the first event of each company arrived. Reads all of their events."""
    rows = query(
        "select company_id, min(received_at) as at from events"
        " where organization_id = %(organization_id)s and company_id = any(%(company_ids)s)"
        " group by company_id",
        {"organization_id": organization_id, "company_ids": list(company_ids)},
    )
    return {row["company_id"]: row["at"] for row in rows}


def filter_condition(where: Filters) -> tuple[str, dict[str, Any]]:
    """Return SQL that begins with `and`, for filters of the data of events, and its parameters."""
    conditions = []
    parameters: dict[str, Any] = {}
    for number, (path, accepted) in enumerate(where):
        field, steps = _field(path, f"path_{number}")
        conditions.append(f" and {field} = any(%(values_{number})s::jsonb[])")
        parameters |= steps
        parameters[f"values_{number}"] = [json(value) for value in accepted]
    return "".join(conditions), parameters


def _latest_of_each(
    selection: Selection, value: str, parameters: dict[str, Any], *, limit: int
) -> list[datetime]:
    condition, matching = _condition(selection)
    rows = query(
        f"select max(occurred_at) as occurred_at from events where {condition}"
        f" and {value} is not null group by {value} order by 1 desc limit %(limit)s",
        {**matching, **parameters, "limit": limit},
    )
    return [row["occurred_at"] for row in rows]


def _condition(selection: Selection) -> tuple[str, dict[str, Any]]:
    """Return SQL for a selection, and its parameters."""
    conditions = [
        _OF_COMPANY,
        "occurred_at > %(since)s",
        "occurred_at <= %(until)s",
    ]
    parameters = dict(vars(selection))
    if selection.event_key is not None:
        conditions.append("event_key = %(event_key)s")
    data, matching = filter_condition(selection.where)
    return " and ".join(conditions) + data, parameters | matching


def value_at(path: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Return SQL for what a path of an event leads to, and its parameters.

    It is the user for `user`, a value of its data below `data`, and null for an empty path.
    """
    if not path:
        return "null", {}
    return ("user_id", {}) if path[0] == "user" else _field(path[1:], "of")


def _field(path: Sequence[str], name: str) -> tuple[str, dict[str, Any]]:
    """Return SQL for the value at a path in `data`, and its parameters."""
    # Step by step with `->`, since `#>` would read a step such as `0` as an index of a list.
    names = [f"{name}_{depth}" for depth in range(len(path))]
    return (
        f"({' -> '.join(['data', *(f'%({step})s::text' for step in names)])})",
        dict(zip(names, path, strict=True)),
    )
