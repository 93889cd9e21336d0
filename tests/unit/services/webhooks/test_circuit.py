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
def test_fewer_than_five_failures_in_a_row_leave_the_circuit_closed(failures: int) -> None:
    health = after_failures(failures)
    assert (health.failures, health.failing_since) == (failures, T0)
    assert (health.probe_at, health.probe_pause) == (None, None)


def test_the_fifth_failure_in_a_row_opens_the_circuit_for_thirty_seconds() -> None:
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


def test_a_failed_attempt_in_flight_counts_but_does_not_postpone_the_probe() -> None:
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
def test_a_longer_retry_after_postpones_the_probe(wait: timedelta, pause: timedelta) -> None:
    health = after_failures(4).after_failure(T0, POLICY, wait=wait)
    assert health.probe_at == T0 + pause
    assert health.probe_pause == seconds(30), "only our own pause is doubled"


def test_a_probe_that_fails_after_the_circuit_has_closed_does_not_open_it() -> None:
    health = EndpointHealth().after_failure(T0, POLICY, probe=True)
    assert (health.failures, health.probe_at) == (1, None)


def pauses_of(health: EndpointHealth, number: int) -> list[float]:
    """Return the pauses, in seconds, after as many refusals."""
    pauses, now = [], T0
    for _ in range(number):
        health = health.after_failure(now, POLICY, probe=health.probe_at is not None, refused=True)
        assert health.probe_at is not None
        pauses.append((health.probe_at - now).total_seconds())
        now = health.probe_at
    return pauses


def test_after_a_refusal_another_probe_is_due_at_once_until_twenty_were_refused() -> None:
    expected = [*[0] * 20, 30, *[0] * 19, 60, *[0] * 19, 120]
    assert pauses_of(after_failures(4), len(expected)) == expected


@pytest.mark.parametrize("failures", [5, 9, 19])
def test_probes_follow_at_once_however_often_the_endpoint_could_not_be_reached_before(
    failures: int,
) -> None:
    health = after_failures(5)
    for _ in range(5, failures):
        health = health.after_failure(T0, POLICY, probe=True)
    assert pauses_of(health, 19) == [0] * 19


def test_a_refusal_does_not_postpone_the_probe_by_its_retry_after() -> None:
    health = after_failures(4).after_failure(T0, POLICY, refused=True, wait=hours(1))
    assert health.probe_at == T0
    for _ in range(20):
        health = health.after_failure(T0, POLICY, refused=True, probe=True, wait=hours(1))
    assert health.probe_at == T0 + seconds(30)


# Warnings and disabling


@pytest.mark.parametrize(
    ("failing_for", "lost"),
    [(hours(0), False), (hours(120) - MICROSECOND, False), (hours(120), True), (hours(200), True)],
)
def test_an_endpoint_is_lost_after_120_hours_of_failures(
    failing_for: timedelta, *, lost: bool
) -> None:
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
