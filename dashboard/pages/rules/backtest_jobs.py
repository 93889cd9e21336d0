"""Backtests over all companies, which a worker runs: starting them, their progress and results."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, audit, editor, viewer
from dashboard.pages.rules.backtests import DEFAULT_SPAN, weeks_of
from dashboard.pages.rules.frame import SPANS, blueprint, read_draft, show_page
from dashboard.presentation.charts.paired_columns import draw_paired_columns
from dashboard.web.context import app_context, now
from models.database import transaction
from models.health import flag_overrides
from models.outcomes import backtests as stored_backtests
from models.outcomes.backtests import Backtest, BacktestState
from queues import messages
from queues.best_effort import enqueue_best_effort
from rules.faults import RuleFileError
from rules.file.rule_file import check_rules
from services.outcomes.report import DEFAULT_HORIZON, HORIZONS
from services.rules.backtest_jobs import (
    BacktestRequest,
    TooManyBacktests,
    comparison_of,
    start,
)
from services.rules.backtest_totals import ANY_FLAG, FlagTotals
from services.rules.comparison import ComparedFlag, Comparison
from services.rules.rule_books import RulesUnreadable

LISTED = 50

STATES = {
    BacktestState.WAITING: ("Waits", "none"),
    BacktestState.RUNNING: ("Runs", "fair"),
    BacktestState.DONE: ("Done", "good"),
    BacktestState.CANCELLED: ("Cancelled", "none"),
    BacktestState.FAILED: ("Failed", "bad"),
}


@dataclass(frozen=True)
class ShownFlag:
    """A flag with its totals by the draft and by the rules in force, or by both if they are equal.

    The flag '' is the status of companies.
    """

    flag: str
    books: Sequence[tuple[str, FlagTotals | None]]

    @property
    def is_same(self) -> bool:
        """Whether it would have warned as it does by the rules in force."""
        return len(self.books) == 1


@blueprint.get("/backtests")
@viewer
def backtests(member: Member) -> ResponseReturnValue:
    """Show the backtests of the last 30 days, newest first."""
    with transaction():
        listed = stored_backtests.list_newest(member.organization.id, limit=LISTED)
    return render_template("rules/backtests.html", backtests=listed, states=STATES)


@blueprint.post("/backtests")
@editor
def start_backtest(member: Member) -> ResponseReturnValue:
    """Start a backtest of a draft over all companies."""
    draft, at = read_draft(member), now()
    days = request.form.get("days", type=int)
    horizon = request.form.get("within", type=int)
    wanted = BacktestRequest(
        draft.text,
        days if days in SPANS else DEFAULT_SPAN,
        horizon if horizon in HORIZONS else DEFAULT_HORIZON,
    )
    try:
        with transaction():
            backtest_id = start(member.organization, wanted, member.person.email, at)
            detail = {"days": wanted.days, "within": wanted.horizon}
            audit.record(member, "Backtest started", f"backtest {backtest_id}", detail)
    except RuleFileError:
        return show_page(member, draft, 422, checked=check_rules(draft.text))
    except TooManyBacktests as error:
        flash(f"{error} Wait until one is done, or cancel one.", "error")
        return redirect(url_for(".backtests"), 303)
    _enqueue(member)
    return redirect(url_for(".backtest_job", backtest_id=backtest_id), 303)


@blueprint.get("/backtests/<int:backtest_id>")
@viewer
def backtest_job(member: Member, backtest_id: int) -> ResponseReturnValue:
    """Show how far a backtest is, and what it has found so far."""
    with transaction():
        backtest = _find(member, backtest_id)
        left_out = flag_overrides.count_between(
            member.organization.id, since=backtest.since, until=backtest.until
        )
        comparison = _comparison(backtest)
    values: dict[str, Any] = {}
    if comparison is not None:
        weeks = comparison.draft.weeks()
        values = {
            "totals": comparison.draft,
            "weeks": weeks,
            "any_flag": ANY_FLAG,
            "charts": draw_paired_columns(
                weeks_of(weeks, comparison.draft.period), ("raised", "cleared")
            ),
            "flags": _shown_flags(comparison),
            "losses": comparison.losses,
        }
    return render_template(
        "rules/backtest_job.html",
        backtest=backtest,
        comparison=comparison,
        days=(backtest.until - backtest.since).days,
        state=STATES[backtest.state],
        overrides_left_out=left_out,
        **values,
    )


@blueprint.post("/backtests/<int:backtest_id>/cancel")
@editor
def cancel_backtest(member: Member, backtest_id: int) -> ResponseReturnValue:
    """Cancel a backtest; what it has found so far stays."""
    with transaction():
        backtest = _find(member, backtest_id)
        if stored_backtests.finish(backtest, BacktestState.CANCELLED, now()):
            audit.record(member, "Backtest cancelled", f"backtest {backtest_id}")
            flash("The backtest was cancelled.")
    _enqueue(member)  # the next one may begin
    return redirect(url_for(".backtest_job", backtest_id=backtest_id), 303)


def _find(member: Member, backtest_id: int) -> Backtest:
    return stored_backtests.find(member.organization.id, backtest_id) or abort(404)


def _comparison(backtest: Backtest) -> Comparison | None:
    """Return what was found; None if that is nothing yet, or cannot be read by this release."""
    if backtest.totals is None:
        return None
    try:
        return comparison_of(backtest, app_context().rulebooks)
    except (RuleFileError, RulesUnreadable):
        return None


def _shown_flags(comparison: Comparison) -> list[ShownFlag]:
    """Return all flags, those that the draft changes first, the status before flags."""
    *flags, status = comparison.flags
    ordered = sorted((status, *flags), key=_is_same)
    return [
        ShownFlag(
            "" if flag.flag == ANY_FLAG else flag.flag,
            (("Both", flag.draft),)
            if _is_same(flag)
            else (("Draft", flag.draft), ("In force", flag.in_force)),
        )
        for flag in ordered
    ]


def _is_same(flag: ComparedFlag) -> bool:
    """Whether a flag would have warned exactly as it does by the rules in force."""
    draft, in_force = flag.draft, flag.in_force
    return draft is not None and in_force is not None and draft.accuracy == in_force.accuracy


def _enqueue(member: Member) -> None:
    message = messages.advance_backtest(member.organization.id)
    enqueue_best_effort(app_context().broker, [message])
