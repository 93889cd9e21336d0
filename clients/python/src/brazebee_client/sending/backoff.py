"""When to try again after failures: exponentially later, and never all clients together."""

from __future__ import annotations

from dataclasses import dataclass
from random import SystemRandom

_random = SystemRandom()  # forks of a process must not wait equally long


@dataclass
class BackOff:
    """The pauses between attempts, in seconds."""

    first: float = 1.0
    longest: float = 60.0
    failures: int = 0

    def next_pause(self) -> float:
        """Return the next pause: twice as long as the last one, up to half of it left out."""
        pause = min(self.longest, self.first * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return pause * (0.5 + _random.random() / 2)

    def reset(self) -> None:
        """Begin anew, because an attempt succeeded."""
        self.failures = 0
