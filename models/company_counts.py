"""How many companies stand at each status."""

from dataclasses import dataclass
from datetime import datetime

from models.company_filter import EVERY, Filter, condition
from models.database import query


@dataclass(frozen=True)
class StatusCount:
    """Companies at one status: all, and those that came to it within a day, 7 days, 30 days."""

    status: str
    companies: int
    within_a_day: int
    within_a_week: int
    within_a_month: int


def by_status(organization_id: int, now: datetime) -> list[StatusCount]:
    """How many companies are at each status that any is at, in no order."""
    rows = query(
        "select health_status as status, case"
        " when status_since > %(now)s::timestamptz - interval '1 day' then 0"
        " when status_since > %(now)s::timestamptz - interval '7 days' then 1"
        " when status_since > %(now)s::timestamptz - interval '30 days' then 2 else 3 end as age,"
        " count(*) as companies"
        " from companies where organization_id = %(organization_id)s group by 1, 2",
        {"organization_id": organization_id, "now": now},
    )
    ages: dict[str, list[int]] = {}
    for row in rows:
        ages.setdefault(row["status"], [0, 0, 0, 0])[row["age"]] = row["companies"]
    return [
        StatusCount(status, sum(of), of[0], sum(of[:2]), sum(of[:3])) for status, of in ages.items()
    ]


def count_by_status(organization_id: int, wanted: Filter = EVERY) -> dict[str, int]:
    """How many companies that a filter finds are at each status that any of them is at."""
    where, parameters = condition(organization_id, wanted)
    rows = query(
        "select health_status as status, count(*) as number from companies"
        f" where {where} group by 1",
        parameters,
    )
    return {row["status"]: row["number"] for row in rows}
