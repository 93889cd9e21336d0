"""Settings of webhook delivery: retries, timeouts, circuits and retention."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate

_DURATION = re.compile(r"([0-9]{1,9})\s*(s|min|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days"}

LEASE = timedelta(seconds=60)
"""How long an attempt owns its delivery; after that, another worker may take it."""


@dataclass(frozen=True)
class WebhookPolicy:
    """When deliveries are attempted, and when an endpoint is probed or disabled instead.

    The first attempt is immediate; `retry_delays` are the waits between the others. A failing
    endpoint is probed after pauses that double from `probe_pause` to `longest_probe_pause`.
    """

    retry_delays: tuple[timedelta, ...] = (
        timedelta(seconds=5),
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=5),
        timedelta(hours=10),
        timedelta(hours=14),
        timedelta(hours=20),
        timedelta(hours=24),
    )
    longest_retry_after: timedelta = timedelta(hours=24)
    connect_timeout: timedelta = timedelta(seconds=5)
    timeout: timedelta = timedelta(seconds=15)
    response_bytes: int = 16 * 1024
    in_flight: int = 2
    threads: int = 1_000
    failures_to_open: int = 5
    probe_pause: timedelta = timedelta(seconds=30)
    longest_probe_pause: timedelta = timedelta(minutes=30)
    disable_after: timedelta = timedelta(hours=120)
    attempts_kept_for: timedelta = timedelta(days=30)
    recoverable_for: timedelta = timedelta(days=14)

    @property
    def warn_after(self) -> tuple[timedelta, timedelta]:
        """When to report that an endpoint is failing: after 24 and 72 hours of the 120."""
        return self.disable_after / 5, self.disable_after * 3 / 5


class _Duration(fields.Field[timedelta]):
    """A whole number with a unit: `15s`, `30m`, `2h`, `5d`."""

    def _deserialize(self, value: str, *_args: Any, **_kwargs: Any) -> timedelta:
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValidationError(
                f"`{value.strip()}` is not a duration such as 15s, 30m, 2h or 5d."
            )
        return timedelta(**{_UNITS[match[2]]: int(match[1])})


class _Durations(fields.Field[tuple[timedelta, ...]]):
    """Comma-separated durations."""

    def _deserialize(self, value: str, *_args: Any, **_kwargs: Any) -> tuple[timedelta, ...]:
        return tuple(_Duration().deserialize(duration) for duration in value.split(","))


def _between(minimum: str, maximum: str) -> validate.Range:
    error = f"must be from {minimum} to {maximum}."
    return validate.Range(
        _Duration().deserialize(minimum), _Duration().deserialize(maximum), error=error
    )


def _check_delays(delays: tuple[timedelta, ...]) -> None:
    if len(delays) > 30 or not all(timedelta(seconds=1) <= d <= timedelta(days=7) for d in delays):
        raise ValidationError("must be up to 30 durations, each from 1s to 7d.")


class _WebhookPolicySchema(Schema):
    class Meta:
        unknown = EXCLUDE

    retry_delays = _Durations(data_key="BRAZEBEE_WEBHOOK_RETRY_DELAYS", validate=_check_delays)
    longest_retry_after = _Duration(
        data_key="BRAZEBEE_WEBHOOK_LONGEST_RETRY_AFTER", validate=_between("0s", "7d")
    )
    # An attempt, with the work before and after its request, has to end within its lease.
    timeout = _Duration(data_key="BRAZEBEE_WEBHOOK_TIMEOUT", validate=_between("1s", "45s"))
    connect_timeout = _Duration(
        data_key="BRAZEBEE_WEBHOOK_CONNECT_TIMEOUT", validate=_between("1s", "45s")
    )
    response_bytes = fields.Integer(
        data_key="BRAZEBEE_WEBHOOK_RESPONSE_BYTES", validate=validate.Range(0, 1024 * 1024)
    )
    in_flight = fields.Integer(
        data_key="BRAZEBEE_WEBHOOK_IN_FLIGHT", validate=validate.Range(1, 100)
    )
    threads = fields.Integer(
        data_key="BRAZEBEE_DELIVER_THREADS", validate=validate.Range(8, 10_000)
    )
    failures_to_open = fields.Integer(
        data_key="BRAZEBEE_WEBHOOK_FAILURES_TO_OPEN", validate=validate.Range(1, 1000)
    )
    probe_pause = _Duration(data_key="BRAZEBEE_WEBHOOK_PROBE_PAUSE", validate=_between("1s", "1d"))
    longest_probe_pause = _Duration(
        data_key="BRAZEBEE_WEBHOOK_LONGEST_PROBE_PAUSE", validate=_between("1s", "1d")
    )
    disable_after = _Duration(
        data_key="BRAZEBEE_WEBHOOK_DISABLE_AFTER", validate=_between("1h", "365d")
    )
    attempts_kept_for = _Duration(
        data_key="BRAZEBEE_WEBHOOK_ATTEMPTS_KEPT_FOR", validate=_between("1h", "3650d")
    )
    recoverable_for = _Duration(
        data_key="BRAZEBEE_WEBHOOK_RECOVERABLE_FOR", validate=_between("1h", "3650d")
    )

    @post_load
    def build(self, values: dict[str, Any], **_kwargs: Any) -> WebhookPolicy:
        return WebhookPolicy(**values)


def webhook_policy_from(environment: Mapping[str, str]) -> WebhookPolicy:
    """Read and check the variables of the policy; all of them are optional.

    Raises:
        ValidationError: variables are invalid; lists the faults of each.
    """
    policy: WebhookPolicy = _WebhookPolicySchema().load(environment)
    return policy
