"""What would prevent an upcoming change of status, by all flags that cause it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.pages.today.upcoming_list import prevention_of
from models.health.upcoming_changes import Direction, ListedChange

AT = datetime(2026, 1, 20, tzinfo=UTC)


def step(before: str, after: str, unless: str | None) -> dict[str, Any]:
    return {"before": before, "after": after, "unless": unless}


def change(direction: Direction, before: str, worst: str, *flags: dict[str, Any]) -> ListedChange:
    return ListedChange(
        1, "acme", "Acme", direction, before, worst, AT, worst, AT, None, None, "time", flags
    )


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([step("Good", "Bad", "a login")], "a login"),
        ([step("Good", "Bad", "a login"), step("Good", "Bad", "a report")], "a login and a report"),
        ([step("Good", "Bad", "a login"), step("Good", "Bad", "a login")], "a login"),
        ([step("Good", "Bad", "a login"), step("Good", "Fair", None)], "a login"),
        ([step("Good", "Bad", "a login"), step("Good", "Bad", None)], None),
        ([], None),
    ],
)
def test_a_company_becomes_worse_unless_every_flag_that_does_it_is_prevented(
    flags: list[dict[str, Any]], expected: str | None
) -> None:
    assert prevention_of(change(Direction.WORSE, "Good", "Bad", *flags)) == expected


@pytest.mark.parametrize("direction", [Direction.RECOVERS, Direction.RUNS_OUT])
def test_a_company_becomes_better_unless_one_of_its_flags_stays(direction: Direction) -> None:
    flags = step("Bad", "Good", "a ticket"), step("Bad", "Good", None), step("Fair", "Good", "x")
    assert prevention_of(change(direction, "Bad", "Good", *flags)) == "a ticket"


def test_a_change_that_returns_says_nothing() -> None:
    returns = change(Direction.RETURNS, "Good", "Good", step("Good", "Fair", "a login"))
    assert prevention_of(returns) is None
