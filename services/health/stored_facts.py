"""What judging asks about a company, answered from the database."""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from models.companies import field_history
from models.events import events
from models.events.events import Selection
from rules.durations import END
from rules.facts import USER, Path, Selector
from rules.facts_in_memory import FactsInMemory, FieldChange


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


AHEAD = 16
"""Events of which the times are read besides those that decide at an instant: following a flag from
one event to the next then reads nothing more."""

LatestByKey = Mapping[str | None, LatestTimes]
"""The latest events of a company by their key, None for those of any."""


class StoredFacts:
    """The events and fields of one company; see `rules.facts.Facts`.

    What a phrase reads as a whole, the values of a window and the history of fields, is read
    once and kept for the judgements of the same settling; so are the times of the latest events.
    Those that somebody has read already are `latest`.
    """

    def __init__(
        self,
        company_id: int,
        external_id: str,
        first_seen_at: datetime,
        latest: LatestByKey | None = None,
    ) -> None:
        self.company_id = company_id
        self.external_id = external_id
        self.first_seen_at = first_seen_at
        self._latest = {Selector(key).identity: known for key, known in (latest or {}).items()}
        self._values: dict[tuple[str, Path], tuple[datetime, list[tuple[datetime, Any]]]] = {}
        self._fields: dict[str, tuple[datetime, FactsInMemory]] = {}

    def latest(
        self, selector: Selector, limit: int, since: datetime, until: datetime
    ) -> Sequence[datetime]:
        """See `Facts.latest`."""
        told = self._read_latest(selector, limit, since).latest(limit, since, until)
        if told is None:
            return events.latest(self._selection(selector, since, until), limit=limit)
        return told

    def latest_of_each(
        self, selector: Selector, of: Path, limit: int, since: datetime, until: datetime
    ) -> Sequence[datetime]:
        """See `Facts.latest_of_each`."""
        selection = self._selection(selector, since, until)
        if of == USER:
            return events.latest_of_each_user(selection, limit=limit)
        return events.latest_of_each_value(selection, of[1:], limit=limit)

    def values(
        self, selector: Selector, path: Path, since: datetime, until: datetime
    ) -> Sequence[tuple[datetime, Any]]:
        """See `Facts.values`."""
        key = selector.identity, path
        known_since, found = self._values.get(key, (END, []))
        if since < known_since:
            found = events.values(self._selection(selector, since, END), path[1:])
            self._values[key] = since, found
        times = itemgetter(0)
        return found[bisect_right(found, since, key=times) : bisect_right(found, until, key=times)]

    def next_after(self, selector: Selector, after: datetime, until: datetime) -> datetime | None:
        """See `Facts.next_after`."""
        known = self._latest.get(selector.identity)
        if known is None or not known.knows_after(after):
            return events.first(self._selection(selector, after, until))
        return known.next_after(after, until)

    def field(self, path: Path, at: datetime) -> Any:
        """See `Facts.field`."""
        if path == ("id",):
            return self.external_id
        return self._history(path[0], at).field(path, at)

    def next_field_change(
        self, fields: Collection[str], after: datetime, until: datetime
    ) -> datetime | None:
        """See `Facts.next_field_change`."""
        following = (
            self._history(name, after).next_field_change([name], after, until) for name in fields
        )
        return min((at for at in following if at), default=None)

    def _read_latest(self, selector: Selector, limit: int, since: datetime) -> LatestTimes:
        known, most = self._latest.get(selector.identity), limit + AHEAD
        if known is None or known.may_tell_more(since, most):
            most = max(most, known.most if known else 0)
            found = events.latest(self._selection(selector, since, END), limit=most)
            known = LatestTimes(since, most, found[::-1])
            self._latest[selector.identity] = known
        return known

    def _selection(self, selector: Selector, since: datetime, until: datetime) -> Selection:
        return Selection(self.company_id, selector.event_key, selector.where, since, until)

    def _history(self, field: str, since: datetime) -> FactsInMemory:
        known_since, history = self._fields.get(field, (END, FactsInMemory([])))
        if since < known_since:
            changes = field_history.of_company(self.company_id, [field], since=since)
            history = FactsInMemory(
                [], [FieldChange(at, name, value) for name, at, value in changes]
            )
            self._fields[field] = since, history
        return history
