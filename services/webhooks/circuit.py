"""The circuit of an endpoint: when it opens, is probed, causes a warning, and is disabled.

After a number of failures in a row the circuit opens: deliveries wait, and one at a time is sent as
a probe, after pauses that double. An endpoint without success for a long time is disabled.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from config.webhook_policy import WebhookPolicy


@dataclass(frozen=True)
class EndpointHealth:
    """The record of an endpoint's responses; the circuit is open while there is a `probe_at`.

    `failures` counts those in a row, `failing_since` is the time of the first of them, and
    `warned_at` that of the last warning.
    """

    failures: int = 0
    failing_since: datetime | None = None
    warned_at: datetime | None = None
    probe_at: datetime | None = None
    probe_pause: timedelta | None = None

    def after_failure(
        self,
        now: datetime,
        policy: WebhookPolicy,
        *,
        probe: bool = False,
        wait: timedelta = timedelta(0),
    ) -> "EndpointHealth":
        """Return the health after another failure; `wait` is the `Retry-After` of the endpoint.

        Only a failed probe doubles the pause, not an attempt that was in flight when the circuit
        opened.
        """
        failed = replace(self, failures=self.failures + 1, failing_since=self.failing_since or now)
        opens = failed.failures >= policy.failures_to_open
        if not opens or (self.probe_at is not None and not probe):
            return failed
        pause = policy.probe_pause
        if self.probe_pause is not None:
            pause = min(2 * self.probe_pause, policy.longest_probe_pause)
        return replace(failed, probe_pause=pause, probe_at=now + max(pause, wait))

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
