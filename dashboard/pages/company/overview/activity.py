"""How many events a company had in each week, on the time axis of its score."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dashboard.access.visitors import reader_zone
from dashboard.pages.company.overview.health_history import NARROW, WIDE, HealthHistory
from dashboard.presentation.charts import weeks as weeks_chart
from dashboard.presentation.charts.weeks import WEEK, WeeksChart
from dashboard.presentation.wording import grouped
from models.companies.companies import Company
from models.events.activity.periods import count_for_company
from rules.durations import pluralize
from services.time_zones import start_of_day


@dataclass(frozen=True)
class CompanyActivity:
    """Charts for both widths, the Mondays with their numbers, newest first, and a description.

    `complete_since` is since when events are counted if they are too many to count them all.
    """

    wide: WeeksChart
    narrow: WeeksChart
    weeks: Sequence[tuple[date, int]]
    description: str
    complete_since: date | None


def activity_of(company: Company, history: HealthHistory, at: datetime) -> CompanyActivity:
    """Count the events of a company in the weeks of its history, in the reader's time zone."""
    zone = reader_zone()
    mondays = mondays_between(history.since, at, zone)
    counted = count_for_company(
        company.organization_id,
        company.id,
        [start_of_day(monday, zone) for monday in mondays],
        at,
    )
    weeks = [
        (monday, count)
        for monday, count in zip(mondays, counted.counts, strict=True)
        if count is not None
    ]
    wide, narrow = (
        weeks_chart.draw(dict(weeks), history.since, at, width=width, zone=zone)
        for width in (WIDE, NARROW)
    )
    return CompanyActivity(
        wide,
        narrow,
        weeks[::-1],
        f"{pluralize(grouped(counted.total), 'event')} in these weeks.",
        mondays[counted.incomplete] if 0 < counted.incomplete < len(mondays) else None,
    )


def mondays_between(since: datetime, until: datetime, zone: ZoneInfo) -> list[date]:
    """Return the Mondays of the weeks from one instant to another, in a time zone."""
    first, last = (at.astimezone(zone).date() for at in (since, until))
    monday = first - timedelta(days=first.weekday())
    return [monday + number * WEEK for number in range((last - monday).days // 7 + 1)]
