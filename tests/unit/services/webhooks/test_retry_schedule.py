from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.webhook_policy import WebhookPolicy
from services.webhooks.retry_schedule import next_attempt_at

POLICY = WebhookPolicy()

NOW = datetime(2026, 1, 5, 12, 0, 0, 123456, tzinfo=UTC)
DAY = timedelta(days=1)

WAITS = {
    1: timedelta(seconds=5),
    2: timedelta(minutes=5),
    3: timedelta(minutes=30),
    4: timedelta(hours=2),
    5: timedelta(hours=5),
    6: timedelta(hours=10),
    7: timedelta(hours=14),
    8: timedelta(hours=20),
    9: timedelta(hours=24),
}
"""By the number of the failed attempt, as in the documented schedule."""

attempts_with_a_next = st.sampled_from(sorted(WAITS))


def wait_after(attempt: int, retry_after: str | None = None) -> timedelta:
    at = next_attempt_at(attempt, NOW, retry_after, POLICY)
    assert at is not None
    return at - NOW


@pytest.mark.parametrize(("attempt", "wait"), WAITS.items())
def test_each_wait_varies_by_up_to_a_fifth_either_way(attempt: int, wait: timedelta) -> None:
    waits = [wait_after(attempt) for _ in range(500)]
    assert min(waits) >= 0.8 * wait
    assert max(waits) <= 1.2 * wait
    assert min(waits) < 0.85 * wait, "waits are spread towards the lower bound"
    assert max(waits) > 1.15 * wait, "waits are spread towards the upper bound"


@pytest.mark.parametrize("attempt", [10, 11, 1_000])
def test_the_tenth_attempt_is_the_last(attempt: int) -> None:
    assert next_attempt_at(attempt, NOW, None, POLICY) is None
    assert next_attempt_at(attempt, NOW, "60", POLICY) is None


@given(attempts_with_a_next, st.integers(0, 10**12))
def test_a_retry_after_in_seconds_is_respected_up_to_a_day(attempt: int, seconds: int) -> None:
    wait = wait_after(attempt, str(seconds))
    requested = min(timedelta(seconds=seconds), DAY)
    assert wait >= requested
    assert wait == requested or 0.8 * WAITS[attempt] <= wait <= 1.2 * WAITS[attempt]


@given(attempts_with_a_next, st.integers(-(10**6), 10**6))
def test_a_retry_after_with_a_date_is_respected_up_to_a_day(attempt: int, seconds: int) -> None:
    date = (NOW + timedelta(seconds=seconds)).replace(microsecond=0)
    wait = wait_after(attempt, format_datetime(date, usegmt=True))
    requested = min(date - NOW, DAY)
    assert wait >= requested
    assert wait == requested or 0.8 * WAITS[attempt] <= wait <= 1.2 * WAITS[attempt]


def test_a_longer_retry_after_wins_over_the_schedule() -> None:
    assert wait_after(1, "60") == timedelta(minutes=1)


def test_a_longer_wait_of_the_schedule_wins_over_retry_after() -> None:
    assert wait_after(3, "60") >= timedelta(minutes=24)


def test_a_retry_after_of_a_month_is_cut_to_a_day() -> None:
    month = timedelta(days=30)
    assert wait_after(1, str(int(month.total_seconds()))) == DAY
    assert wait_after(1, format_datetime(NOW + month, usegmt=True)) == DAY


def test_a_date_without_a_zone_is_read_as_utc() -> None:
    assert wait_after(1, "Mon, 05 Jan 2026 13:00:00 -0000") == timedelta(
        minutes=59, seconds=59, microseconds=876544
    )


@pytest.mark.parametrize(
    "garbage", ["", " ", "soon", "-5", "1.5", "1e3", "5 s", "²", "٣", "0x10", "\x00", "Mon, 99 Jan"]
)
def test_a_retry_after_that_is_neither_seconds_nor_a_date_is_ignored(garbage: str) -> None:
    assert wait_after(1, garbage) <= 1.2 * WAITS[1]


def test_space_around_retry_after_does_not_matter() -> None:
    assert wait_after(1, "  60 ") == timedelta(minutes=1)


@pytest.mark.parametrize(
    "date",
    [
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 01 Jan 2030 00:00:00 +99999999999999",
        "Mon, 31 Dec 9999 23:59:59 -2300",
        "Mon, 01 Jan 0001 00:00:00 +2300",
    ],
)
def test_an_impossible_date_in_retry_after_is_harmless(date: str) -> None:
    assert 0.8 * WAITS[1] <= wait_after(1, date) <= DAY


@given(st.text() | st.from_regex(r"\AMon, \d+ Jan \d+ \d+:\d+:\d+ [+-]?\w+\Z"))
def test_no_retry_after_makes_a_wait_shorter_or_longer_than_allowed(text: str) -> None:
    assert 0.8 * WAITS[1] <= wait_after(1, text) <= DAY
