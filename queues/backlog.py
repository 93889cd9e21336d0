"""Up to when all accepted events are stored, so that health can be judged without them missing."""

import math
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from queues import messages
from queues.broker import QueueBroker

EVENTS_ON_THEIR_WAY = timedelta(milliseconds=250)
"""From being posted to being in its table an event takes a moment; judging waits this long."""

BEHIND = timedelta(seconds=1)
"""While events wait this long, storing them comes first. A company judged now would be judged again
with each of its events that wait; the clock judges some meanwhile, and all when none waits."""


class Horizon:
    """Looks at the queue for the oldest event that is not stored yet.

    An event that still waits may be the one that keeps a company Healthy: judging past it would
    end every backlog and outage in false alarms.
    """

    def __init__(
        self, broker: QueueBroker, now: Callable[[], datetime], *, look_every: float = 0.0
    ) -> None:
        """`look_every` is in seconds; in between, what was seen last is taken to hold."""
        self._broker = broker
        self._now = now
        self._look_every = look_every
        self._oldest: datetime | None = None
        self._looked_at = -math.inf

    def known_until(self) -> datetime:
        """The latest instant up to which no accepted event is missing: now, unless some wait.

        Raises:
            RedisError: the queue cannot be looked at.
        """
        if time.monotonic() - self._looked_at >= self._look_every:
            self._oldest = self._broker.oldest_unacknowledged(messages.EVENTS)
            self._looked_at = time.monotonic()
        now = self._now()
        if self._oldest is None or now - self._oldest < EVENTS_ON_THEIR_WAY:
            return now
        return self._oldest - EVENTS_ON_THEIR_WAY

    def is_behind(self, *, by: timedelta = BEHIND) -> bool:
        """Whether an event waits for so long at this moment.

        Raises:
            RedisError: the queue cannot be looked at.
        """
        self._looked_at = -math.inf
        return self._now() - self.known_until() > by
