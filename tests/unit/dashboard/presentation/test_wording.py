"""The wording of times, numbers, statuses and browsers."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from dashboard.presentation.wording import (
    amount,
    browser_name,
    day_and_time,
    exact_time,
    full_time,
    grouped,
    machine_time,
    moment,
    owner_names,
    plain_day,
    recent_day,
    relative_day,
    relative_time,
    short_time,
    time_of_today,
    tone_of,
    with_local_times,
)
from rules.durations import format_instant

NOW = datetime(2026, 1, 20, 10, 30, 5, tzinfo=UTC)
UTC_ZONE, KATHMANDU = ZoneInfo("UTC"), ZoneInfo("Asia/Kathmandu")
KIRITIMATI = ZoneInfo("Pacific/Kiritimati")


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
def test_a_day_is_relative_to_the_readers_today(day: date, text: str) -> None:
    assert relative_day(day, NOW, UTC_ZONE) == text
    assert relative_day(day + timedelta(days=1), NOW, KIRITIMATI) == text
    assert plain_day(date(2026, 2, 5)) == "5 Feb 2026"


@pytest.mark.parametrize(
    ("value", "text"),
    [("0.00", "0"), ("1250000.00", "1,250,000"), ("-1234.50", "-1,234.50"), ("0.05", "0.05")],
)
def test_an_amount_has_decimals_only_if_there_are_any(value: str, text: str) -> None:
    assert amount(Decimal(value)) == text


def test_a_time_is_written_in_the_readers_zone_and_for_machines_in_utc() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=-7)))
    assert machine_time(there) == "2026-01-20T10:30:05Z"
    assert exact_time(there, UTC_ZONE) == full_time(there, UTC_ZONE) == "20 Jan 2026, 10:30:05 UTC"
    assert exact_time(there, KATHMANDU) == "20 Jan 2026, 16:15:05 UTC+5:45"
    assert full_time(there, KATHMANDU) == (
        "20 Jan 2026, 16:15:05 UTC+5:45 = 20 Jan 2026, 10:30:05 UTC"
    )
    assert exact_time(there, ZoneInfo("America/St_Johns")) == "20 Jan 2026, 07:00:05 UTC-3:30"
    assert short_time(NOW, KATHMANDU) == "20 Jan 2026, 16:15"
    assert day_and_time(NOW, NOW, KATHMANDU) == "Tuesday 16:15"
    assert day_and_time(NOW + timedelta(days=30), NOW, KATHMANDU) == "Thu 19 Feb, 16:15"
    assert day_and_time(NOW, NOW + timedelta(days=365), KATHMANDU) == "Tue 20 Jan 2026, 16:15"


@pytest.mark.parametrize(
    ("days", "day", "time"),
    [
        (0, "10:30", "10:30"),
        (-5, "Thursday", "Thursday 10:30"),
        (5, "Sunday", "Sunday 10:30"),
        (-6, "14 Jan", "14 Jan"),
        (30, "19 Feb", "19 Feb"),
        (-365, "20 Jan 2025", "20 Jan 2025"),
    ],
)
def test_a_sentence_names_a_day_by_how_near_it_is(days: int, day: str, time: str) -> None:
    at = NOW + timedelta(days=days)
    assert recent_day(at, NOW, UTC_ZONE) == day
    assert moment(at, NOW, UTC_ZONE) == time


def test_a_time_of_today_has_no_date() -> None:
    evening = NOW.replace(hour=19)
    assert time_of_today(NOW, evening, UTC_ZONE) == "10:30:05"
    assert time_of_today(NOW, evening, KATHMANDU) == "20 Jan 2026, 16:15:05"
    assert time_of_today(evening, evening, KATHMANDU) == "01:15:05"


def test_a_local_time_that_occurs_twice_has_its_offset() -> None:
    berlin, at = ZoneInfo("Europe/Berlin"), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert [short_time(at + timedelta(hours=hours), berlin) for hours in (-1, 0, 1, 2)] == [
        "25 Oct 2026, 01:30",
        "25 Oct 2026, 02:30 UTC+2",
        "25 Oct 2026, 02:30 UTC+1",
        "25 Oct 2026, 03:30",
    ]


def test_times_that_rules_write_into_a_text_become_local() -> None:
    text = f"not done by {format_instant(NOW)}"
    assert with_local_times(text, KATHMANDU) == "not done by 20 Jan 2026, 16:15:05 UTC+5:45"
    assert with_local_times("plan is 2026-01-20", KATHMANDU) == "plan is 2026-01-20"


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


@pytest.mark.parametrize(
    ("owners", "shown"),
    [
        (["ada@example.com", "ben@example.org", None], ["ada", "ben"]),
        (["ada@example.com", "Ada@Example.com"], ["ada", "Ada"]),
        (["ada@example.com", "ada@example.org"], ["ada@example.com", "ada@example.org"]),
        (["ada@example.com", "Ada"], ["ada@example.com", "Ada"]),
        (["West team", "\u200b@example.com"], ["West team", "\u200b@example.com"]),
    ],
)
def test_an_email_of_an_owner_is_shortened_unless_another_owner_is_named_alike(
    owners: list[str | None], shown: list[str]
) -> None:
    assert owner_names(owners) == dict(zip(filter(None, owners), shown, strict=True))
