"""The report of how well flags warned of the companies that left, by flag and quarter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue

from dashboard.access import Member, viewer
from dashboard.pages.insights.frame import Answers, book_of, next_poll
from dashboard.pages.outcomes.frame import blueprint
from dashboard.web.context import now
from models.database import read_one_snapshot, transaction
from models.health.flag_runs import STATUS
from models.outcomes import outcomes
from rules.book import RuleBook
from services.insights.questions import OutcomeReport
from services.outcomes.report import DEFAULT_HORIZON, HORIZONS, QUARTERS, move_quarter, quarter_of

ALL_QUARTERS = "all"


@dataclass(frozen=True)
class ReportRow:
    """What the report shows of a flag in a quarter; the amounts are those of the losses."""

    flag: str
    quarter: date | None
    warned: int
    missed: int
    days: float | None
    warned_amount: Decimal
    missed_amount: Decimal
    false_alarms: int
    undecided: int
    in_rules: bool = True

    @property
    def recall(self) -> float | None:
        """The share of losses that were warned of."""
        losses = self.warned + self.missed
        return self.warned / losses if losses else None

    @property
    def false_share(self) -> float | None:
        """The share of false alarms among all alarms that are decided."""
        decided = self.warned + self.false_alarms
        return self.false_alarms / decided if decided else None


@blueprint.get("")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show the report of a quarter for all flags, and of a flag for all quarters."""
    at = now()
    horizon = read_horizon()
    with transaction():
        read_one_snapshot()
        book = book_of(member)
        answers = Answers.read(member, [OutcomeReport(horizon)], at)
        revision = outcomes.revision(member.organization.id)
        number = sum(t.number for t in outcomes.total_by_kind(member.organization.id).values())
    answers.enqueue_stale(member)
    [answer] = answers.cached
    quarters = list_quarters(at.date())
    quarter = read_quarter(quarters)
    flag = request.args.get("flag", STATUS)
    report = None if answer.value is None else Report(answer.value, book)
    return render_template(
        "outcomes/report.html",
        number=number,
        report=report,
        as_of=answer.as_of,
        is_outdated=answer.value is None or answer.value["revision"] != revision,
        next_poll=next_poll(),
        horizon=horizon,
        horizons=HORIZONS,
        quarters=quarters,
        quarter=quarter,
        flag=flag if report and flag in report.flags else STATUS,
        statuses=book.statuses,
    )


def list_quarters(today: date) -> list[date]:
    """Return the first days of the quarters of the report, the latest first."""
    return [move_quarter(quarter_of(today), -back) for back in range(QUARTERS)]


def read_horizon() -> int:
    """Return the number of days before a loss in which a warning counts."""
    horizon = request.args.get("within", DEFAULT_HORIZON, type=int)
    return horizon if horizon in HORIZONS else DEFAULT_HORIZON


def read_quarter(quarters: Sequence[date]) -> date | None:
    """Return the quarter that the request names, None for all of them."""
    text = request.args.get("quarter", ALL_QUARTERS)
    return next((quarter for quarter in quarters if str(quarter) == text), None)


@blueprint.app_template_filter("quarter")
def quarter_name(quarter: date | None) -> str:
    """Return the name of a quarter: `Q2 2026`."""
    return "All" if quarter is None else f"Q{(quarter.month + 2) // 3} {quarter.year}"


class Report:
    """The computed report, looked up by flag and quarter."""

    def __init__(self, value: Mapping[str, Any], book: RuleBook) -> None:
        self._losses: dict[str | None, Mapping[str, Any]] = {
            row["quarter"]: {**row, "amount": Decimal(row["amount"])} for row in value["losses"]
        }
        self._warned = {(row["flag"], row["quarter"]): row for row in value["warned"]}
        self._alarms = {(row["flag"], row["quarter"]): row for row in value["alarms"]}
        self._in_rules = {STATUS, *book.flags_by_name}
        former = {flag for flag, _ in (*self._warned, *self._alarms)} - self._in_rules
        self.flags = (STATUS, *book.flags_by_name, *sorted(former))

    @property
    def has_losses(self) -> bool:
        """Whether any company left in the quarters of the report."""
        return bool(self.losses(None)["number"])

    def losses(self, quarter: date | None) -> Mapping[str, Any]:
        """Return the `number` of companies that left, the `amount`, and how many have none."""
        nothing: Mapping[str, Any] = {"number": 0, "amount": Decimal(0), "unknown": 0}
        return self._losses.get(_key(quarter)) or nothing

    def row(self, flag: str, quarter: date | None) -> ReportRow:
        """Return what is shown of a flag in a quarter."""
        losses = self.losses(quarter)
        warned = self._warned.get((flag, _key(quarter)))
        number = warned["number"] if warned else 0
        amount = Decimal(warned["amount"] if warned else 0)
        alarms = [
            row
            for (of, its_quarter), row in self._alarms.items()
            if of == flag and quarter in (None, its_quarter and date.fromisoformat(its_quarter))
        ]
        return ReportRow(
            flag,
            quarter,
            number,
            losses["number"] - number,
            warned["days"] if warned else None,
            amount,
            losses["amount"] - amount,
            sum(row["false_alarms"] for row in alarms),
            sum(row["undecided"] for row in alarms),
            flag in self._in_rules,
        )

    def rows(self, quarter: date | None) -> list[ReportRow]:
        """Return what is shown of each flag in a quarter, the company's status first."""
        return [self.row(flag, quarter) for flag in self.flags]


def _key(quarter: date | None) -> str | None:
    return None if quarter is None else str(quarter)
