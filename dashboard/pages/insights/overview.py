"""All event keys: how many companies and people use each, and whether their use is growing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from dashboard.access import Member, viewer
from dashboard.pages.insights.frame import (
    WEEK,
    WEEKS,
    Answers,
    behind_since,
    blueprint,
    book_of,
    monday,
    next_poll,
    past_behind_since,
    percent_change,
    year_of,
)
from dashboard.presentation.charts.trend import draw_trend
from dashboard.web import sort_order
from dashboard.web.context import now
from models.database import read_one_snapshot, transaction
from models.events import weekly_reach
from models.events.weekly_reach import Week
from rules.book import EventSetting
from services.insights.answers import Answer
from services.insights.questions import Adoption

PAGE = 50

MOST_USED_FIRST = "-companies"


@dataclass(frozen=True)
class Row:
    """An event key with its use by week, and its shares of companies, ever and recently.

    `name` is None for a key that is not configured; `year` has the companies of each full week.
    """

    key: str
    name: str | None
    enabled: bool
    this_week: Week
    last_week: Week
    week_before: int
    change: int | None
    ever: float | None
    recent: float | None
    year: Sequence[int]

    @property
    def display_name(self) -> str:
        """The name, or else the key."""
        return self.name or self.key

    @property
    def chart(self) -> Markup:
        """The companies of each week of the year as a line."""
        summary = (
            f"from {self.year[0]:,} a year ago to {self.year[-1]:,}, at most {max(self.year):,}"
        )
        return draw_trend(self.year, f"Companies per week: {summary}")


_SORTS: dict[str, Callable[[Row], float | str | None]] = {
    "name": lambda row: row.display_name.casefold(),
    "now": lambda row: row.this_week.companies,
    "companies": lambda row: row.last_week.companies,
    "change": lambda row: row.change,
    "users": lambda row: row.last_week.users,
    "ever": lambda row: row.ever,
    "lately": lambda row: row.recent,
}


ORDERS = {
    "name": "Event",
    "-now": "Companies, this week",
    "-companies": "Companies, last week",
    "-change": "Change",
    "-users": "People, last week",
    "-ever": "Ever used",
    "-lately": "In 30 days",
}
"""The orders to choose from on a phone: text ascending first, numbers descending."""


@blueprint.get("")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show every event key that is configured or was sent in the past year."""
    at = now()
    sort = request.args.get("sort", MOST_USED_FIRST)
    sort = sort if sort_order.column_of(sort) in _SORTS else MOST_USED_FIRST
    number = max(request.args.get("page", 1, type=int), 1)
    with transaction():
        read_one_snapshot()
        events = book_of(member).events
        organization_id = member.organization.id
        years = weekly_reach.read_company_counts(organization_id, since=year_of(at)[0])
        recent_weeks = weekly_reach.read_weeks_by_key(organization_id, None, since=year_of(at)[-3])
        keys = sorted({*events, *years})
        answers = Answers.read(member, [Adoption(key) for key in keys], at)
    answers.enqueue_stale(member)
    rows = in_order(
        [
            _row(key, events.get(key), recent_weeks.get(key, []), years.get(key, {}), answer, at)
            for key, answer in zip(keys, answers.cached, strict=True)
        ],
        sort,
    )
    shown = rows[(number - 1) * PAGE : number * PAGE]
    weeks = [week for row in shown for week in (row.this_week, row.last_week)]
    return render_template(
        "insights/page.html",
        rows=shown,
        total=len(rows),
        any_events=bool(years),
        first=url_for(".page", sort=sort) if number > 1 else None,
        next=url_for(".page", sort=sort, page=number + 1) if number * PAGE < len(rows) else None,
        sort=sort,
        orders=[
            (sort if sort_order.column_of(order) == sort_order.column_of(sort) else order, title)
            for order, title in ORDERS.items()
        ],
        reversed=url_for(".page", sort=sort_order.reversed_order(sort)),
        this_week=monday(at),
        last_week=monday(at) - WEEK,
        weeks_as_of=behind_since(weeks),
        past_as_of=past_behind_since(weeks, at),
        adoption_as_of=min(
            (answer.as_of for answer in answers.cached if answer.as_of), default=None
        ),
        missing=answers.missing,
        next_poll=next_poll(),
        here=url_for(".page", sort=sort, page=number, look=next_poll()),
    )


def in_order(rows: Sequence[Row], sort: str) -> list[Row]:
    """Sort the rows by a column, descending with a leading `-`; unknown values come last."""
    value_of = _SORTS[sort_order.column_of(sort)]
    sortable = [row for row in rows if value_of(row) is not None]
    others = [row for row in rows if value_of(row) is None]

    def sort_key(row: Row) -> tuple[float, str]:
        value = value_of(row)
        return (0, value) if isinstance(value, str) else (value or 0, "")

    return sorted(sortable, key=sort_key, reverse=sort_order.is_descending(sort)) + others


def _row(
    key: str,
    event: EventSetting | None,
    recent_weeks: Sequence[Week],
    year: Mapping[int, int],
    answer: Answer,
    at: datetime,
) -> Row:
    by_day = {week.week: week for week in recent_weeks}
    before, last, this = [by_day.get(day) or Week(day, 0, 0, at) for day in year_of(at)[-3:]]
    adoption = answer.value
    companies = adoption["companies"] if adoption else 0
    return Row(
        key=key,
        name=event.name if event else None,
        enabled=event is not None and event.enabled,
        this_week=this,
        last_week=last,
        week_before=before.companies,
        change=percent_change(last.companies, before.companies),
        ever=adoption["ever"] / companies if companies else None,
        recent=adoption["in_a_month"] / companies if companies else None,
        year=[year.get(week, 0) for week in range(WEEKS - 1)],
    )
