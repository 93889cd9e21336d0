"""The backlog: until when a company's accepted events are stored; it is not judged past that."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from queues import messages
from queues.broker import QueueBroker
from queues.clock_differences import ClockDifference
from queues.lanes.lane import UNRESOLVED, Lane
from queues.lanes.lane_queue import LaneQueue

GRACE = timedelta(milliseconds=200)
"""Changes by time are judged this long after the fact: the longest that a request takes from its
client until its events are in the journal, while nothing is overloaded."""

REFRESH = timedelta(milliseconds=50)
"""How long the threads of a worker share one reading of the backlog."""

DUE_AFTER = GRACE + REFRESH
"""A change by time is enqueued this long after the fact, so that it is judged at once."""

BEHIND = timedelta(seconds=1)
"""If events wait longer than this, storing them takes precedence. A company judged now would be
judged again for each of its waiting events; the clock judges some, and the rest when none waits."""

LONGEST_UNKNOWN = timedelta(hours=1)
"""An event that was accepted before the clock of Redis was set back may have waited this long."""


@dataclass(frozen=True)
class StoredUntil:
    """The lanes with events that are not stored yet, as of `now`.

    `oldest` has the time of the oldest of these events by lane; `former` that of the oldest message
    of the release before, which may be about any company. `now` is the present by the earlier of
    two clocks, that of this machine and that of Redis, which gives events their times, and
    `latest_now` by the later one.
    """

    now: datetime
    oldest: Mapping[Lane, datetime] = field(default_factory=dict)
    former: datetime | None = None
    latest_now: datetime | None = None

    def of(self, organization_id: int, company: str) -> datetime:
        """Return the instant up to which all accepted events of a company are stored.

        The company is named by the client's own id.
        """
        partition = Lane.of_company(organization_id, company)
        unresolved = Lane(organization_id, UNRESOLVED)  # it may have events of any company
        lanes = (partition, partition._replace(company=company), unresolved)
        waiting = [self.oldest[lane] for lane in lanes if lane in self.oldest]
        if self.former is not None:
            waiting.append(self.former)
        return min(self.now, *waiting) if waiting else self.now

    def partitions_behind(self, by: timedelta) -> dict[Lane, datetime]:
        """Return the partitions with an event that has waited for longer than this.

        Among them is the lane for what names no company.
        """
        return {
            lane: oldest
            for lane, oldest in self.oldest.items()
            if lane.company is None and self.now - oldest > by
        }

    def organizations_behind(self, by: timedelta) -> frozenset[int | None]:
        """Return the organizations with a partition that is behind; None means all of them."""
        behind = {lane.organization_id for lane in self.partitions_behind(by)}
        former: set[None] = {None} if self.former and self.now - self.former > by else set()
        return frozenset(behind | former)

    @property
    def longest_wait(self) -> timedelta:
        """How long the oldest event has waited to be stored."""
        waiting = [*self.oldest.values(), *([self.former] if self.former else [])]
        return max((self.now - oldest for oldest in waiting), default=timedelta(0))


class Backlog:
    """Reads what is accepted and not stored yet.

    A waiting event may be the one that keeps a company Healthy, so judging past it would end
    every backlog and outage in false alarms.
    """

    def __init__(
        self,
        broker: QueueBroker,
        now: Callable[[], datetime],
        *,
        refresh: timedelta = timedelta(0),
    ) -> None:
        """`refresh` is how long a reading is reused."""
        self._broker = broker
        self._journal = LaneQueue.of_events(broker.client)
        self._now = now
        self._refresh_s = refresh.total_seconds()
        self._read_at = -math.inf
        self._reading = StoredUntil(now())
        self._difference = ClockDifference("Redis")

    def read(self) -> StoredUntil:
        """Return what waits; read it before the rows that are judged.

        Raises:
            RedisError: the journal cannot be read.
        """
        if time.monotonic() - self._read_at >= self._refresh_s:
            now = self._now()  # before reading: what is accepted meanwhile may be missed
            read_at = time.monotonic()
            journal = self._journal.read_waiting()
            self._difference.note(now, journal.at)
            unknown = journal.at - LONGEST_UNKNOWN
            self._reading = StoredUntil(
                min(now, journal.at),
                {waiting.lane: waiting.oldest_at or unknown for waiting in journal.lanes},
                self._broker.oldest_unacknowledged(messages.EVENTS),
                latest_now=max(now, journal.at),
            )
            self._read_at = read_at
        return self._reading

    def oldest_unresolved(self, organization_id: int) -> datetime | None:
        """Return when the oldest record was accepted that names no company, as of this moment.

        None if there is none. It may be about any company of the organization.

        Raises:
            RedisError: the journal cannot be read.
        """
        return self._journal.oldest_of(Lane(organization_id, UNRESOLVED))
