"""Index probes into the events of many companies of an organization, each batch in one query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.bulk import query_over


@dataclass(frozen=True)
class NthEvent:
    """The `depth`-th latest event of a company, of a key or (None) of any, counted from 1.

    With `users`, the last event of the user at that depth.
    """

    company_id: int
    event_key: str | None
    depth: int
    users: bool = False


EVENTS_OF_A_USER = 20
"""The most events read to find the user at a depth, as a multiple of the depth."""

_NTH_EVENT = (
    "select occurred_at from events where organization_id = %(organization_id)s"
    " and company_id = probe.company_id{key}"
    " and occurred_at <= probe.until order by occurred_at desc offset probe.depth - 1 limit 1"
)
_NTH_USER = (
    "select max(occurred_at) as occurred_at from (select occurred_at, user_id from events"
    " where organization_id = %(organization_id)s and company_id = probe.company_id{key}"
    " and occurred_at <= probe.until"
    f" order by occurred_at desc limit {EVENTS_OF_A_USER} * probe.depth) latest"
    " where user_id is not null group by user_id order by 1 desc"
    " offset probe.depth - 1 limit 1"
)


def find_times_of_nth(
    organization_id: int, probes: Sequence[NthEvent], until: datetime
) -> list[datetime | None]:
    """Return the time of each event up to an instant, None if there are fewer events.

    The same index scans as `events.find_latest` makes, many in one query. With `users`, None may
    also mean that the user is beyond the events that are read.
    """
    scans = [
        f"select probe.n, nth.occurred_at from v probe cross join lateral ({scan}) nth"
        f" where probe.event_key {is_null} and probe.users = {users}"
        for users, nth in (("false", _NTH_EVENT), ("true", _NTH_USER))
        for scan, is_null in (
            (nth.format(key=" and event_key = probe.event_key"), "is not null"),
            (nth.format(key=""), "is null"),
        )
    ]
    rows = query_over(
        " union all ".join(scans),
        [{**vars(probe), "n": n, "until": until} for n, probe in enumerate(probes)],
        "n integer, company_id bigint, event_key text, depth integer, users boolean,"
        " until timestamptz",
        organization_id=organization_id,
    )
    times = {row["n"]: row["occurred_at"] for row in rows}
    return [times.get(n) for n in range(len(probes))]


@dataclass(frozen=True)
class LatestEvents:
    """The `limit` latest events of a company, of a key or (None) of any."""

    company_id: int
    event_key: str | None
    limit: int


def find_times_of_latest(
    organization_id: int, probes: Sequence[LatestEvents]
) -> list[list[datetime]]:
    """Return the times of each, newest first: `events.find_latest` for many in one query."""
    scan = (
        "select probe.n, latest.occurred_at from v probe cross join lateral"
        " (select occurred_at from events where organization_id = %(organization_id)s"
        " and company_id = probe.company_id{key}"
        " order by occurred_at desc limit probe.most) latest where probe.event_key {is_null}"
    )
    rows = query_over(
        scan.format(key=" and event_key = probe.event_key", is_null="is not null")
        + " union all "
        + scan.format(key="", is_null="is null"),
        [
            {
                "n": n,
                "company_id": probe.company_id,
                "event_key": probe.event_key,
                "most": probe.limit,
            }
            for n, probe in enumerate(probes)
        ],
        "n integer, company_id bigint, event_key text, most integer",
        organization_id=organization_id,
    )
    times: list[list[datetime]] = [[] for _ in probes]
    for row in rows:
        times[row["n"]].append(row["occurred_at"])
    return [sorted(latest, reverse=True) for latest in times]


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
