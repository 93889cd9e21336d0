"""The time by which the client waits; tests pass one that runs faster."""

from __future__ import annotations

import threading
import time


class Clock:
    """Seconds of a clock that never goes back."""

    def now(self) -> float:
        """Return the present."""
        return time.monotonic()

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Wait until somebody notifies a condition, which the caller holds, or the time is up."""
        condition.wait(seconds)
