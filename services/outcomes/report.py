"""The report of how well flags warned of the companies that left, by flag and quarter."""

from datetime import UTC, date, datetime
from typing import Any

from models.outcomes import outcome_report, outcomes
from models.outcomes.outcome_report import ReportPeriod

HORIZONS = (30, 60, 90, 180)
"""How many days before a loss a warning may count, to choose from."""

DEFAULT_HORIZON = 90

QUARTERS = 8
"""The quarters of the report: two years, including the present one."""


def report_period(horizon: int, now: datetime) -> ReportPeriod:
    """Return the quarters of the report."""
    today = now.astimezone(UTC).date()
    quarter = quarter_of(today)
    return ReportPeriod(
        move_quarter(quarter, 1 - QUARTERS), move_quarter(quarter, 1), horizon, today
    )


def quarter_of(day: date) -> date:
    """Return the first day of the quarter of a day."""
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


def move_quarter(quarter: date, by: int) -> date:
    """Return the first day of the quarter that is so many quarters later."""
    years, index = divmod((quarter.month - 1) // 3 + by, 4)
    return date(quarter.year + years, index * 3 + 1, 1)


def compute_report(organization_id: int, horizon: int, now: datetime) -> dict[str, Any]:
    """Compute the report in the form of JSON, with its `revision`.

    `losses` has a row for each quarter and one without a quarter for all of them, `warned` one for
    each flag as well, and `alarms` one for each flag and quarter. Amounts are texts.
    """
    period = report_period(horizon, now)
    return {
        "revision": outcomes.revision(organization_id),
        "today": period.today.isoformat(),
        "losses": _as_json(outcome_report.count_losses(organization_id, period)),
        "warned": _as_json(outcome_report.count_warned(organization_id, period)),
        "alarms": _as_json(outcome_report.count_alarms(organization_id, period)),
    }


def _as_json(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with texts for days and amounts."""
    texts = {"quarter", "amount"}
    return [
        {
            name: str(value) if name in texts and value is not None else value
            for name, value in row.items()
        }
        for row in rows
    ]
