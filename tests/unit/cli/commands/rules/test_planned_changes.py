"""What a plan says about events that would no longer be accepted."""

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
