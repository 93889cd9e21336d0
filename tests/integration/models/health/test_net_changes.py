"""What a span has changed: totals, and the last change that went the way of the difference."""

from datetime import timedelta
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from models.database import execute
from models.health import net_changes, transitions
from models.health.net_changes import ChangesFilter
from models.health.transitions import StoredTransition
from tests.support.companies.lists import NOW, ListCompany, add, organization

pytestmark = pytest.mark.usefixtures("in_transaction")

STATUSES = ("Healthy", "At Risk", "Critical")
H, R, C = STATUSES


def company(organization_id: int, name: str, *course: tuple[float, str]) -> None:
    """Add a company with the status that it got how many days ago, in order."""
    (_, first), *steps = course
    changed = [days for (_, a), (days, b) in zip(course, steps, strict=False) if a != b]
    [company_id] = add(
        organization_id, ListCompany(name, status=course[-1][1], days=changed[-1], value=None)
    )
    before = first
    rows = []
    for number, (days, after) in enumerate(steps, 1):
        changes = [{"flag": f"{before} to {after}", "from": before, "to": after, "threshold": ""}]
        at = NOW - timedelta(days=days)
        rows.append(
            StoredTransition(
                uuid7(),
                organization_id,
                company_id,
                number,
                at,
                before,
                after,
                "time",
                changes,
                1,
                at,
            )
        )
        before = after
    transitions.add_all(rows)


def read(organization_id: int) -> dict[str, tuple[Any, ...]]:
    found = net_changes.read(
        organization_id, NOW - timedelta(days=7), STATUSES, ChangesFilter(), limit=10
    )
    return {
        change.company: (
            change.before,
            change.after,
            change.times,
            (NOW - change.at).days,
            change.changes[0]["flag"],
        )
        for change in found.changes
    }


def test_a_difference_is_explained_by_the_last_change_in_its_direction() -> None:
    o = organization()
    company(o, "worse", (9, H), (5, C), (3, R))
    company(o, "better", (9, C), (5, H), (3, R))
    company(o, "stayed worse", (9, H), (5, R), (3, R), (2, C), (1, C))
    assert read(o) == {
        "worse": (H, R, 2, 5, "Healthy to Critical"),
        "better": (C, R, 2, 5, "Critical to Healthy"),
        "stayed worse": (H, C, 2, 2, "At Risk to Critical"),
    }


def test_what_returned_changed_before_or_left_is_no_difference() -> None:
    o = organization()
    company(o, "returned", (9, H), (5, C), (3, H))
    company(o, "before", (9, H), (8, C), (2, C))
    company(o, "left", (9, H), (3, C))
    execute("update companies set left_on = '2026-01-01' where external_id = 'left'")
    assert read(o) == {}
