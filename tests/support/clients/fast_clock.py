"""A clock on which waiting takes no time, so that an hour passes in a moment."""

import threading

from brazebee_client.clocks import Clock


class FastClock(Clock):
    """Starts at zero. Each wait lets its time pass at once, and other threads run."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self.seconds

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds
        condition.wait(0.0001)
