"""What a plan says about events that would no longer be accepted, and companies that left."""

import pytest

from cli.commands.rules.planned_changes import print_plan
from services.rules.plan import Plan


def test_events_that_are_sent_are_apart_from_those_that_are_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_plan(Plan((), 0, 0, ("login",), ("signup", "zoom")), limit=None)
    assert capsys.readouterr().out.splitlines()[1:] == [
        "Sent, and would be refused: login.",
        "No longer accepted, and not sent in the last 30 days: signup, zoom.",
    ]


def test_companies_that_left_are_counted_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    print_plan(Plan((), 500, 500, (), (), left=21), limit=None)
    assert capsys.readouterr().out.splitlines() == [
        "0 of 500 companies would change status.",
        "21 of all 500 companies have left; rules judge them as before.",
    ]
