"""One event key: who uses it week by week, how it spreads, and who is near a threshold."""

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
    change,
    look_again,
    percent,
    year_of,
)
from dashboard.presentation.charts import columns
from dashboard.presentation.charts.columns import Column
from dashboard.web.context import now
from models.database import read_one_snapshot, transaction
from models.events import hourly_counts, weekly_reach
from models.events.weekly_reach import Week
from rules.durations import pluralize
from services.insights import Adoption, Answer, Uptake


@dataclass(frozen=True)
class Weekly:
    """How many companies, or people, used an event in each week of a year."""

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
        """By how many percent it is more than the week before."""
        return change(self.last, self.rows[-3][1])

    @property
    def most(self) -> tuple[date, int]:
        """The week of the most, the latest of several."""
        return max(reversed(self.rows), key=lambda row: row[1])

    @property
    def ever(self) -> bool:
        """Whether there is anything to show."""
        return self.most[1] > 0


@dataclass(frozen=True)
class Spread:
    """Which share of all companies had ever used an event by the end of each week."""

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
    """What is known of one event key."""
    at = now()
    organization_id = member.organization.id
    if "\0" in event_key:  # PostgreSQL takes none in a text
        abort(404)
    with transaction():
        read_one_snapshot()
        book = book_of(member)
        configured = book.events.get(event_key)
        last_at = hourly_counts.last_at(organization_id, event_key)
        if configured is None and last_at is None:
            abort(404)
        weeks = weekly_reach.of_key(organization_id, event_key, since=year_of(at)[0])
        fields = cohorts.fields_of(organization_id, book.company_fields)
        by = cohorts.chosen(fields, request.args.get("by"))
        counting = thresholds.counting(book, event_key)
        answers = Answers.find(
            member,
            [
                Adoption(event_key),
                Uptake(event_key),
                *([cohorts.question(by, event_key)] if by else []),
                *(one.question for one in counting),
            ],
            at,
        )
    answers.renew(member)
    adoption, uptake, *others = answers.looked
    return render_template(
        "insights/event.html",
        event_key=event_key,
        event=configured,
        name=configured.name if configured else event_key,
        last_at=last_at,
        companies=_weekly("company", "companies", weeks, at),
        people=_weekly("person", "people", weeks, at),
        weeks_as_of=behind_since(weeks),
        adoption=adoption,
        shares=_shares(adoption),
        spread=_spread(uptake),
        uptake=uptake,
        fields=fields,
        by=by,
        cohorts=cohorts.read(others.pop(0)) if by else None,
        flags=thresholds.read(book, counting, others),
        not_counting=thresholds.not_counting(book, event_key),
        statuses=book.statuses,
        missing=answers.missing,
        look=look_again(),
        here=url_for(".event", event_key=event_key, by=by, look=look_again()),
    )


def share(part: int, whole: int) -> float | None:
    """A part of a whole; None of nothing."""
    return part / whole if whole else None


def _weekly(noun: str, plural: str, weeks: Sequence[Week], at: datetime) -> Weekly:
    found = {week.week: week for week in weeks}
    days = year_of(at)
    rows = []
    for day in days:
        week = found.get(day)
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
    """The shares of companies that ever and that lately used it."""
    known = adoption.answer
    if known is None:
        return None
    whole = known["companies"]
    return {
        **known,
        "share": share(known["ever"], whole),
        "lately": share(known["in_a_month"], whole),
    }


def _spread(uptake: Answer) -> Spread | None:
    if uptake.answer is None:
        return None
    rows = [
        (date.fromisoformat(one["week"]), one["companies"], one["used"]) for one in uptake.answer
    ]
    drawn = [
        Column(
            _month(day),
            100 * (share(used, known) or 0),
            f"Week of {day.day} {day:%b %Y}: {percent(share(used, known))},"
            f" {used:,} of {pluralize(known, 'company', 'companies')}",
        )
        for day, known, used in rows
    ]
    return Spread(
        rows,
        columns.draw(drawn, width=WHOLE, unit=" %"),
        columns.draw(drawn, width=NARROW, unit=" %"),
    )


def _month(day: date) -> str:
    """The label of a week: its month, where it is the first that begins in it."""
    return f"{day:%b}" if day.day <= 7 else ""
