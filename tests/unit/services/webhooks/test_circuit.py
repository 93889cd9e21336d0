from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from config.webhook_policy import WebhookPolicy
from services.webhooks.circuit import EndpointHealth

POLICY = WebhookPolicy()

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def after_failures(number: int) -> EndpointHealth:
    """Return the health after a number of failures in a row, one each second from T0 on."""
    health = EndpointHealth()
    for at in range(number):
        health = health.after_failure(T0 + seconds(at), POLICY)
    return health


# The circuit


def test_an_endpoint_that_never_failed_has_a_closed_circuit_and_no_warning() -> None:
    health = EndpointHealth()
    assert (health.failures, health.failing_since, health.probe_at) == (0, None, None)
    assert not health.is_lost(T0 + timedelta(days=1000), POLICY)
    assert health.warning(T0 + timedelta(days=1000), POLICY) is None


@pytest.mark.parametrize("failures", range(1, POLICY.failures_to_open))
def test_fewer_than_five_failures_in_a_row_leave_it_closed(failures: int) -> None:
    health = after_failures(failures)
    assert (health.failures, health.failing_since) == (failures, T0)
    assert (health.probe_at, health.probe_pause) == (None, None)


def test_the_fifth_failure_in_a_row_opens_it_for_thirty_seconds() -> None:
    health = after_failures(5)
    assert health.failing_since == T0
    assert health.probe_at == T0 + seconds(4) + seconds(30)


def test_the_pauses_between_failed_probes_double_up_to_half_an_hour() -> None:
    health, pauses = after_failures(5), []
    for _ in range(9):
        assert health.probe_at is not None
        probed_at = health.probe_at
        health = health.after_failure(probed_at, POLICY, probe=True)
        assert health.probe_at is not None
        pauses.append((health.probe_at - probed_at).total_seconds())
    assert pauses == [60, 120, 240, 480, 960, 1800, 1800, 1800, 1800]


def test_what_was_under_way_when_it_opened_counts_and_moves_no_probe() -> None:
    opened = after_failures(5)
    after = opened.after_failure(T0 + seconds(20), POLICY)
    assert after == replace(opened, failures=6)


@pytest.mark.parametrize(
    ("wait", "pause"),
    [
        (seconds(-100), seconds(30)),
        (seconds(0), seconds(30)),
        (seconds(29), seconds(30)),
        (seconds(31), seconds(31)),
        (hours(24), hours(24)),
    ],
)
def test_an_endpoint_that_asks_to_be_left_alone_for_longer_is(
    wait: timedelta, pause: timedelta
) -> None:
    health = after_failures(4).after_failure(T0, POLICY, wait=wait)
    assert health.probe_at == T0 + pause
    assert health.probe_pause == seconds(30), "what is doubled is our own pause"


def test_a_probe_that_fails_after_another_attempt_has_closed_the_circuit_opens_nothing() -> None:
    health = EndpointHealth().after_failure(T0, POLICY, probe=True)
    assert (health.failures, health.probe_at) == (1, None)


# Warned of and disabled


@pytest.mark.parametrize(
    ("failing_for", "lost"),
    [(hours(0), False), (hours(120) - MICROSECOND, False), (hours(120), True), (hours(200), True)],
)
def test_it_is_lost_after_120_hours_of_failures(failing_for: timedelta, *, lost: bool) -> None:
    assert EndpointHealth(9, failing_since=T0).is_lost(T0 + failing_for, POLICY) is lost


@pytest.mark.parametrize(
    ("warned", "failing_for", "expected"),
    [
        (None, hours(0), False),
        (None, hours(24) - MICROSECOND, False),
        (None, hours(24), True),
        (None, hours(50), True),
        (hours(24), hours(24), False),
        (hours(24), hours(72) - MICROSECOND, False),
        (hours(24), hours(72), True),
        (hours(71), hours(72), True),
        (hours(72), hours(119), False),
        (hours(80), hours(119), False),
        (None, hours(80), True),
        (hours(-1), hours(24), True),
    ],
)
def test_there_is_a_warning_after_24_hours_and_another_after_72(
    warned: timedelta | None, failing_for: timedelta, *, expected: bool
) -> None:
    health = EndpointHealth(9, failing_since=T0, warned_at=None if warned is None else T0 + warned)
    assert health.warning(T0 + failing_for, POLICY) == (failing_for if expected else None)
