"""The companies behind each number of the report."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.insights.frame import Answers, book_of
from dashboard.pages.outcomes.frame import blueprint
from dashboard.pages.outcomes.report import (
    ALL_QUARTERS,
    Report,
    ReportRow,
    list_quarters,
    quarter_name,
    read_horizon,
    read_quarter,
)
from dashboard.web.context import now
from dashboard.web.request_values import page_cursor
from models.cursors import UnreadableCursor
from models.database import read_one_snapshot, transaction
from models.health.flag_runs import STATUS
from models.outcomes.outcome_report import (
    ReportedPage,
    ReportPeriod,
    list_alarms,
    list_losses,
)
from services.insights.questions import OutcomeReport
from services.outcomes.report import move_quarter, report_period

PAGE = 50


@dataclass(frozen=True)
class ReportList:
    """A list behind a number: its title, what it means for N days, and how it is read.

    `has_raises` is whether its companies can have had a raise.
    """

    title: str
    meaning: str
    read: Callable[..., ReportedPage]
    of_losses: bool
    has_raises: bool = True


LISTS = {
    "lost": ReportList(
        "Companies that left", "All of them, with the raise that warned of it within {n} days"
        " before.", partial(list_losses, warned=None), of_losses=True,
    ),
    "warned": ReportList(
        "Warned", "They left, and it was raised within the {n} days before.",
        partial(list_losses, warned=True), of_losses=True,
    ),
    "missed": ReportList(
        "Missed", "They left, and it was not raised within the {n} days before.",
        partial(list_losses, warned=False), of_losses=True, has_raises=False,
    ),
    "false-alarms": ReportList(
        "False alarms", "It was raised, and they did not leave within {n} days after.",
        partial(list_alarms, decided=True), of_losses=False,
    ),
    "undecided": ReportList(
        "Undecided", "It was raised, and {n} days have not passed since.",
        partial(list_alarms, decided=False), of_losses=False,
    ),
}  # fmt: skip


@blueprint.get("/companies/<kind>")
@viewer
def behind(member: Member, kind: str) -> ResponseReturnValue:
    """Show the companies behind a number of the report."""
    chosen = LISTS.get(kind) or abort(404)
    at, horizon, flag = now(), read_horizon(), request.args.get("flag", STATUS)
    quarter = read_quarter(list_quarters(at.date()))
    period = report_period(horizon, at)
    if quarter is not None:
        period = ReportPeriod(quarter, move_quarter(quarter, 1), horizon, period.today)
    here: dict[str, Any] = {
        "kind": kind,
        "flag": flag or None,
        "quarter": quarter or ALL_QUARTERS,
        "within": horizon,
    }
    try:
        with transaction():
            read_one_snapshot()
            book = book_of(member)
            reported = Answers.read(member, [OutcomeReport(horizon)], at).cached[0].value
            listed = chosen.read(
                member.organization.id, flag, period, after=page_cursor(), limit=PAGE
            )
    except UnreadableCursor:
        return redirect(url_for(".behind", **here), 303)
    return render_template(
        "outcomes/behind.html",
        chosen=chosen,
        meaning=chosen.meaning.format(n=horizon),
        listed=listed,
        flag=flag,
        quarter=quarter,
        quarter_name=quarter_name(quarter),
        horizon=horizon,
        total=_total(listed, kind, reported and Report(reported, book).row(flag, quarter)),
        statuses=book.statuses,
        team=book.team,
        first=url_for(".behind", **here) if page_cursor() else None,
        next=url_for(".behind", **here, after=listed.next) if listed.next else None,
    )


def _total(listed: ReportedPage, kind: str, row: ReportRow | None) -> int | None:
    """Return how many companies the list has, for alarms as the report has counted them."""
    if listed.total is not None or row is None:
        return listed.total
    return row.false_alarms if kind == "false-alarms" else row.undecided
