"""The backlog: until when all accepted events are stored; no company is judged past that."""

import math
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from queues import messages
from queues.broker import QueueBroker

INTAKE_DELAY = timedelta(milliseconds=250)
"""The longest that an event takes from its request to its row while there is no backlog."""

BEHIND = timedelta(seconds=1)
"""If events wait longer than this, storing them takes precedence. A company judged now would be
judged again for each of its waiting events; the clock judges some, and the rest when none waits."""


class Backlog:
    """The age of the oldest event that is accepted and not stored yet.

    A waiting event may be the one that keeps a company Healthy, so judging past it would end
    every backlog and outage in false alarms.
    """

    def __init__(
        self, broker: QueueBroker, now: Callable[[], datetime], *, refresh_s: float = 0.0
    ) -> None:
        """`refresh_s` is how long a reading of the queue is reused, in seconds."""
        self._broker = broker
        self._now = now
        self._refresh_s = refresh_s
        self._oldest: datetime | None = None
        self._read_at = -math.inf

    def stored_until(self) -> datetime:
        """Return the latest instant before which every accepted event is stored; now if none waits.

        Raises:
            RedisError: the queue cannot be read.
        """
        if time.monotonic() - self._read_at >= self._refresh_s:
            self._oldest = self._broker.oldest_unacknowledged(messages.EVENTS)
            self._read_at = time.monotonic()
        now = self._now()
        if self._oldest is None or now - self._oldest < INTAKE_DELAY:
            return now
        return self._oldest - INTAKE_DELAY

    def is_behind(self, *, by: timedelta = BEHIND) -> bool:
        """Read the queue and return whether an event has waited for longer than this.

        Raises:
            RedisError: the queue cannot be read.
        """
        self._read_at = -math.inf
        return self._now() - self.stored_until() > by
