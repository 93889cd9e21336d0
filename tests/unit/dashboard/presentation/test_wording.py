"""The wording of times, numbers, statuses and browsers."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from dashboard.presentation.wording import (
    amount,
    browser_name,
    exact_time,
    grouped,
    machine_time,
    plain_day,
    relative_day,
    relative_time,
    tone_of,
)

NOW = datetime(2026, 1, 20, 10, 30, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("offset", "text"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=-59), "just now"),
        (timedelta(seconds=30), "in a moment"),
        (timedelta(seconds=-60), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "in 59 minutes"),
        (timedelta(hours=-3, minutes=-59), "3 hours ago"),
        (timedelta(days=2), "in 2 days"),
        (timedelta(days=-29), "29 days ago"),
        (timedelta(days=-30), "1 month ago"),
        (timedelta(days=-364), "12 months ago"),
        (timedelta(days=730), "in 2 years"),
    ],
)
def test_a_relative_time_uses_its_largest_unit(offset: timedelta, text: str) -> None:
    assert relative_time(NOW + offset, NOW) == text


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2026, 1, 20), "today"),
        (date(2026, 1, 21), "in 1 day"),
        (date(2026, 2, 25), "in 36 days"),
        (date(2026, 1, 18), "2 days ago"),
    ],
)
def test_a_day_is_relative_to_today_in_utc(day: date, text: str) -> None:
    assert relative_day(day, NOW) == text
    there = NOW.astimezone(timezone(timedelta(hours=14)))
    assert relative_day(day, there) == text
    assert plain_day(date(2026, 2, 5)) == "5 Feb 2026"


@pytest.mark.parametrize(
    ("value", "text"),
    [("0.00", "0"), ("1250000.00", "1,250,000"), ("-1234.50", "-1,234.50"), ("0.05", "0.05")],
)
def test_an_amount_has_decimals_only_if_there_are_any(value: str, text: str) -> None:
    assert amount(Decimal(value)) == text


def test_a_time_in_any_zone_is_written_in_utc() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=-7)))
    assert exact_time(there) == "20 Jan 2026, 10:30:05 UTC"
    assert machine_time(there) == "2026-01-20T10:30:05Z"


@pytest.mark.parametrize(
    ("statuses", "tones"),
    [
        (("Fine", "Bad"), ("good", "bad")),
        (("Healthy", "At Risk", "Critical"), ("good", "fair", "bad")),
        (("A", "B", "C", "D"), ("good", "fair", "poor", "bad")),
        (("A", "B", "C", "D", "E"), ("good", "fair", "fair", "poor", "bad")),
        (("Only",), ("good",)),
    ],
)
def test_a_status_has_the_colour_of_its_rank(
    statuses: tuple[str, ...], tones: tuple[str, ...]
) -> None:
    assert tuple(tone_of(status, statuses) for status in statuses) == tones


@pytest.mark.parametrize("status", [None, "N/A", "Former"])
def test_an_unknown_status_has_no_colour(status: str | None) -> None:
    assert tone_of(status, ("Healthy", "Critical")) == "none"


def test_thousands_are_separated() -> None:
    assert [grouped(n) for n in (0, 999, 1000, 1234567)] == ["0", "999", "1,000", "1,234,567"]


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
         "Firefox on Linux"),
        (("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
         " Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0"), "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/143.0 Mobile Safari/537.36",
         "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
         "Safari on iPhone"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "unknown browser"),
    ],
)  # fmt: skip
def test_a_browser_is_named(agent: str, name: str) -> None:
    assert browser_name(agent) == name
