"""The latest events of one selection, read once for all that a judgement asks about them."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class LatestTimes:
    """The times of the latest events after an instant, at most so many of them, oldest first."""

    after: datetime
    most: int
    times: Sequence[datetime]

    def may_tell_more(self, since: datetime, most: int) -> bool:
        """Whether reading on, further back or more of them, would tell more."""
        return self.most < most or (len(self.times) < self.most and since < self.after)

    def knows_after(self, since: datetime) -> bool:
        """Whether these are all events after an instant."""
        if len(self.times) < self.most:
            return since >= self.after
        # Of those at the very first instant, some may have been left out.
        return since >= max(self.after, self.times[0])

    def latest(self, limit: int, since: datetime, until: datetime) -> Sequence[datetime] | None:
        """The `limit` latest in `(since, until]`, newest first; None if these do not tell."""
        end = bisect_right(self.times, until)
        if end < limit and not self.knows_after(since):
            return None
        return self.times[max(bisect_right(self.times, since), end - limit) : end][::-1]

    def next_after(self, after: datetime, until: datetime) -> datetime | None:
        """The first in `(after, until]`, if these are all after `after`."""
        place = bisect_right(self.times, after)
        return self.times[place] if place < len(self.times) and self.times[place] <= until else None
