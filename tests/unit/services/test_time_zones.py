"""Time zones, and the instants of local days and times over changes of clocks."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from services import time_zones
from services.time_zones import TimeZoneError, instant_of, read, start_of_day

BERLIN, KATHMANDU = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]


def test_every_time_zone_that_is_offered_can_be_chosen() -> None:
    assert {"UTC", "Europe/Berlin", "Asia/Kathmandu"} <= set(time_zones.offered())
    assert all(read(name).key == name for name in time_zones.offered())


@pytest.mark.parametrize(
    "entered", ["europe/berlin", " Europe/Berlin ", "EUROPE/BERLIN", "Europe/Berlin"]
)
def test_a_time_zone_is_read_regardless_of_case(entered: str) -> None:
    assert read(entered) == BERLIN


@pytest.mark.parametrize(
    ("entered", "message"),
    [
        ("Berlin", "Did you mean Europe/Berlin?"),
        ("new york", "Did you mean America/New_York?"),
        ("Mars/Olympus", "There is no such time zone. Choose one from the list."),
        ("../etc/passwd", "There is no such time zone. Choose one from the list."),
        ("  ", "There is no such time zone. Choose one from the list."),
    ],
)
def test_an_unknown_time_zone_is_refused_with_what_is_similar(entered: str, message: str) -> None:
    with pytest.raises(TimeZoneError) as refused:
        read(entered)
    assert str(refused.value) == message
    assert time_zones.find(entered) is None


@pytest.mark.parametrize(
    ("day", "zone", "start"),
    [
        (date(2026, 1, 20), BERLIN, utc(2026, 1, 19, 23)),
        (date(2026, 3, 30), BERLIN, utc(2026, 3, 29, 22)),
        (date(2026, 1, 20), KATHMANDU, utc(2026, 1, 19, 18, 15)),
        (date(2026, 4, 24), ZoneInfo("Africa/Cairo"), utc(2026, 4, 23, 22)),  # 00:00 is skipped
        (date(2026, 11, 1), ZoneInfo("America/Havana"), utc(2026, 11, 1, 4)),  # 00:00 occurs twice
    ],
)
def test_a_day_starts_at_its_first_instant(day: date, zone: ZoneInfo, start: datetime) -> None:
    assert start_of_day(day, zone) == start
    assert start.astimezone(zone).date() == day


def test_a_local_time_that_occurs_twice_is_the_first_and_one_that_is_skipped_is_refused() -> None:
    def instant(local: str, zone: ZoneInfo) -> datetime:
        return instant_of(datetime.fromisoformat(local), zone)

    assert instant("2026-10-25T02:30", BERLIN) == utc(2026, 10, 25, 0, 30)
    assert instant("2026-07-01T12:00", KATHMANDU) == utc(2026, 7, 1, 6, 15)
    with pytest.raises(TimeZoneError) as refused:
        instant("2026-03-29T02:30", BERLIN)
    assert str(refused.value) == (
        "02:30 does not exist on 29 Mar 2026 in Europe/Berlin: clocks are put forward."
        " Enter another time."
    )
