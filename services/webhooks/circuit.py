"""How an endpoint fares: when it is left alone, asked again, warned of, and disabled.

After so many failures in a row the circuit opens: deliveries wait, and one at a time is sent as a
probe, after pauses that double. An endpoint without any success for long is disabled.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from config.webhook_policy import WebhookPolicy


@dataclass(frozen=True)
class EndpointHealth:
    """What is known of an endpoint's answers; the circuit is open while there is a `probe_at`.

    `failures` counts those in a row, `failing_since` is the first of them. `warned_at` is when
    somebody was last told that it fails.
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
        """After one more failure; `wait` is how long the endpoint asked to be left alone.

        Only a failed probe doubles the pause, not what was under way when the circuit opened.
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
        """Whether it has failed for so long that it is disabled."""
        if self.failing_since is None or self.failures < policy.failures_to_open:
            return False
        return now - self.failing_since >= policy.disable_after

    def warning(self, now: datetime, policy: WebhookPolicy) -> timedelta | None:
        """For how long it has failed, where somebody must be told now."""
        if self.failing_since is None:
            return None
        due = [self.failing_since + after for after in policy.warn_after]
        reached = [at for at in due if at <= now]
        if not reached or (self.warned_at is not None and self.warned_at >= reached[-1]):
            return None
        return now - self.failing_since
