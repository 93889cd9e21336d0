"""The circuit of an endpoint: when it opens, is probed, causes a warning, and is disabled.

After a number of failures in a row the circuit opens: deliveries wait, and one at a time is sent as
a probe, after pauses that double. An endpoint without success for a long time is disabled.

A failure is a *refusal* if the endpoint answered that it does not accept this delivery. It may
accept others, so another one is sent as a probe at once. An endpoint that refuses many in a row
probably refuses all; it is probed after pauses like one that cannot be reached.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from config.webhook_policy import WebhookPolicy

REFUSED_PROBES = 20
"""Probes that are refused, one after another, before a pause. Even if four of five waiting
deliveries are refused, so many nearly always find one that is not."""


@dataclass(frozen=True)
class EndpointHealth:
    """The record of an endpoint's responses; the circuit is open while there is a `probe_at`.

    `failures` counts those in a row, `failing_since` is the time of the first of them, and
    `warned_at` that of the last warning. `refusals` counts the probes refused since a pause.
    """

    failures: int = 0
    failing_since: datetime | None = None
    warned_at: datetime | None = None
    probe_at: datetime | None = None
    probe_pause: timedelta | None = None
    refusals: int = 0

    def after_failure(
        self,
        now: datetime,
        policy: WebhookPolicy,
        *,
        probe: bool = False,
        refused: bool = False,
        wait: timedelta = timedelta(0),
    ) -> "EndpointHealth":
        """Return the health after another failure; `wait` is the `Retry-After` of the endpoint.

        Only a failed probe doubles the pause, not an attempt that was in flight when the circuit
        opened. After a refusal the next probe is due at once, unless many were refused.
        """
        failed = replace(self, failures=self.failures + 1, failing_since=self.failing_since or now)
        is_open = self.probe_at is not None
        if failed.failures < policy.failures_to_open or (is_open and not probe):
            return failed
        if refused and not is_open:
            return replace(failed, probe_at=now)
        if refused and self.refusals + 1 < REFUSED_PROBES:
            return replace(failed, probe_at=now, refusals=self.refusals + 1)
        if refused:
            wait = timedelta(0)  # it is for this delivery
        pause = policy.probe_pause
        if self.probe_pause is not None:
            pause = min(2 * self.probe_pause, policy.longest_probe_pause)
        return replace(failed, probe_pause=pause, probe_at=now + max(pause, wait), refusals=0)

    def is_lost(self, now: datetime, policy: WebhookPolicy) -> bool:
        """Whether it has failed for long enough to be disabled."""
        if self.failing_since is None or self.failures < policy.failures_to_open:
            return False
        return now - self.failing_since >= policy.disable_after

    def warning(self, now: datetime, policy: WebhookPolicy) -> timedelta | None:
        """Return for how long it has failed, if a warning is due; otherwise None."""
        if self.failing_since is None:
            return None
        due = [self.failing_since + after for after in policy.warn_after]
        reached = [at for at in due if at <= now]
        if not reached or (self.warned_at is not None and self.warned_at >= reached[-1]):
            return None
        return now - self.failing_since
