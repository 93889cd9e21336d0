"""The backtest of a draft of rules."""

from datetime import timedelta
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from dashboard.access import Member, editor
from dashboard.pages.rules.frame import SPANS, blueprint, read_draft, show_outcome
from dashboard.pages.rules.trials import Deadline, backtest_within
from dashboard.presentation.charts.paired_columns import Step, draw_paired_columns
from dashboard.web.context import now
from models.database import transaction
from models.health import flag_overrides
from rules.file.rule_file import check_rules
from services.rules.backtest import ReplayPeriod
from services.rules.backtest_totals import ANY_FLAG

DEFAULT_SPAN = SPANS[1]


@blueprint.post("/backtest")
@editor
def backtest(member: Member) -> ResponseReturnValue:
    """Show how often a draft would have raised and cleared flags in a past period."""
    draft = read_draft(member)
    checked = check_rules(draft.text)
    if checked.book is None:
        return show_outcome(member, draft, 422, checked=checked)
    days = request.form.get("days", type=int)
    days = days if days in SPANS else DEFAULT_SPAN
    until = now()
    period = ReplayPeriod(until - timedelta(days=days), until)
    totals, total = backtest_within(Deadline(), member.organization, checked.book, period)
    with transaction():
        left_out = flag_overrides.count_between(
            member.organization.id, since=period.since, until=period.until
        )
    weeks = totals.weeks()
    return show_outcome(
        member,
        draft,
        checked=checked,
        totals=totals,
        total=total,
        days=days,
        overrides_left_out=left_out,
        weeks=weeks,
        any_flag=ANY_FLAG,
        charts=draw_paired_columns(weeks_of(weeks, period), ("raised", "cleared")),
    )


def weeks_of(weeks: list[dict[str, Any]], period: ReplayPeriod) -> list[Step]:
    """Sum all flags for each week of the period."""
    steps = []
    at = period.since
    while at < period.until:
        day = f"{at:%Y-%m-%d}"
        rows = [row for row in weeks if row["week_from"] == day]
        steps.append(
            Step(
                f"{at.day} {at:%b}",
                sum(row["raised"] for row in rows),
                sum(row["cleared"] for row in rows),
            )
        )
        at += timedelta(weeks=1)
    return steps
