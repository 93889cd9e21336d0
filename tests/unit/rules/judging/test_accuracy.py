"""Which losses a flag warned of, and which of its raises were false alarms."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from rules.judging.accuracy import Accuracy, CompanyOutcomes, Loss, Period

TODAY = date(2026, 12, 31)
HORIZON = timedelta(days=30)


def at(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def on(month: int, day: int) -> date:
    return date(2026, month, day)


def accuracy(
    raised: Sequence[Period], losses: Sequence[date] = (), others: Sequence[date] = ()
) -> Accuracy:
    measured = Accuracy()
    outcomes = CompanyOutcomes([Loss(day, Decimal(10)) for day in losses], others)
    measured.add(raised, outcomes, HORIZON, TODAY)
    return measured


@pytest.mark.parametrize(
    ("raised", "days"),
    [
        ([(at(6, 1), None)], 29),
        ([(at(6, 29, 23), None)], 1),
        ([(at(6, 30, 0), None)], None),  # on the day itself
        ([(at(1, 1), at(5, 30))], None),  # cleared before the 30 days
        ([(at(1, 1), at(5, 31))], 180),  # on the first of them, and raised since January
        ([(at(5, 1), at(5, 2)), (at(6, 10), at(6, 11)), (at(6, 20), None)], 20),
        ([], None),
    ],
)
def test_a_loss_is_warned_of_by_a_raise_that_lasts_into_the_days_before(
    raised: Sequence[Period], days: int | None
) -> None:
    measured = accuracy(raised, [on(6, 30)])
    assert (measured.warned, measured.missed) == ((0, 1) if days is None else (1, 0))
    assert measured.days_of_warning == days
    assert (measured.warned_amount, measured.missed_amount) == (
        (0, 10) if days is None else (10, 0)
    )


@pytest.mark.parametrize(
    ("raised", "losses", "others", "counted"),
    [
        ([at(6, 1)], [], [], "false alarm"),
        ([at(12, 1)], [], [], "undecided"),  # today is the last of its 30 days
        ([at(11, 30)], [], [], "false alarm"),
        ([at(6, 1)], [on(7, 1)], [], None),
        ([at(6, 1)], [on(7, 2)], [], "false alarm"),
        ([at(1, 1), at(6, 1)], [on(6, 10)], [], None),  # one of its raises was right
        ([at(6, 10), at(6, 20)], [on(6, 10)], [], None),  # had left
        ([at(6, 20)], [on(6, 10)], [on(6, 15)], "false alarm"),  # was back
        ([at(6, 20)], [on(6, 10)], [on(6, 10)], None),
        ([], [], [], None),
    ],
)
def test_a_raise_is_a_false_alarm_if_no_loss_follows(
    raised: Sequence[datetime],
    losses: Sequence[date],
    others: Sequence[date],
    counted: str | None,
) -> None:
    measured = accuracy([(start, start) for start in raised], losses, others)
    assert measured.false_alarms == (counted == "false alarm")
    assert measured.undecided == (counted == "undecided")


def test_companies_add_up_and_survive_storage() -> None:
    first = accuracy([(at(6, 1), None)], [on(6, 30)])
    second = accuracy([(at(6, 1), None)], [on(6, 11)])
    third = accuracy([], [on(6, 11)])
    for other in (second, third, accuracy([(at(6, 1), None)])):
        first.merge(other)
    assert first == Accuracy.from_json(first.as_json())
    assert (first.warned, first.missed, first.false_alarms) == (2, 1, 1)
    assert first.days_of_warning == 19.5
    assert (first.precision, first.recall) == (2 / 3, 2 / 3)
    assert (first.warned_amount, first.missed_amount) == (20, 10)
