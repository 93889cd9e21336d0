from datetime import UTC, datetime, timedelta

import pytest

from formats.timestamps import parse_timestamp
from tests.support.ingress.event_payloads import NOT_A_TIME, NOW, event, faults, occurred_at


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("2024-01-20T10:30:00Z", datetime(2024, 1, 20, 10, 30, tzinfo=UTC)),
        ("2024-01-20T10:30:00+00:00", datetime(2024, 1, 20, 10, 30, tzinfo=UTC)),
        ("2024-01-20T10:30:00-00:00", datetime(2024, 1, 20, 10, 30, tzinfo=UTC)),
        ("2024-01-20T10:30:00+05:30", datetime(2024, 1, 20, 5, tzinfo=UTC)),
        ("2024-01-19T23:30:00-10:00", datetime(2024, 1, 20, 9, 30, tzinfo=UTC)),
        ("2024-01-20T10:30:00+0200", datetime(2024, 1, 20, 8, 30, tzinfo=UTC)),
        ("2024-01-20T10:30:00", datetime(2024, 1, 20, 10, 30, tzinfo=UTC)),
        ("2024-01-20T10:30", datetime(2024, 1, 20, 10, 30, tzinfo=UTC)),
        ("2024-01-20 10:30:00Z", datetime(2024, 1, 20, 10, 30, tzinfo=UTC)),
        ("20240120T103000Z", datetime(2024, 1, 20, 10, 30, tzinfo=UTC)),
        ("2024-01-20", datetime(2024, 1, 20, tzinfo=UTC)),
        ("2024-01-20T10:30:00.5Z", datetime(2024, 1, 20, 10, 30, 0, 500000, tzinfo=UTC)),
        ("2024-01-20T10:30:00.000Z", datetime(2024, 1, 20, 10, 30, tzinfo=UTC)),
        ("2024-01-20T10:30:00.123456Z", datetime(2024, 1, 20, 10, 30, 0, 123456, tzinfo=UTC)),
        ("2024-01-20T10:30:00.123456789Z", datetime(2024, 1, 20, 10, 30, 0, 123456, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("0001-01-01T05:00:00+05:00", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_timestamp_is_iso_8601_and_in_utc_without_an_offset(
    timestamp: str, expected: datetime
) -> None:
    assert occurred_at(timestamp) == expected
    assert occurred_at(timestamp).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "timestamp",
    [
        "", " ", "soon", "now", "2024", "2024-01", "1705746600", "2024-02-30", "2024-13-01",
        "2023-02-29", "01/20/2024", "20-01-2024", "2024-01-20T", "2024-01-20T25:00:00Z",
        "2024-01-20T10:61:00Z", "2024-01-20T10:30:00+25:00", "2024-01-20T10:30:00 UTC",
        "2024-01-20T10:30:00Z ", " 2024-01-20T10:30:00Z", "2024-01-20T10:30:00Z\n",
        "10000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "-0001-01-01", "٢٠٢٤-01-20",
        "2024-01-20T10:30:00ZZ", "Sat, 20 Jan 2024 10:30:00 GMT", "😀", "9" * 5_000,
    ],
)  # fmt: skip
def test_text_that_is_not_a_time_is_a_fault(timestamp: str) -> None:
    assert faults(event(timestamp=timestamp)) == [(["timestamp"], NOT_A_TIME)]


@pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_time_whose_offset_moves_it_out_of_the_calendar_is_a_fault(timestamp: str) -> None:
    assert faults(event(timestamp=timestamp)) == [(["timestamp"], NOT_A_TIME)]


@pytest.mark.parametrize("timestamp", ["2024-01-20Q10:30:00Z", "2024-01-20😀10:30:00Z"])
def test_only_a_t_or_a_space_separates_date_and_time(timestamp: str) -> None:
    assert faults(event(timestamp=timestamp)) == [(["timestamp"], NOT_A_TIME)]


@pytest.mark.parametrize("timestamp", ["2024-01-20+05:00", "2024-01-20-05:00"])
def test_a_date_with_an_offset_is_not_read_as_a_time_of_that_day(timestamp: str) -> None:
    assert faults(event(timestamp=timestamp)) == [(["timestamp"], NOT_A_TIME)]


@pytest.mark.parametrize(
    "ahead",
    [
        timedelta(microseconds=1),
        timedelta(minutes=59),
        timedelta(hours=1) - timedelta(microseconds=1),
        timedelta(hours=1),
    ],
)
def test_a_time_up_to_an_hour_ahead_counts_as_the_present(ahead: timedelta) -> None:
    assert occurred_at((NOW + ahead).isoformat()) == NOW


def test_the_present_and_the_past_are_kept() -> None:
    for at in (NOW, NOW - timedelta(microseconds=1), NOW - timedelta(days=3650)):
        assert occurred_at(at.isoformat()) == at


@pytest.mark.parametrize("ahead", [timedelta(hours=1, microseconds=1), timedelta(days=365)])
def test_more_than_an_hour_ahead_is_a_fault(ahead: timedelta) -> None:
    timestamp = (NOW + ahead).isoformat()
    assert faults(event(timestamp=timestamp)) == [(["timestamp"], "More than 1 hour in the future")]


def test_the_future_is_recognized_by_the_instant_and_not_by_the_local_time() -> None:
    assert occurred_at("2024-01-20T20:00:00+10:00") == datetime(2024, 1, 20, 10, tzinfo=UTC)
    assert faults(event(timestamp="2024-01-20T09:00:00-10:00"))
    assert faults(event(timestamp="9999-12-31T23:59:59Z"))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2016-12-31T23:59:60.25+00:00", "2017-01-01T00:00:00.25Z"),
        ("2017-01-01T05:29:60+05:30", "2017-01-01T00:00:00Z"),
        ("2023-12-31T24:00:00Z", "2024-01-01T00:00:00Z"),
        ("20231231T2400", "2024-01-01T00:00:00Z"),
        ("2023-12-31T24:00:00.000-02:00", "2024-01-01T02:00:00Z"),
    ],
)
def test_a_leap_second_and_the_end_of_a_day_are_instants(text: str, instant: str) -> None:
    assert parse_timestamp(text) == parse_timestamp(instant)


@pytest.mark.parametrize(
    "text", ["2023-12-31T24:00:01Z", "2023-12-31T24:01Z", "2023-12-31T25:00Z", "2023-12-31T10:60Z",
             "2023-12-31T24:00:60Z", "2023-12-31T10:00:61Z", "9999-12-31T24:00Z"],
)  # fmt: skip
def test_other_times_beyond_the_clock_are_none(text: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        parse_timestamp(text)
