"""The report about outcomes, and the lists behind its numbers, equal a plain recount."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from models.database import execute, query, transaction
from models.health import flag_runs, replaced_transitions
from models.outcomes import outcome_report, outcomes
from models.outcomes.outcome_report import ReportPeriod
from models.outcomes.outcomes import NewOutcome, OutcomeKind
from services.insights.answers import cached_answer
from services.insights.questions import OutcomeReport, write_question
from services.outcomes import runs
from services.outcomes.report import QUARTERS, compute_report, move_quarter, quarter_of
from services.outcomes.report import report_period as period_of
from services.rules.rule_books import RuleBooks
from tests.support.companies.outcomes import (
    FLAGS,
    Recounter,
    add_random_history,
    add_transitions,
    query_ids,
)
from tests.support.in_transactions import compute_answer
from tests.support.world import World

NOW = datetime(2026, 8, 20, 9, tzinfo=UTC)
TODAY = NOW.date()
HORIZON = 60


def reported(report: dict[str, Any], flag: str, quarter: date | None) -> tuple[Any, ...]:
    """Return what a report says about a flag and a quarter, in the order of `Recount`."""
    key = None if quarter is None else str(quarter)
    losses = next((row for row in report["losses"] if row["quarter"] == key), None)
    warned = next(
        (row for row in report["warned"] if (row["flag"], row["quarter"]) == (flag, key)), None
    )
    alarms = [
        row for row in report["alarms"] if row["flag"] == flag and key in (None, row["quarter"])
    ]
    number, amount = (warned["number"], Decimal(warned["amount"])) if warned else (0, Decimal(0))
    lost, lost_amount = (losses["number"], Decimal(losses["amount"])) if losses else (0, Decimal(0))
    return (
        number,
        lost - number,
        warned["days"] if warned else None,
        amount,
        lost_amount - amount,
        sum(row["false_alarms"] for row in alarms),
        sum(row["undecided"] for row in alarms),
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_report_equals_a_recount_of_a_random_organization(world: World, seed: int) -> None:
    chance = Random(seed)
    other = World.create()
    for each in (world, other):
        add_random_history(each, chance, NOW)
    runs.refresh(RuleBooks())
    with transaction():
        for company_id in query_ids(world.id):
            add_transitions(world.id, company_id, chance, NOW)
    runs.refresh(RuleBooks())
    recounter = Recounter(world.id)
    assert {*recounter.flags} == {*FLAGS, ""}
    quarters = [move_quarter(quarter_of(TODAY), -back) for back in range(QUARTERS)]
    with transaction():
        report = compute_report(world.id, HORIZON, NOW)
        for flag in recounter.flags:
            for quarter in (None, *quarters):
                counted = recounter.count(flag, quarter, HORIZON, TODAY)
                assert reported(report, flag, quarter) == tuple(vars(counted).values())
                assert listed(world.id, flag, quarter) == (
                    counted.warned,
                    counted.missed,
                    counted.false_alarms,
                    counted.undecided,
                )


def listed(organization_id: int, flag: str, quarter: date | None) -> tuple[int, ...]:
    """Return how many companies each list has, read page by page."""
    period = period_of(HORIZON, NOW)
    if quarter is not None:
        period = ReportPeriod(quarter, move_quarter(quarter, 1), HORIZON, TODAY)
    numbers = []
    for read, options in (
        (outcome_report.list_losses, {"warned": True}),
        (outcome_report.list_losses, {"warned": False}),
        (outcome_report.list_alarms, {"decided": True}),
        (outcome_report.list_alarms, {"decided": False}),
    ):
        after, total = None, 0
        while True:
            page = read(organization_id, flag, period, after=after, limit=3, **options)
            total += len(page.companies)
            after = page.next
            if after is None:
                break
        assert page.total in (total, None)
        numbers.append(total)
    return tuple(numbers)


def test_runs_are_derived_again_when_a_history_is_rewritten(world: World) -> None:
    add_random_history(world, Random(5), NOW, companies=3)
    runs.refresh(RuleBooks())
    with transaction():
        company_id = query_ids(world.id)[0]
        replaced_transitions.remove(world.id, {company_id: 2})
        assert [stale.company_id for stale in flag_runs.lock_stale(world.id, limit=9)] == [
            company_id
        ]
    derived = read_runs(world.id)
    runs.refresh(RuleBooks())
    again = read_runs(world.id)
    assert again != derived
    execute_all("update companies set runs_sequence = -1")
    runs.refresh(RuleBooks())
    assert read_runs(world.id) == again


def execute_all(sql: str) -> None:
    with transaction():
        execute(sql)


def read_runs(organization_id: int) -> list[tuple[Any, ...]]:
    with transaction():
        rows = query(
            "select * from flag_runs where organization_id = %(id)s order by 2, 3, 4",
            {"id": organization_id},
        )
    return [tuple(row.values()) for row in rows]


def test_a_report_is_computed_again_once_outcomes_change(world: World) -> None:
    world.track("acme", -timedelta(days=30))
    question = OutcomeReport(90)
    compute_answer(world.id, write_question(question), NOW)

    def is_stale() -> bool:
        with transaction():
            return cached_answer(world.id, question, NOW).is_stale

    assert not is_stale()
    lost = NewOutcome(world.company_id("acme"), OutcomeKind.LEFT, date(2026, 1, 1))
    with transaction():
        outcomes.enter(world.id, [lost], "test", NOW)
    assert is_stale()
    compute_answer(world.id, write_question(question), NOW + timedelta(seconds=1))
    assert not is_stale()


def test_a_company_has_left_unless_a_later_outcome_follows(world: World) -> None:
    world.track("acme")
    company_id = world.company_id("acme")

    def enter(kind: OutcomeKind, day: int) -> int:
        new = NewOutcome(company_id, kind, date(2026, 3, day), Decimal("1.5"), "Why")
        with transaction():
            [(outcome_id, is_new)] = outcomes.enter(world.id, [new], "test", NOW)
        assert is_new
        return outcome_id

    def left_on() -> date | None:
        [row] = world.rows("select left_on from companies where organization_id = %(id)s")
        day: date | None = row["left_on"]
        return day

    enter(OutcomeKind.RENEWED, 1)
    assert left_on() is None
    enter(OutcomeKind.LEFT, 5)
    assert left_on() == date(2026, 3, 5)
    grew = enter(OutcomeKind.GREW, 9)
    assert left_on() is None
    with transaction():
        outcome = outcomes.find(world.id, grew)
        assert outcome is not None
        outcomes.remove(world.id, outcome)
    assert left_on() == date(2026, 3, 5)
    with transaction():
        same = NewOutcome(company_id, OutcomeKind.LEFT, date(2026, 3, 5), Decimal("1.5"), "Why")
        assert outcomes.enter(world.id, [same], "test", NOW) == []
