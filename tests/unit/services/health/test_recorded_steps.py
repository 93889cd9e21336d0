"""A change of status is explained by the flags that went the same way."""

from typing import Any

import pytest

from services.health.recorded_steps import explaining_steps

STATUSES = ("Healthy", "At Risk", "Critical")


def step(flag: str, before: str, after: str) -> dict[str, Any]:
    return {"flag": flag, "from": before, "to": after, "threshold": "Less than 5 times in 7 days"}


RAISED = step("Raised", "Healthy", "At Risk")
WORSE = step("Worse", "At Risk", "Critical")
BETTER = step("Better", "Critical", "At Risk")
ENDED = step("Ended", "At Risk", "Healthy")
SNOOZED = step("Snoozed", "Critical", "N/A")


@pytest.mark.parametrize(
    ("before", "after", "changes", "explaining"),
    [
        ("Healthy", "At Risk", [RAISED, ENDED], [RAISED]),
        ("At Risk", "Critical", [ENDED, WORSE, RAISED], [WORSE, RAISED]),
        ("Critical", "At Risk", [RAISED, BETTER, ENDED], [BETTER, ENDED]),
        ("Critical", "Healthy", [SNOOZED], [SNOOZED]),
        ("At Risk", "At Risk", [ENDED, RAISED], [RAISED]),
        ("At Risk", "At Risk", [ENDED], [ENDED]),
        ("Gone", "Healthy", [], []),
    ],
)
def test_only_the_flags_that_went_the_way_of_the_status_explain_it(
    before: str, after: str, changes: list[Any], explaining: list[Any]
) -> None:
    assert explaining_steps(changes, before, after, STATUSES) == explaining
