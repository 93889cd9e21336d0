"""How an endpoint fares: when it is left alone, asked again, warned of, and disabled.

After `FAILURES_TO_OPEN` failures in a row the circuit opens: deliveries wait, and one at a time is
sent as a probe, after pauses that double. An endpoint without any success for `DISABLE_AFTER` is
disabled.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

FAILURES_TO_OPEN = 5
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=30)
DISABLE_AFTER = timedelta(hours=120)
WARN_AFTER = (timedelta(hours=24), timedelta(hours=72))


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
        self, now: datetime, *, probe: bool = False, wait: timedelta = timedelta(0)
    ) -> "EndpointHealth":
        """After one more failure; `wait` is how long the endpoint asked to be left alone.

        Only a failed probe doubles the pause, not what was under way when the circuit opened.
        """
        failed = replace(self, failures=self.failures + 1, failing_since=self.failing_since or now)
        if failed.failures < FAILURES_TO_OPEN or (self.probe_at is not None and not probe):
            return failed
        pause = FIRST_PAUSE
        if self.probe_pause is not None:
            pause = min(2 * self.probe_pause, LONGEST_PAUSE)
        return replace(failed, probe_pause=pause, probe_at=now + max(pause, wait))

    def is_lost(self, now: datetime) -> bool:
        """Whether it has failed for so long that it is disabled."""
        if self.failing_since is None or self.failures < FAILURES_TO_OPEN:
            return False
        return now - self.failing_since >= DISABLE_AFTER

    def warning(self, now: datetime) -> timedelta | None:
        """For how long it has failed, where somebody must be told now."""
        if self.failing_since is None:
            return None
        due = [self.failing_since + after for after in WARN_AFTER]
        reached = [at for at in due if at <= now]
        if not reached or (self.warned_at is not None and self.warned_at >= reached[-1]):
            return None
        return now - self.failing_since
