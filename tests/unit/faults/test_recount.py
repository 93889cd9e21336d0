"""The recount of `make faults`, by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from faults.recount import ERROR, REPORT, recount

START = datetime(2026, 1, 5, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("reports", "errors", "until", "expected"),
    [
        ([0], [], 5.9, []),
        ([0], [], 6, [(6, "Healthy", "At Risk")]),
        ([0, 5], [], 10.9, []),
        ([0, 7], [], 8, [(6, "Healthy", "At Risk"), (7, "At Risk", "Healthy")]),
        ([0, 6], [], 8, []),
        ([], [0], 1, [(0, "Healthy", "At Risk")]),
        ([0], [1, 2, 3], 5.9, [(3, "Healthy", "Critical")]),
        ([0, 4], [1, 2, 3], 6, [(3, "Healthy", "Critical"), (6, "Critical", "Healthy")]),
        ([0], [1, 2, 4], 6, [(4, "Healthy", "Critical"), (6, "Critical", "At Risk")]),
        ([0], [2, 3, 4], 6.5, [(4, "Healthy", "Critical"), (6, "Critical", "Critical")]),
    ],
)
def test_changes_are_recounted(
    reports: list[float], errors: list[float], until: float, expected: list[tuple[float, str, str]]
) -> None:
    events = [*((after(at), REPORT) for at in reports), *((after(at), ERROR) for at in errors)]
    changes = recount(events, until=after(until))
    assert changes == [(after(at), before, now) for at, before, now in expected]
