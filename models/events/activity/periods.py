"""Counts the events of one company in successive periods, such as weeks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.database import query

MOST_COUNTED = 100_000
"""Events that are read at most, in about 50 ms."""


@dataclass(frozen=True)
class Activity:
    """The number of events in each period, oldest first.

    The first `incomplete` periods are None: their events were too many to be counted.
    """

    counts: Sequence[int | None]

    @property
    def incomplete(self) -> int:
        """The number of periods that are not counted."""
        return sum(count is None for count in self.counts)

    @property
    def total(self) -> int:
        """The number of events in the periods that are counted."""
        return sum(count or 0 for count in self.counts)


def count_for_company(
    organization_id: int,
    company_id: int,
    starts: Sequence[datetime],
    until: datetime,
    *,
    most: int = MOST_COUNTED,
) -> Activity:
    """Count the events in the periods that begin at `starts`; the last one ends at `until`.

    One scan of the index `events_of_company_by_time`, newest events first, of at most `most`.
    """
    rows = query(
        "select width_bucket(occurred_at, %(starts)s::timestamptz[]) as period,"
        " count(*) as number from (select occurred_at from events"
        " where organization_id = %(organization_id)s and company_id = %(company_id)s"
        " and occurred_at >= %(since)s and occurred_at <= %(until)s"
        " order by occurred_at desc limit %(most)s) latest group by 1",
        {
            "organization_id": organization_id,
            "company_id": company_id,
            "starts": list(starts),
            "since": starts[0],
            "until": until,
            "most": most + 1,
        },
    )
    return _activity({row["period"] - 1: row["number"] for row in rows}, len(starts), most)


def _activity(numbers: dict[int, int], periods: int, most: int) -> Activity:
    complete = 0
    if sum(numbers.values()) > most:
        complete = min(numbers) + 1  # the oldest period that was reached has more
    return Activity(
        [None if period < complete else numbers.get(period, 0) for period in range(periods)]
    )
