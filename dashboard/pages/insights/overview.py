"""All event keys: how many companies and people use each, and whether that grows."""

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
    change,
    look_again,
    monday,
    year_of,
)
from dashboard.presentation.charts.trend import draw_trend
from dashboard.web.context import now
from models.database import read_one_snapshot, transaction
from models.events import weekly_reach
from models.events.weekly_reach import Week
from rules.book import EventSetting
from services.insights import Adoption, Answer

PAGE = 50

MOST_USED_FIRST = "-companies"


@dataclass(frozen=True)
class Row:
    """An event key with who used it, and the share of all companies that ever and lately did.

    `name` is None for a key that nobody configured; `year` are the companies of each full week.
    """

    key: str
    name: str | None
    enabled: bool
    this_week: Week
    last_week: Week
    week_before: int
    change: int | None
    ever: float | None
    lately: float | None
    year: Sequence[int]

    @property
    def called(self) -> str:
        """What people know it by."""
        return self.name or self.key

    @property
    def chart(self) -> Markup:
        """How it went in the year."""
        told = f"from {self.year[0]:,} a year ago to {self.year[-1]:,}, at most {max(self.year):,}"
        return draw_trend(self.year, f"Companies a week: {told}")


_SORTS: dict[str, Callable[[Row], float | str | None]] = {
    "name": lambda row: row.called.casefold(),
    "now": lambda row: row.this_week.companies,
    "companies": lambda row: row.last_week.companies,
    "change": lambda row: row.change,
    "users": lambda row: row.last_week.users,
    "ever": lambda row: row.ever,
    "lately": lambda row: row.lately,
}


@blueprint.get("")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Every event key that is configured, or came within a year."""
    at = now()
    sort = request.args.get("sort", MOST_USED_FIRST)
    sort = sort if sort.removeprefix("-") in _SORTS else MOST_USED_FIRST
    number = max(request.args.get("page", 1, type=int), 1)
    with transaction():
        read_one_snapshot()
        events = book_of(member).events
        organization_id = member.organization.id
        years = weekly_reach.companies_a_week(organization_id, since=year_of(at)[0])
        lately = weekly_reach.of_keys(organization_id, None, since=year_of(at)[-3])
        keys = sorted({*events, *years})
        answers = Answers.find(member, [Adoption(key) for key in keys], at)
    answers.renew(member)
    rows = in_order(
        [
            _row(key, events.get(key), lately.get(key, []), years.get(key, {}), looked, at)
            for key, looked in zip(keys, answers.looked, strict=True)
        ],
        sort,
    )
    shown = rows[(number - 1) * PAGE : number * PAGE]
    return render_template(
        "insights/page.html",
        rows=shown,
        total=len(rows),
        first=url_for(".page", sort=sort) if number > 1 else None,
        following=url_for(".page", sort=sort, page=number + 1)
        if number * PAGE < len(rows)
        else None,
        sort=sort,
        this_week=monday(at),
        last_week=monday(at) - WEEK,
        weeks_as_of=behind_since(
            [week for row in shown for week in (row.this_week, row.last_week)]
        ),
        adoption_as_of=min((one.as_of for one in answers.looked if one.as_of), default=None),
        missing=answers.missing,
        look=look_again(),
        here=url_for(".page", sort=sort, page=number, look=look_again()),
    )


def in_order(rows: Sequence[Row], sort: str) -> list[Row]:
    """The rows by a column, from the greatest on with a `-` before it; unknown ones come last."""
    by = _SORTS[sort.removeprefix("-")]
    known = [row for row in rows if by(row) is not None]
    unknown = [row for row in rows if by(row) is None]

    def value(row: Row) -> tuple[float, str]:
        found = by(row)
        return (0, found) if isinstance(found, str) else (found or 0, "")

    return sorted(known, key=value, reverse=sort.startswith("-")) + unknown


def _row(
    key: str,
    event: EventSetting | None,
    lately: Sequence[Week],
    year: Mapping[int, int],
    looked: Answer,
    at: datetime,
) -> Row:
    found = {week.week: week for week in lately}
    before, last, this = [found.get(day) or Week(day, 0, 0, at) for day in year_of(at)[-3:]]
    adoption = looked.answer
    companies = adoption["companies"] if adoption else 0
    return Row(
        key=key,
        name=event.name if event else None,
        enabled=event is not None and event.enabled,
        this_week=this,
        last_week=last,
        week_before=before.companies,
        change=change(last.companies, before.companies),
        ever=adoption["ever"] / companies if companies else None,
        lately=adoption["in_a_month"] / companies if companies else None,
        year=[year.get(week, 0) for week in range(WEEKS - 1)],
    )
