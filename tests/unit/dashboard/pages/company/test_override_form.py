"""The end of a snooze or override that is a date."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from dashboard.pages.company.override_form import OverrideForm

LATE = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
"""The 29th in Berlin, where clocks are put forward that night; the 28th in New York."""


def form_with(day: date) -> OverrideForm:
    form = OverrideForm(data={"counts": "snooze", "ends": "day"}).offer(())
    form.day.data = day
    return form


@pytest.mark.parametrize(
    ("zone", "day", "end"),
    [
        ("UTC", date(2026, 3, 28), datetime(2026, 3, 29, tzinfo=UTC)),
        ("Europe/Berlin", date(2026, 3, 29), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("America/New_York", date(2026, 3, 28), datetime(2026, 3, 29, 4, tzinfo=UTC)),
    ],
)
def test_it_lasts_until_the_end_of_that_day_in_the_editors_zone(
    zone: str, day: date, end: datetime
) -> None:
    assert form_with(day).until(LATE, ZoneInfo(zone)) == end
    yesterday = form_with(day.replace(day=day.day - 1))
    assert yesterday.until(LATE, ZoneInfo(zone)) is None
    assert yesterday.day.errors == ["This date is in the past."]
