"""The facts that rules ask for about a company, read from the database."""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from models.companies.fields import field_history
from models.events import events
from models.events.events import Selection
from rules.durations import END
from rules.facts import USER, Path, Selector
from rules.facts_in_memory import FactsInMemory, FieldChange


@dataclass(frozen=True)
class LatestTimes:
    """The times of the `limit` latest events after an instant, or of all; oldest first."""

    after: datetime
    limit: int
    times: Sequence[datetime]

    def could_extend(self, since: datetime, limit: int) -> bool:
        """Whether reading more events, or further back, could add any."""
        return self.limit < limit or (len(self.times) < self.limit and since < self.after)

    def covers(self, since: datetime) -> bool:
        """Whether these are all events after an instant."""
        if len(self.times) < self.limit:
            return since >= self.after
        # Some events at the very first of these instants may have been left out.
        return since >= max(self.after, self.times[0])

    def latest(self, limit: int, since: datetime, until: datetime) -> Sequence[datetime] | None:
        """Return the `limit` latest in `(since, until]`, newest first; None if not covered."""
        end = bisect_right(self.times, until)
        if end < limit and not self.covers(since):
            return None
        return self.times[max(bisect_right(self.times, since), end - limit) : end][::-1]

    def next_after(self, after: datetime, until: datetime) -> datetime | None:
        """Return the first in `(after, until]`, provided that `after` is covered."""
        index = bisect_right(self.times, after)
        return self.times[index] if index < len(self.times) and self.times[index] <= until else None


READ_AHEAD = 16
"""Event times read beyond those that decide at an instant, so that following a flag from one event
to the next reads nothing more."""

LatestByKey = Mapping[str | None, LatestTimes]
"""The latest events of a company by event key; None is events of any key."""


class StoredFacts:
    """The events and fields of one company; see `rules.facts.Facts`.

    The values of a window, the history of a field and the times of the latest events are read once
    and kept for all judgements of a settlement. `latest` are event times that were already read.
    """

    def __init__(
        self,
        organization_id: int,
        company_id: int,
        external_id: str,
        first_seen_at: datetime,
        latest: LatestByKey | None = None,
    ) -> None:
        self.organization_id = organization_id
        self.company_id = company_id
        self.external_id = external_id
        self.first_seen_at = first_seen_at
        self._latest = {Selector(key).identity: times for key, times in (latest or {}).items()}
        self._values: dict[tuple[str, Path], tuple[datetime, list[tuple[datetime, Any]]]] = {}
        self._fields: dict[str, tuple[datetime, FactsInMemory]] = {}

    def latest(
        self, selector: Selector, limit: int, since: datetime, until: datetime
    ) -> Sequence[datetime]:
        """See `Facts.latest`."""
        times = self._read_latest(selector, limit, since).latest(limit, since, until)
        if times is None:
            return events.find_latest(self._selection(selector, since, until), limit=limit)
        return times

    def latest_of_each(
        self, selector: Selector, of: Path, limit: int, since: datetime, until: datetime
    ) -> Sequence[datetime]:
        """See `Facts.latest_of_each`."""
        selection = self._selection(selector, since, until)
        if of == USER:
            return events.find_latest_by_user(selection, limit=limit)
        return events.find_latest_by_value(selection, of[1:], limit=limit)

    def values(
        self, selector: Selector, path: Path, since: datetime, until: datetime
    ) -> Sequence[tuple[datetime, Any]]:
        """See `Facts.values`."""
        key = selector.identity, path
        read_since, values = self._values.get(key, (END, []))
        if since < read_since:
            values = events.read_values(self._selection(selector, since, END), path[1:])
            self._values[key] = since, values
        time = itemgetter(0)
        return values[bisect_right(values, since, key=time) : bisect_right(values, until, key=time)]

    def next_after(self, selector: Selector, after: datetime, until: datetime) -> datetime | None:
        """See `Facts.next_after`."""
        times = self._latest.get(selector.identity)
        if times is None or not times.covers(after):
            return events.find_first(self._selection(selector, after, until))
        return times.next_after(after, until)

    def field(self, path: Path, at: datetime) -> Any:
        """See `Facts.field`."""
        if path == ("id",):
            return self.external_id
        return self._history(path[0], at).field(path, at)

    def next_field_change(
        self, fields: Collection[str], after: datetime, until: datetime
    ) -> datetime | None:
        """See `Facts.next_field_change`."""
        changes = (
            self._history(name, after).next_field_change([name], after, until) for name in fields
        )
        return min((at for at in changes if at), default=None)

    def _read_latest(self, selector: Selector, limit: int, since: datetime) -> LatestTimes:
        times, size = self._latest.get(selector.identity), limit + READ_AHEAD
        if times is None or times.could_extend(since, size):
            size = max(size, times.limit if times else 0)
            newest_first = events.find_latest(self._selection(selector, since, END), limit=size)
            times = LatestTimes(since, size, newest_first[::-1])
            self._latest[selector.identity] = times
        return times

    def _selection(self, selector: Selector, since: datetime, until: datetime) -> Selection:
        return Selection(
            self.organization_id,
            self.company_id,
            selector.event_key,
            selector.where,
            since,
            until,
        )

    def _history(self, field: str, since: datetime) -> FactsInMemory:
        read_since, history = self._fields.get(field, (END, FactsInMemory([])))
        if since < read_since:
            changes = field_history.read_for_company(
                self.organization_id, self.company_id, [field], since=since
            )
            history = FactsInMemory(
                [], [FieldChange(at, name, value) for name, at, value in changes]
            )
            self._fields[field] = since, history
        return history
