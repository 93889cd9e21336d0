from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cli.event_imports.times import read_time

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-01-20T10:30:00Z", datetime(2024, 1, 20, 10, 30, tzinfo=UTC)),
        ("2024-01-20 10:30:00.5+02", datetime(2024, 1, 20, 8, 30, 0, 500_000, tzinfo=UTC)),
        (" 2024-01-20 10:30:00 UTC", datetime(2024, 1, 20, 10, 30, tzinfo=UTC)),
        ("2024-07-20 10:30", datetime(2024, 7, 20, 8, 30, tzinfo=UTC)),
        ("2024-01-20", datetime(2024, 1, 19, 23, tzinfo=UTC)),
        (1705746600, datetime(2024, 1, 20, 10, 30, tzinfo=UTC)),
        (1705746600.25, datetime(2024, 1, 20, 10, 30, 0, 250_000, tzinfo=UTC)),
        ("1705746600123", datetime(2024, 1, 20, 10, 30, 0, 123_000, tzinfo=UTC)),
        ("1705746600123456", datetime(2024, 1, 20, 10, 30, 0, 123_456, tzinfo=UTC)),
        (1705746600123456789, datetime(2024, 1, 20, 10, 30, 0, 123_456, tzinfo=UTC)),
    ],
)
def test_texts_and_numbers_are_times(value: object, expected: datetime) -> None:
    assert read_time(value, BERLIN) == expected


@pytest.mark.parametrize("value", ["", "soon", "20240120", True, None, [1], -5, "1e30", 10**20])
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="Expected a time such as"):
        read_time(value, UTC)
