from datetime import timedelta

import pytest

from config.errors import ConfigError
from config.settings import Settings
from config.webhook_policy import LEASE, WebhookPolicy

SERVERS = {"DATABASE_URL": "postgresql://db/brazebee", "REDIS_URL": "redis://queue/0"}
SECOND, MINUTE, HOUR, DAY = (
    timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days")
)


def read(**environment: str) -> WebhookPolicy:
    return Settings.from_environment(SERVERS | environment).webhooks


def fault(**environment: str) -> str:
    with pytest.raises(ConfigError) as raised:
        read(**environment)
    return str(raised.value)


def test_every_variable_is_optional() -> None:
    assert read() == WebhookPolicy()


def test_the_defaults_are_ten_attempts_over_three_days() -> None:
    assert read().retry_delays == (
        5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR,
        24 * HOUR,
    )  # fmt: skip
    assert sum(read().retry_delays, timedelta()) > 3 * DAY


def test_everything_can_be_set() -> None:
    assert read(
        BRAZEBEE_WEBHOOK_RETRY_DELAYS="1s, 2min,3m , 4 h,5d",
        BRAZEBEE_WEBHOOK_LONGEST_RETRY_AFTER="0s",
        BRAZEBEE_WEBHOOK_TIMEOUT="45s",
        BRAZEBEE_WEBHOOK_CONNECT_TIMEOUT="10s",
        BRAZEBEE_WEBHOOK_RESPONSE_BYTES="0",
        BRAZEBEE_WEBHOOK_IN_FLIGHT="8",
        BRAZEBEE_WEBHOOK_FAILURES_TO_OPEN="3",
        BRAZEBEE_WEBHOOK_PROBE_PAUSE="1m",
        BRAZEBEE_WEBHOOK_LONGEST_PROBE_PAUSE="1h",
        BRAZEBEE_WEBHOOK_DISABLE_AFTER="10d",
        BRAZEBEE_WEBHOOK_ATTEMPTS_KEPT_FOR="90d",
        BRAZEBEE_WEBHOOK_RECOVERABLE_FOR="30d",
    ) == WebhookPolicy(
        retry_delays=(SECOND, 2 * MINUTE, 3 * MINUTE, 4 * HOUR, 5 * DAY),
        longest_retry_after=timedelta(0),
        timeout=45 * SECOND,
        connect_timeout=10 * SECOND,
        response_bytes=0,
        in_flight=8,
        failures_to_open=3,
        probe_pause=MINUTE,
        longest_probe_pause=HOUR,
        disable_after=10 * DAY,
        attempts_kept_for=90 * DAY,
        recoverable_for=30 * DAY,
    )


def test_warnings_come_after_a_fifth_and_three_fifths_of_the_time_to_disabling() -> None:
    assert read().warn_after == (24 * HOUR, 72 * HOUR)
    assert read(BRAZEBEE_WEBHOOK_DISABLE_AFTER="10h").warn_after == (2 * HOUR, 6 * HOUR)


@pytest.mark.parametrize("text", ["5", "s", "5 seconds", "-5s", "1.5h", "5s;6s", "5s,", "\u0665s"])
def test_an_invalid_duration_is_reported_with_examples(text: str) -> None:
    message = fault(BRAZEBEE_WEBHOOK_RETRY_DELAYS=text)
    assert message.startswith("BRAZEBEE_WEBHOOK_RETRY_DELAYS: ")
    assert message.endswith("is not a duration such as 15s, 30m, 2h or 5d.")


def test_an_attempt_must_end_well_within_its_lease() -> None:
    message = "BRAZEBEE_WEBHOOK_TIMEOUT: must be from 1s to 45s."
    assert fault(BRAZEBEE_WEBHOOK_TIMEOUT="46s") == message
    assert fault(BRAZEBEE_WEBHOOK_TIMEOUT="0s") == message
    assert read(BRAZEBEE_WEBHOOK_TIMEOUT="45s").timeout + 10 * SECOND < LEASE


def test_faults_of_the_policy_and_of_other_settings_are_reported_at_once() -> None:
    assert fault(
        BRAZEBEE_WEBHOOK_IN_FLIGHT="none",
        BRAZEBEE_WEBHOOK_RETRY_DELAYS="8d",
        BRAZEBEE_RATE_LIMIT="often",
    ).splitlines() == [
        "BRAZEBEE_RATE_LIMIT: `often` is not a rate; expected for example 10000/hour.",
        "BRAZEBEE_WEBHOOK_IN_FLIGHT: Not a valid integer.",
        "BRAZEBEE_WEBHOOK_RETRY_DELAYS: must be up to 30 durations, each from 1s to 7d.",
    ]
