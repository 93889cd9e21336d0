"""Index probes into the events of many companies of an organization, each batch in one query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.bulk import query_over


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
