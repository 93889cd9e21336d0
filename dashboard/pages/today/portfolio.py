"""Portfolio: companies and their value by status over a year, and the flags that were raised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from dashboard.access import Member, viewer
from dashboard.presentation.charts.course import Course, Series, draw_course
from dashboard.presentation.charts.trend import draw_trend
from dashboard.presentation.wording import tone_of
from dashboard.web.context import now, rules_in_force
from models.database import read_one_snapshot, transaction
from models.portfolio import daily_figures, stale_companies
from models.portfolio.daily_figures import NOTHING, Amount, Kind
from services.rules.rule_books import NO_RULES

blueprint = Blueprint("portfolio", __name__, url_prefix="/o/<name:organization>/portfolio")

WEEKS = 53

BACK = {"now": 0, "a week ago": 1, "4 weeks ago": 4, "13 weeks ago": 13, "a year ago": 52}
"""The columns of the table of flags, in weeks before now."""


@dataclass(frozen=True)
class FlagRow:
    """The companies for which a flag was raised, at the times of `BACK`, and by week."""

    flag: str
    is_in_rules: bool
    numbers: Sequence[int]
    trend: Markup


@blueprint.get("")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show the course of a year by week."""
    today = now().astimezone(UTC).date()
    days = [today - timedelta(weeks=number) for number in reversed(range(WEEKS))]
    organization_id = member.organization.id
    with transaction():
        read_one_snapshot()
        book = rules_in_force(member.organization) or NO_RULES
        is_complete = stale_companies.is_complete(organization_id, today)
        figures = daily_figures.read(organization_id, days)
    by_status = _in_order(figures[Kind.STATUS], book.statuses)
    return render_template(
        "today/portfolio.html",
        is_complete=is_complete,
        is_empty=not by_status,
        days=days,
        by_status=by_status,
        at_risk=figures[Kind.AT_RISK].get("", [NOTHING] * len(days)),
        flags=_flag_rows(figures[Kind.FLAG], [flag.name for flag in book.flags]),
        back=BACK,
        companies=_draw(days, by_status, book.statuses, of_value=False),
        value=_draw(days, by_status, book.statuses, of_value=True) if book.team.value else None,
        statuses=book.statuses,
        team=book.team,
    )


def _in_order(
    figures: Mapping[str, list[Amount]], statuses: Sequence[str]
) -> dict[str, list[Amount]]:
    """Return the figures of each status that any company had, worst first, unknown ones last."""
    used = {name: amounts for name, amounts in figures.items() if any(amounts)}
    unknown = sorted({*used} - {*statuses})
    return {name: used[name] for name in (*reversed(statuses), *unknown) if name in used}


def _draw(
    days: Sequence[date],
    by_status: Mapping[str, list[Amount]],
    statuses: Sequence[str],
    *,
    of_value: bool,
) -> Course:
    return draw_course(
        days,
        [
            Series(
                name,
                [amount.value if of_value else amount.companies for amount in amounts],
                tone_of(name, statuses),
            )
            for name, amounts in by_status.items()
        ],
    )


def _flag_rows(figures: Mapping[str, list[Amount]], flags: Sequence[str]) -> list[FlagRow]:
    """Return the flags that were raised in the year, those raised most often now first."""
    rows = [
        FlagRow(
            name,
            name in flags,
            [amounts[-1 - weeks].companies for weeks in BACK.values()],
            draw_trend([amount.companies for amount in amounts], f"{name}, by week"),
        )
        for name, amounts in figures.items()
        if any(amounts)
    ]
    return sorted(rows, key=lambda row: (-row.numbers[0], row.flag))
