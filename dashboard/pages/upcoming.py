"""Upcoming: what time alone will change within days, by day and by company."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.access.visitors import reader_zone
from dashboard.filters.field_filters import ME
from dashboard.filters.typed_numbers import typed_number
from dashboard.pages.today.upcoming_list import prevention_of, upcoming_reasons
from dashboard.web.context import now, rules_in_force
from dashboard.web.forecasts import keep_fresh
from models.companies import company_counts
from models.cursors import UnreadableCursor
from models.database import read_one_snapshot, transaction
from models.health import forecasts, upcoming_changes
from models.health.forecasts import Forecast
from models.health.upcoming_changes import Direction, UpcomingFilter, UpcomingTotal
from services.rules.rule_books import NO_RULES
from services.time_zones import start_of_day

blueprint = Blueprint("upcoming", __name__, url_prefix="/o/<name:organization>/upcoming")

SPANS = {"7": "7 days", "14": "14 days", "30": "30 days"}
"""The numbers of days to choose from, beginning with today."""

DIRECTIONS = {
    "worse": Direction.WORSE,
    "recover": Direction.RECOVERS,
    "runs-out": Direction.RUNS_OUT,
    "return": Direction.RETURNS,
}

PAGE = 30

MOST_OWNERS = 100
"""Owners to choose from, those with the most companies."""

MANY = 1_000
"""More evaluated companies than this are not counted."""

LARGEST_VALUE = Decimal(10) ** 16


@dataclass(frozen=True)
class UpcomingQuery:
    """The query string; an empty text is no filter, and `owner` may be `ME`."""

    days: str = "7"
    owner: str = ""
    value: str = ""
    status: str = ""
    direction: str = ""
    day: str = ""

    @classmethod
    def from_request(cls) -> "UpcomingQuery":
        """Read the arguments of the request; what cannot be understood is ignored.

        A value that is no number stays, for the page to say so.
        """
        texts = {name: request.args.get(name, "").strip() for name in cls.__dataclass_fields__}
        query = cls(**texts)
        return replace(
            query,
            days=query.days if query.days in SPANS else cls.days,
            direction=query.direction if query.direction in DIRECTIONS else "",
            day=query.day if _day(query.day) else "",
        )

    def address(self, after: str | None = None, **changes: str) -> str:
        """Return the URL with other values; `after` is the cursor of a page."""
        values = vars(replace(self, **changes))
        parameters = {name: value for name, value in values.items() if value and value != "7"}
        return url_for("upcoming.page", **parameters, after=after)

    @property
    def least_value(self) -> Decimal | None:
        """The value that companies have at least; None if it is none."""
        number = typed_number(self.value)
        return number if number is not None and abs(number) < LARGEST_VALUE else None

    @property
    def is_filtered(self) -> bool:
        """Whether the query can exclude companies."""
        return any(
            (self.owner, self.least_value is not None, self.status, self.direction, self.day)
        )

    def filter_all(self, member: Member, days: Sequence[datetime]) -> UpcomingFilter:
        """Return the filter of all days and directions; `days` ends with the end of the last."""
        owners = member.owners if self.owner == ME else (self.owner,) if self.owner else ()
        return UpcomingFilter(days[-1], owners, self.least_value, self.status or None)

    def filter_list(
        self, member: Member, days: Sequence[datetime], zone: ZoneInfo
    ) -> UpcomingFilter:
        """Return the filter of the list; the first day has what is overdue, too."""
        found = self.filter_all(member, days)
        found = replace(found, direction=DIRECTIONS.get(self.direction))
        day = _day(self.day)
        if day is None:
            return found
        first = start_of_day(day, zone)
        following = start_of_day(day + timedelta(days=1), zone)
        return replace(found, first=None if first == days[0] else first, before=following)


@dataclass(frozen=True)
class DayTotal:
    """What the companies become that get their worst status on a day."""

    day: date
    totals: dict[Direction, UpcomingTotal]


@blueprint.get("")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show the totals by day, and the companies: all, or further rows for htmx."""
    at, zone, query = now(), reader_zone(), UpcomingQuery.from_request()
    after = request.args.get("after") or None
    today = at.astimezone(zone).date()
    dates = [today + timedelta(days=n) for n in range(int(query.days) + 1)]
    days = [start_of_day(day, zone) for day in dates]
    organization_id = member.organization.id
    try:
        with transaction():
            read_one_snapshot()
            book = rules_in_force(member.organization)
            forecast = forecasts.find(organization_id)
            rows, following = upcoming_changes.read_page(
                organization_id, query.filter_list(member, days, zone), after=after, limit=PAGE
            )
            values: dict[str, Any] = {}
            if not _is_fragment(after):
                totals = upcoming_changes.count_by_day(
                    organization_id, query.filter_all(member, days), days[:-1]
                )
                values = _totals(totals, dates[:-1]) | _state(organization_id, forecast)
                values["listed"] = _count_listed(query, totals, dates)
                values["owners"] = company_counts.count_by_owner(organization_id, limit=MOST_OWNERS)
    except UnreadableCursor:
        return redirect(query.address(), 303)
    keep_fresh(organization_id, forecast, at)
    template = "upcoming/rows.html" if _is_fragment(after) else "upcoming/page.html"
    return render_template(
        template,
        query=query,
        day=_day(query.day),
        book=book,
        statuses=(book or NO_RULES).statuses,
        team=(book or NO_RULES).team,
        rows=rows,
        upcoming_reasons=upcoming_reasons,
        prevention_of=prevention_of,
        next=query.address(after=following) if following else None,
        first=query.address() if after else None,
        spans=SPANS,
        directions=Direction,
        next_poll=_next_poll(),
        **values,
    )


def _totals(totals: Sequence[UpcomingTotal], dates: Sequence[date]) -> dict[str, Any]:
    """Return the totals of each day and of all days, as variables of the template."""
    by_day = [
        DayTotal(day, {total.direction: total for total in totals if total.day == number})
        for number, day in enumerate(dates)
    ]
    sums = {}
    for direction in Direction:
        found = [total for total in totals if total.direction is direction]
        values = [total.value for total in found if total.value is not None]
        sums[direction] = (sum(total.companies for total in found), sum(values) if values else None)
    most = max(
        (total.companies for total in totals if total.direction is Direction.WORSE), default=0
    )
    return {"by_day": by_day, "sums": sums, "most": most}


def _count_listed(
    query: UpcomingQuery, totals: Sequence[UpcomingTotal], dates: Sequence[date]
) -> int:
    """Return how many companies the list has on all its pages, from the totals by day."""
    direction, day = DIRECTIONS.get(query.direction), _day(query.day)
    return sum(
        total.companies
        for total in totals
        if direction in (None, total.direction) and day in (None, dates[total.day])
    )


def _state(organization_id: int, forecast: Forecast | None) -> dict[str, Any]:
    """Return how up to date the forecast is, as variables of the template."""
    since = forecast and forecast.evaluated_until
    evaluated = 0
    if since:
        evaluated = forecasts.count_evaluated(organization_id, since=since, most=MANY + 1)
    return {"as_of": forecast and forecast.as_of, "evaluated": evaluated, "many": MANY}


def _is_fragment(after: str | None) -> bool:
    return after is not None and "HX-Request" in request.headers


MAX_POLLS = 60
"""How often a page without a forecast looks for it."""


def _next_poll() -> int | None:
    polls = request.args.get("look", 0, type=int)
    return polls + 1 if 0 <= polls < MAX_POLLS else None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 < day.year < 9000 else None
