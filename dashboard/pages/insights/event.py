"""One event key: its use by week, its adoption, and companies near a threshold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.insights import cohorts, thresholds
from dashboard.pages.insights.frame import (
    NARROW,
    WHOLE,
    WIDE,
    Answers,
    behind_since,
    blueprint,
    book_of,
    next_poll,
    past_behind_since,
    percent,
    percent_change,
    year_of,
)
from dashboard.presentation.charts import columns
from dashboard.presentation.charts.columns import Column
from dashboard.web.context import now
from models.database import read_one_snapshot, transaction
from models.events import event_volumes, weekly_reach
from models.events.weekly_reach import Week
from rules.durations import pluralize
from services.insights.answers import Answer
from services.insights.questions import Adoption, Cohorts, Uptake


@dataclass(frozen=True)
class Weekly:
    """How many companies or people used an event in each week of a year."""

    noun: str
    rows: Sequence[tuple[date, int]]
    wide: columns.ColumnsChart
    narrow: columns.ColumnsChart

    @property
    def last(self) -> int:
        """The latest full week."""
        return self.rows[-2][1]

    @property
    def change(self) -> int | None:
        """The change against the week before, in percent."""
        return percent_change(self.last, self.rows[-3][1])

    @property
    def peak(self) -> tuple[date, int]:
        """The week with the highest number, the latest of several."""
        return max(reversed(self.rows), key=lambda row: row[1])

    @property
    def is_used(self) -> bool:
        """Whether the event was used in any of the weeks."""
        return self.peak[1] > 0


@dataclass(frozen=True)
class AdoptionHistory:
    """The share of all companies that had ever used an event, by the end of each week.

    The rows have the Monday, the companies, and those of them that had used it.
    """

    rows: Sequence[tuple[date, int, int]]
    wide: columns.ColumnsChart
    narrow: columns.ColumnsChart

    @property
    def a_year_ago(self) -> float | None:
        """The share at the end of the first week."""
        return share(self.rows[0][2], self.rows[0][1])


@blueprint.get("/<name:event_key>")
@viewer
def event(member: Member, event_key: str) -> ResponseReturnValue:
    """Show the insights into one event key."""
    at = now()
    organization_id = member.organization.id
    if "\0" in event_key:  # PostgreSQL cannot store a NUL in a text
        abort(404)
    with transaction():
        read_one_snapshot()
        book = book_of(member)
        configured = book.events.get(event_key)
        last_at = event_volumes.find_last_at(organization_id, event_key)
        if configured is None and last_at is None:
            abort(404)
        weeks = weekly_reach.read_weeks(organization_id, event_key, since=year_of(at)[0])
        fields = cohorts.fields_of(organization_id, book.company_fields)
        by = cohorts.choose_field(fields, request.args.get("by"))
        windows = thresholds.windows_of(book, event_key)
        answers = Answers.read(
            member,
            [
                Adoption(event_key),
                Uptake(event_key),
                *([Cohorts(by, event_key)] if by else []),
                *(window.question for window in windows),
            ],
            at,
        )
    answers.enqueue_stale(member)
    adoption, uptake, *others = answers.cached
    return render_template(
        "insights/event.html",
        event_key=event_key,
        event=configured,
        name=configured.name if configured else event_key,
        last_at=last_at,
        companies=_weekly("company", "companies", weeks, at),
        people=_weekly("person", "people", weeks, at),
        weeks_as_of=behind_since(weeks),
        past_as_of=past_behind_since(weeks, at),
        adoption=adoption,
        shares=_shares(adoption),
        adoption_history=_adoption_history(uptake),
        fields=fields,
        by=by,
        cohorts=cohorts.cohort_table(others.pop(0)) if by else None,
        flags=thresholds.flag_distributions(book, windows, others),
        flags_without_count=thresholds.flags_without_count(book, event_key),
        statuses=book.statuses,
        missing=answers.missing,
        next_poll=next_poll(),
        here=url_for(".event", event_key=event_key, by=by, look=next_poll()),
    )


def share(part: int, whole: int) -> float | None:
    """Return a part as a share of the whole; None if the whole is 0."""
    return part / whole if whole else None


def _weekly(noun: str, plural: str, weeks: Sequence[Week], at: datetime) -> Weekly:
    by_day = {week.week: week for week in weeks}
    days = year_of(at)
    rows = []
    for day in days:
        week = by_day.get(day)
        number = (week.companies if noun == "company" else week.users) if week else 0
        rows.append((day, number))
    drawn = [
        Column(
            _month(day),
            number,
            f"Week of {day.day} {day:%b %Y}: {pluralize(number, noun, plural)}"
            + (" so far" if day == days[-1] else ""),
            "part" if day == days[-1] else "plain",
        )
        for day, number in rows
    ]
    return Weekly(plural, rows, columns.draw(drawn, width=WIDE), columns.draw(drawn, width=NARROW))


def _shares(adoption: Answer) -> dict[str, Any] | None:
    """Return the shares of companies that ever and recently used the event."""
    counts = adoption.value
    if counts is None:
        return None
    companies = counts["companies"]
    return {
        **counts,
        "share": share(counts["ever"], companies),
        "recent": share(counts["in_a_month"], companies),
    }


def _adoption_history(uptake: Answer) -> AdoptionHistory | None:
    if uptake.value is None:
        return None
    rows = [
        (date.fromisoformat(week["week"]), week["companies"], week["used"]) for week in uptake.value
    ]
    drawn = [
        Column(
            _month(day),
            100 * (share(used, companies) or 0),
            f"Week of {day.day} {day:%b %Y}: {percent(share(used, companies))},"
            f" {used:,} of {pluralize(companies, 'company', 'companies')}",
        )
        for day, companies, used in rows
    ]
    return AdoptionHistory(
        rows,
        columns.draw(drawn, width=WHOLE, unit=" %"),
        columns.draw(drawn, width=NARROW, unit=" %"),
    )


def _month(day: date) -> str:
    """Return the label of a week: its month if it is the first week that starts in it."""
    return f"{day:%b}" if day.day <= 7 else ""
