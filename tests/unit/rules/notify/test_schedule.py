"""When messages may be sent, compared with a look at every minute, over both changes of clocks."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.language.parser import parse_digest, parse_quiet
from rules.notify.schedule import (
    AT_ONCE,
    EVERY_DAY,
    Digest,
    Hours,
    Quiet,
    Schedule,
    is_at_night,
)

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC")
"""Summer time begins and ends in all but the last, by half an hour in Lord Howe."""

CHANGES = (
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
)
"""The instants at which clocks of these zones are put forward or back."""

MINUTE = timedelta(minutes=1)

times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
near_changes = st.builds(
    lambda change, minutes: change + timedelta(minutes=minutes),
    st.sampled_from(CHANGES),
    st.integers(-3_000, 3_000),
)
hours = st.builds(Hours, times, times).filter(lambda hours: hours.start != hours.end)
quiets = st.builds(
    Quiet,
    st.lists(hours, max_size=2).map(tuple),
    st.frozensets(st.integers(0, 6), max_size=3),
    st.sampled_from(ZONES),
).filter(lambda quiet: not quiet.is_endless)
digests = st.builds(
    Digest, st.frozensets(st.integers(0, 6), min_size=1), times, st.sampled_from(ZONES)
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(quiets, near_changes)
def test_quiet_ends_at_the_first_minute_that_is_not_quiet(quiet: Quiet, at: datetime) -> None:
    end = quiet.end(at)
    minute = at
    while quiet.holds(minute):
        minute += MINUTE
    assert end == minute


@given(digests, near_changes)
def test_there_is_one_digest_for_each_of_its_days(digest: Digest, at: datetime) -> None:
    instants = [at]
    while len(instants) < 12:
        instants.append(digest.next_after(instants[-1]))
    assert all(earlier < later for earlier, later in pairwise(instants))
    days = [instant.astimezone(ZoneInfo(digest.zone)).date() for instant in instants[1:]]
    expected: list[date] = []
    day = days[0]
    while len(expected) < len(days):
        if day.weekday() in digest.days:
            expected.append(day)
        day += timedelta(days=1)
    assert days == expected


@given(digests, st.lists(near_changes, min_size=1, max_size=30))
def test_every_change_is_in_the_digest_that_ends_its_stretch(
    digest: Digest, changes: list[datetime]
) -> None:
    schedule = Schedule(digest=digest)
    for at in changes:
        due = schedule.due(at)
        assert due > at
        before = digest.next_after(due - timedelta(days=8))
        while (following := digest.next_after(before)) < due:
            before = following
        assert before <= at or before == due


@pytest.mark.parametrize(
    ("at", "sent"),
    [
        ("2026-03-27 16:59", "2026-03-27 16:59:02"),
        ("2026-03-27 17:00", "2026-03-30 06:00:00"),
        ("2026-03-29 00:30", "2026-03-30 06:00:00"),
        ("2026-10-23 16:00", "2026-10-26 07:00:00"),
        ("2026-10-25 00:30", "2026-10-26 07:00:00"),
    ],
)
def test_quiet_hours_follow_the_clock_of_their_zone(at: str, sent: str) -> None:
    """18:00 in Berlin is 17:00 UTC before the change of March, and 16:00 UTC until October's."""
    quiet = parse_quiet("18:00-08:00 and weekends in Europe/Berlin")
    assert Schedule(quiet=quiet).due(utc(at)) == utc(sent)


def test_a_digest_follows_the_clock_of_its_zone() -> None:
    digest = parse_digest("Mondays at 08:00 in Europe/Berlin")
    assert digest.next_after(utc("2026-03-23 07:00")) == utc("2026-03-30 06:00")
    assert digest.next_after(utc("2026-10-19 06:00")) == utc("2026-10-26 07:00")


def test_a_time_that_a_change_skips_or_repeats_has_one_digest() -> None:
    digest = Digest(EVERY_DAY, time(2, 30), "Europe/Berlin")
    assert digest.next_after(utc("2026-03-28 12:00")) == utc("2026-03-29 01:30")
    assert digest.next_after(utc("2026-03-29 01:30")) == utc("2026-03-30 00:30")
    assert digest.next_after(utc("2026-10-24 12:00")) == utc("2026-10-25 00:30")
    assert digest.next_after(utc("2026-10-25 00:30")) == utc("2026-10-26 01:30")


def test_what_follows_within_the_time_is_sent_together_after_quiet_hours() -> None:
    quiet = Quiet((Hours(time(18), time(8)),), frozenset(), "UTC")
    schedule = Schedule(timedelta(minutes=10), quiet)
    assert schedule.due(utc("2026-01-05 09:00")) == utc("2026-01-05 09:10")
    assert schedule.due(utc("2026-01-05 17:55")) == utc("2026-01-06 08:00")
    assert AT_ONCE.due(utc("2026-01-05 09:00")) == utc("2026-01-05 09:00:02")


def test_the_night_is_that_of_the_zone() -> None:
    assert is_at_night(utc("2026-01-05 21:30"), "Europe/Berlin")
    assert not is_at_night(utc("2026-01-05 21:30"), None)
