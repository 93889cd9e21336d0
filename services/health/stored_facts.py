"""The facts that rules ask for about a company, read from the database."""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

from models.events.bulk_lookups import EventProbe
from rules.durations import END
from rules.facts import Path, Selector
from rules.facts_in_memory import FactsInMemory, FieldChange, latest_of_each
from services.health.fact_reads import Ask, Kind, Question, field_question, read_one


class LatestTimes(NamedTuple):
    """The times of the `limit` latest events after an instant, or of all; oldest first."""

    after: datetime
    limit: int
    times: Sequence[datetime]

    def could_extend(self, since: datetime, limit: int) -> bool:
        """Whether reading more events, or further back, could add any to `limit` of them."""
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

DISTINCT_AHEAD = 100
"""Distinct users or values read beyond those that are asked for: other phrases ask for more."""

LatestBySelector = Mapping[str, LatestTimes]
"""The latest events of a company by `Selector.identity`."""


class StoredFacts:
    """The events and fields of one company; see `rules.facts.Facts`.

    The values of a window, the history of a field and the times of the latest events are read once
    and kept for all judgements of a settlement. `latest` are event times that were already read.
    `ask` answers what is not kept; by default, with a statement for each question.
    """

    def __init__(
        self,
        organization_id: int,
        company_id: int,
        external_id: str,
        first_seen_at: datetime,
        latest: LatestBySelector | None = None,
        ask: Ask | None = None,
    ) -> None:
        self.organization_id = organization_id
        self.company_id = company_id
        self.external_id = external_id
        self.first_seen_at = first_seen_at
        self._ask = ask or partial(read_one, organization_id)
        self._reads_all_since = END
        self._latest = dict(latest or {})
        self._of_each: dict[tuple[str, Path, datetime, datetime], tuple[int, list[datetime]]] = {}
        self._values: dict[tuple[str, Path], tuple[datetime, list[tuple[datetime, Any]]]] = {}
        self._fields: dict[str, tuple[datetime, FactsInMemory]] = {}

    def read_all_since(self, at: datetime) -> None:
        """Read all events that are asked for from an instant on, rather than the latest alone.

        It pays for a flag that is followed over time with the same questions at many instants.
        """
        self._reads_all_since = at

    def latest(
        self, selector: Selector, limit: int, since: datetime, until: datetime
    ) -> Sequence[datetime]:
        """See `Facts.latest`."""
        if since >= self._reads_all_since:
            return [at for at, _ in self.values(selector, (), since, until)[: -limit - 1 : -1]]
        times = self._read_latest(selector, limit, since).latest(limit, since, until)
        if times is None:
            times = self._ask_about(Kind.LATEST, selector, (), since, until, limit)
        return times

    def latest_of_each(
        self, selector: Selector, of: Path, limit: int, since: datetime, until: datetime
    ) -> Sequence[datetime]:
        """See `Facts.latest_of_each`."""
        if since >= self._reads_all_since:
            return latest_of_each(self.values(selector, of, since, until), limit)
        key = selector.identity, of, since, until
        size, latest = self._of_each.get(key, (0, []))
        if size < limit and len(latest) == size:
            size = limit + DISTINCT_AHEAD
            latest = self._ask_about(Kind.LATEST_OF_EACH, selector, of, since, until, size)
            self._of_each[key] = size, latest
        return latest[:limit]

    def values(
        self, selector: Selector, path: Path, since: datetime, until: datetime
    ) -> Sequence[tuple[datetime, Any]]:
        """See `Facts.values`."""
        key = selector.identity, path
        read_since, values = self._values.get(key, (END, []))
        if since < read_since:
            read_since = min(since, self._reads_all_since)
            values = self._ask_about(Kind.VALUES, selector, path, read_since, END)
            self._values[key] = read_since, values
        time = itemgetter(0)
        return values[bisect_right(values, since, key=time) : bisect_right(values, until, key=time)]

    def next_after(self, selector: Selector, after: datetime, until: datetime) -> datetime | None:
        """See `Facts.next_after`."""
        if after >= self._reads_all_since:
            following = self.values(selector, (), after, until)
            return following[0][0] if following else None
        times = self._latest.get(selector.identity)
        if times is None or not times.covers(after):
            first: datetime | None = self._ask_about(Kind.FIRST, selector, (), after, until)
            return first
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
        times = self._latest.get(selector.identity)
        if times is None or times.could_extend(since, limit):
            size = max(limit + READ_AHEAD, times.limit if times else 0)
            newest_first = self._ask_about(Kind.LATEST, selector, (), since, END, size)
            times = LatestTimes(since, size, newest_first[::-1])
            self._latest[selector.identity] = times
        return times

    def _ask_about(
        self,
        kind: Kind,
        selector: Selector,
        path: Path,
        since: datetime,
        until: datetime,
        limit: int = 0,
    ) -> Any:
        probe = EventProbe(self.company_id, since, until, limit)
        return self._ask(Question(kind, selector, path, probe))

    def _history(self, field: str, since: datetime) -> FactsInMemory:
        read_since, history = self._fields.get(field, (END, FactsInMemory([])))
        if since < read_since:
            read_since = min(since, self._reads_all_since)
            changes = self._ask(field_question(self.company_id, field, read_since))
            history = FactsInMemory(
                [], [FieldChange(at, name, value) for name, at, value in changes]
            )
            self._fields[field] = read_since, history
        return history
