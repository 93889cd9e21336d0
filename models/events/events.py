"""Events as they were sent, and the two probes into them that judging rests on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.bulk import query_over
from models.database import database, json, query

Filters = Sequence[tuple[Sequence[str], Sequence[Any]]]
"""Pairs of a path below `data` and the values of which one must stand there."""


@dataclass(frozen=True)
class Selection:
    """The events of one company in `(since, until]` with a key (None is any) and certain data."""

    company_id: int
    event_key: str | None
    where: Filters
    since: datetime
    until: datetime


def find_latest(selection: Selection, *, limit: int) -> list[datetime]:
    """Times of the `limit` latest events, newest first.

    One walk down `events_by_key`, or `events_by_time` where the key is None, that ends after
    `limit` matches.
    """
    condition, parameters = _condition(selection)
    rows = query(
        f"select occurred_at from events where {condition}"
        " order by occurred_at desc limit %(limit)s",
        {**parameters, "limit": limit},
    )
    return [row["occurred_at"] for row in rows]


@dataclass(frozen=True)
class Nth:
    """The `depth`-th latest event of a company, of a key or (None) of any, counted from 1.

    With `users` the last event of the user who comes at that place.
    """

    company_id: int
    event_key: str | None
    depth: int
    users: bool = False


EVENTS_OF_A_USER = 20
"""So many times the depth are read to find users, and no more."""

_NTH_EVENT = (
    "select occurred_at from events where company_id = wanted.company_id{key}"
    " and occurred_at <= wanted.until order by occurred_at desc offset wanted.depth - 1 limit 1"
)
_NTH_USER = (
    "select max(occurred_at) as occurred_at from (select occurred_at, user_id from events"
    " where company_id = wanted.company_id{key} and occurred_at <= wanted.until"
    f" order by occurred_at desc limit {EVENTS_OF_A_USER} * wanted.depth) latest"
    " where user_id is not null group by user_id order by 1 desc"
    " offset wanted.depth - 1 limit 1"
)


def find_times_of_nth(wanted: Sequence[Nth], until: datetime) -> list[datetime | None]:
    """The time of each of these events up to an instant, None where there are not so many.

    The same walks as `latest` makes, many in one query. None of `users` may also mean that they
    stand further back than it looks.
    """
    walks = [
        f"select wanted.n, nth.occurred_at from v wanted cross join lateral ({walk}) nth"
        f" where wanted.event_key {given} and wanted.users = {users}"
        for users, nth in (("false", _NTH_EVENT), ("true", _NTH_USER))
        for walk, given in (
            (nth.format(key=" and event_key = wanted.event_key"), "is not null"),
            (nth.format(key=""), "is null"),
        )
    ]
    rows = query_over(
        " union all ".join(walks),
        [{**vars(one), "n": n, "until": until} for n, one in enumerate(wanted)],
        "n integer, company_id bigint, event_key text, depth integer, users boolean,"
        " until timestamptz",
    )
    found = {row["n"]: row["occurred_at"] for row in rows}
    return [found.get(n) for n in range(len(wanted))]


@dataclass(frozen=True)
class Latest:
    """The `limit` latest events of a company, of a key or (None) of any."""

    company_id: int
    event_key: str | None
    limit: int


def find_times_of_latest(wanted: Sequence[Latest]) -> list[list[datetime]]:
    """The times of each, newest first: what `latest` finds of all times, many in one query."""
    walk = (
        "select wanted.n, latest.occurred_at from v wanted cross join lateral"
        " (select occurred_at from events where company_id = wanted.company_id{key}"
        " order by occurred_at desc limit wanted.most) latest where wanted.event_key {given}"
    )
    rows = query_over(
        walk.format(key=" and event_key = wanted.event_key", given="is not null")
        + " union all "
        + walk.format(key="", given="is null"),
        [
            {"n": n, "company_id": one.company_id, "event_key": one.event_key, "most": one.limit}
            for n, one in enumerate(wanted)
        ],
        "n integer, company_id bigint, event_key text, most integer",
    )
    times: list[list[datetime]] = [[] for _ in wanted]
    for row in rows:
        times[row["n"]].append(row["occurred_at"])
    return [sorted(found, reverse=True) for found in times]


def find_firsts_after(instants: Mapping[int, datetime]) -> dict[int, datetime]:
    """Of each company the time of its first event after an instant, where there is one.

    One probe of `events_by_time` for each.
    """
    rows = query_over(
        "select v.company_id, following.occurred_at from v cross join lateral"
        " (select occurred_at from events where company_id = v.company_id"
        " and occurred_at > v.after order by occurred_at limit 1) following",
        [{"company_id": company_id, "after": after} for company_id, after in instants.items()],
        "company_id bigint, after timestamptz",
    )
    return {row["company_id"]: row["occurred_at"] for row in rows}


def find_first(selection: Selection) -> datetime | None:
    """Time of the first event; one probe of the same index."""
    condition, parameters = _condition(selection)
    rows = query(
        f"select occurred_at from events where {condition} order by occurred_at limit 1", parameters
    )
    return rows[0]["occurred_at"] if rows else None


def find_latest_by_user(selection: Selection, *, limit: int) -> list[datetime]:
    """The last time of each user, the `limit` latest of them, newest first.

    Hops from one (key, user) to the next along `events_by_user`, so its cost follows the number
    of users, however many events each has. With `where`, it reads the window's events.
    """
    if selection.where:
        return _latest_of_each(selection, "user_id", {}, limit=limit)
    # With the key given, comparing whole rows would walk from the key's first entry each time.
    same_key, following = "true", "(event_key, user_id) > (pairs.event_key, pairs.user_id)"
    if selection.event_key is not None:
        same_key, following = "event_key = %(event_key)s", "user_id > pairs.user_id"
    rows = query(
        f"""
        with recursive pairs as (
            (select event_key, user_id from events
             where company_id = %(company_id)s and {same_key} and user_id is not null
             order by event_key, user_id limit 1)
            union all
            select next.* from pairs cross join lateral (
                select event_key, user_id from events
                where company_id = %(company_id)s and {same_key} and {following}
                    and user_id is not null
                order by event_key, user_id limit 1
            ) next
        )
        select max(last.occurred_at) as occurred_at from pairs cross join lateral (
            select occurred_at from events
            where company_id = %(company_id)s and user_id is not null
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
    """The last time of each distinct value at a path below `data`, as for users.

    Reads the window's events.
    """
    field, parameters = _field(path, "of")
    return _latest_of_each(selection, f"nullif({field}, 'null')", parameters, limit=limit)


def read_values(selection: Selection, path: Sequence[str]) -> list[tuple[datetime, Any]]:
    """Each event's time and what stands at a path below `data`, oldest first.

    An empty path asks for the times alone. Reads the window's events.
    """
    field, parameters = _field(path, "of") if path else ("null", {})
    condition, matching = _condition(selection)
    cursor = database.execute_sql(
        f"select occurred_at, {field} from events where {condition} order by occurred_at",
        {**parameters, **matching},
    )
    found: list[tuple[datetime, Any]] = cursor.fetchall()
    return found


def read_for_companies(
    company_ids: Collection[int],
    event_keys: Collection[str] | None,
    *,
    since: datetime,
    until: datetime,
) -> list[tuple[int, datetime, str, int | None, Any]]:
    """All events of these companies in `(since, until]`: company, time, key, user id, data.

    `event_keys` None is any.
    """
    only_keys = "" if event_keys is None else " and event_key = any(%(event_keys)s)"
    cursor = database.execute_sql(
        "select company_id, occurred_at, event_key, user_id, data from events"
        " where company_id = any(%(company_ids)s)"
        f" and occurred_at > %(since)s and occurred_at <= %(until)s{only_keys}",
        {
            "company_ids": list(company_ids),
            "event_keys": None if event_keys is None else list(event_keys),
            "since": since,
            "until": until,
        },
    )
    found: list[tuple[int, datetime, str, int | None, Any]] = cursor.fetchall()
    return found


def filter_condition(where: Filters) -> tuple[str, dict[str, Any]]:
    """SQL, beginning with `and`, for what stands in the data of events, and its parameters."""
    conditions = []
    parameters: dict[str, Any] = {}
    for number, (path, wanted) in enumerate(where):
        field, steps = _field(path, f"path_{number}")
        conditions.append(f" and {field} = any(%(values_{number})s::jsonb[])")
        parameters |= steps
        parameters[f"values_{number}"] = [json(value) for value in wanted]
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
    """SQL for a selection, and its parameters."""
    conditions = [
        "company_id = %(company_id)s",
        "occurred_at > %(since)s",
        "occurred_at <= %(until)s",
    ]
    parameters = dict(vars(selection))
    if selection.event_key is not None:
        conditions.append("event_key = %(event_key)s")
    data, matching = filter_condition(selection.where)
    return " and ".join(conditions) + data, parameters | matching


def _field(path: Sequence[str], name: str) -> tuple[str, dict[str, Any]]:
    """SQL for what stands at a path below `data`, and its parameters."""
    # Step by step with `->`, since `#>` would take a step such as `0` for a place in a list.
    names = [f"{name}_{depth}" for depth in range(len(path))]
    return (
        f"({' -> '.join(['data', *(f'%({step})s::text' for step in names)])})",
        dict(zip(names, path, strict=True)),
    )
