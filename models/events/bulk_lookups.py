"""Index probes into the events of many companies of an organization, each batch in one query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from models.bulk import query_over, query_over_columns
from models.events.events import Filters, filter_condition, value_at


class LatestEvents(NamedTuple):
    """The `limit` latest events of a company, of a key or (None) of any."""

    company_id: int
    event_key: str | None
    limit: int


def find_times_of_latest(
    organization_id: int, probes: Sequence[LatestEvents]
) -> list[list[datetime]]:
    """Return the times of each, newest first: `events.find_latest` for many in one query."""
    times = (
        "array(select occurred_at from events where organization_id = %(organization_id)s"
        " and company_id = v.company_id{key} order by occurred_at desc limit v.most)"
    )
    of_key, of_any = times.format(key=" and event_key = v.event_key"), times.format(key="")
    rows = query_over_columns(
        f"select case when v.event_key is null then {of_any} else {of_key} end as times"
        " from v order by v.n",
        {
            "n integer": [*range(len(probes))],
            "company_id bigint": [probe.company_id for probe in probes],
            "event_key text": [probe.event_key for probe in probes],
            "most integer": [probe.limit for probe in probes],
        },
        organization_id=organization_id,
    )
    return [row["times"] for row in rows]


class EventProbe(NamedTuple):
    """The events of a company in `(since, until]`, `limit` of them at most."""

    company_id: int
    since: datetime
    until: datetime
    limit: int


_PROBE_COLUMNS = (
    'n integer, company_id bigint, since timestamptz, until timestamptz, "limit" bigint'
)


@dataclass(frozen=True)
class ProbedEvents:
    """Which events of companies of an organization probes are about; see `events.Selection`."""

    organization_id: int
    event_key: str | None
    where: Filters

    def condition(self) -> tuple[str, dict[str, Any]]:
        """Return SQL for those of a probe `v`, and its parameters."""
        of_key = "" if self.event_key is None else " and event_key = %(event_key)s"
        data, parameters = filter_condition(self.where)
        condition = (
            "organization_id = %(organization_id)s and company_id = v.company_id"
            f" and occurred_at > v.since and occurred_at <= v.until{of_key}{data}"
        )
        about = {"organization_id": self.organization_id, "event_key": self.event_key}
        return condition, about | parameters


def find_latest(probed: ProbedEvents, probes: Sequence[EventProbe]) -> list[list[datetime]]:
    """Return the times of the latest events, newest first: `events.find_latest` for many."""
    condition, parameters = probed.condition()
    rows = _query_over(
        "select v.n, e.occurred_at from v cross join lateral"
        f" (select occurred_at from events where {condition}"
        ' order by occurred_at desc limit v."limit") e',
        probes,
        parameters,
    )
    times: list[list[datetime]] = [[] for _ in probes]
    for row in rows:
        times[row["n"]].append(row["occurred_at"])
    return [sorted(latest, reverse=True) for latest in times]


def read_values(
    probed: ProbedEvents, path: Sequence[str], probes: Sequence[EventProbe]
) -> list[list[tuple[datetime, Any]]]:
    """Return the time and value of the first events: `events.read_values` for many."""
    condition, parameters = probed.condition()
    value, steps = value_at(path)
    rows = _query_over(
        "select v.n, e.occurred_at, e.value from v cross join lateral"
        f" (select occurred_at, {value} as value from events where {condition}"
        ' order by occurred_at limit v."limit") e',
        probes,
        parameters | steps,
    )
    values: list[list[tuple[datetime, Any]]] = [[] for _ in probes]
    for row in rows:
        values[row["n"]].append((row["occurred_at"], row["value"]))
    return [sorted(of_probe, key=lambda pair: pair[0]) for of_probe in values]


def find_latest_of_each(
    probed: ProbedEvents, path: Sequence[str], probes: Sequence[EventProbe], *, most: int
) -> list[list[datetime] | None]:
    """Return the last time of each user, or value at a path: `events.find_latest_by_user` for many.

    None for a probe that has more than `most` events with a value.
    """
    condition, parameters = probed.condition()
    value, steps = value_at(path)
    if path[0] != "user":
        value = f"nullif({value}, 'null')"
    rows = _query_over(
        "select v.n, e.occurred_at, e.events from v cross join lateral"
        " (select max(occurred_at) as occurred_at, sum(count(*)) over () as events from"
        f" (select occurred_at, {value} as value from events where {condition}"
        f" and {value} is not null limit %(most)s + 1) read group by value"
        ' order by 1 desc limit v."limit") e',
        probes,
        parameters | steps | {"most": most},
    )
    times: list[list[datetime] | None] = [[] for _ in probes]
    for row in rows:
        of_probe = times[row["n"]]
        if row["events"] > most:
            times[row["n"]] = None
        elif of_probe is not None:
            of_probe.append(row["occurred_at"])
    return [of_probe and sorted(of_probe, reverse=True) for of_probe in times]


def _query_over(
    sql: str, probes: Sequence[EventProbe], parameters: Mapping[str, Any]
) -> list[dict[str, Any]]:
    rows = [{"n": n, **probe._asdict()} for n, probe in enumerate(probes)]
    return query_over(sql, rows, _PROBE_COLUMNS, **parameters)


def find_firsts_after(
    organization_id: int, instants: Mapping[int, datetime]
) -> dict[int, datetime]:
    """Return the time of each company's first event after an instant, if there is one.

    One probe of `events_by_time` for each company.
    """
    rows = query_over(
        "select v.company_id, following.occurred_at from v cross join lateral"
        " (select occurred_at from events where organization_id = %(organization_id)s"
        " and company_id = v.company_id and occurred_at > v.after"
        " order by occurred_at limit 1) following",
        [{"company_id": company_id, "after": after} for company_id, after in instants.items()],
        "company_id bigint, after timestamptz",
        organization_id=organization_id,
    )
    return {row["company_id"]: row["occurred_at"] for row in rows}
