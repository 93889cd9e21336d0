"""In-memory facts, for rule tests, replays and backtests."""

from bisect import bisect_right
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from rules.durations import END
from rules.facts import USER, Path, Selector, value_at


@dataclass(frozen=True)
class Occurrence:
    """One event in memory."""

    occurred_at: datetime
    event_key: str
    data: Mapping[str, Any] | None = None
    user: Hashable = None


@dataclass(frozen=True)
class FieldChange:
    """The value that a company field took at an instant."""

    at: datetime
    field: str
    value: Any


class FactsInMemory:
    """Facts built from a list of events and field changes; see `rules.facts.Facts`."""

    def __init__(
        self,
        events: Iterable[Occurrence],
        fields: Iterable[FieldChange] = (),
        *,
        first_seen_at: datetime | None = None,
    ) -> None:
        """`first_seen_at` defaults to the time of the first event."""
        self._events = sorted(events, key=lambda event: event.occurred_at)
        self.first_seen_at = first_seen_at or (self._events[0].occurred_at if self._events else END)
        self._fields: dict[str, list[tuple[datetime, Any]]] = {}
        for change in sorted(fields, key=lambda change: change.at):
            self._fields.setdefault(change.field, []).append((change.at, change.value))
        self._matching: dict[str, list[Occurrence]] = {}
        self._times: dict[str, list[datetime]] = {}
        self._values: dict[tuple[str, Path], list[tuple[datetime, Any]]] = {}

    def latest(
        self, selector: Selector, limit: int, since: datetime, until: datetime
    ) -> Sequence[datetime]:
        """See `Facts.latest`."""
        times = self._times_of(selector)
        end = bisect_right(times, until)
        return times[max(bisect_right(times, since), end - limit) : end][::-1]

    def latest_of_each(
        self, selector: Selector, of: Path, limit: int, since: datetime, until: datetime
    ) -> Sequence[datetime]:
        """See `Facts.latest_of_each`."""
        return latest_of_each(self.values(selector, of, since, until), limit)

    def values(
        self, selector: Selector, path: Path, since: datetime, until: datetime
    ) -> Sequence[tuple[datetime, Any]]:
        """See `Facts.values`."""
        key = (selector.identity, path)
        if key not in self._values:
            self._times_of(selector)
            self._values[key] = [
                (event.occurred_at, _at_path(event, path)) for event in self._matching[key[0]]
            ]
        times = self._times_of(selector)
        return self._values[key][bisect_right(times, since) : bisect_right(times, until)]

    def next_after(self, selector: Selector, after: datetime, until: datetime) -> datetime | None:
        """See `Facts.next_after`."""
        times = self._times_of(selector)
        following = bisect_right(times, after)
        if following < len(times) and times[following] <= until:
            return times[following]
        return None

    def field(self, path: Path, at: datetime) -> Any:
        """See `Facts.field`."""
        changes = self._fields.get(path[0], [])
        until = bisect_right(changes, at, key=itemgetter(0))
        return value_at(changes[until - 1][1], path[1:]) if until else None

    def next_field_change(
        self, fields: Collection[str], after: datetime, until: datetime
    ) -> datetime | None:
        """See `Facts.next_field_change`."""
        following = []
        for field in fields:
            changes = self._fields.get(field, [])
            index = bisect_right(changes, after, key=itemgetter(0))
            following += [changes[index][0]] if index < len(changes) else []
        return min((at for at in following if at <= until), default=None)

    def _times_of(self, selector: Selector) -> list[datetime]:
        key = selector.identity
        if key not in self._times:
            self._matching[key] = [
                event for event in self._events if selector.matches(event.event_key, event.data)
            ]
            self._times[key] = [event.occurred_at for event in self._matching[key]]
        return self._times[key]


def latest_of_each(values: Sequence[tuple[datetime, Any]], limit: int) -> list[datetime]:
    """Return the latest time of each value, the `limit` latest, newest first; null is no value.

    `values` are oldest first.
    """
    times: dict[Hashable, datetime] = {}
    for at, value in reversed(values):
        if len(times) == limit:
            break
        if value is not None:
            times.setdefault(_identity(value), at)
    return list(times.values())


def _at_path(event: Occurrence, path: Path) -> Any:
    if path == USER:
        return event.user
    return value_at(event.data, path[1:]) if path else None


def _identity(value: Any) -> Hashable:
    """Return a key by which values are equal as in JSON: `true` is not 1, but 1.0 is."""
    if isinstance(value, Mapping):
        return "object", frozenset((key, _identity(item)) for key, item in value.items())
    if isinstance(value, list):
        return "list", tuple(_identity(item) for item in value)
    if isinstance(value, bool):
        return "boolean", value
    hashable: Hashable = value
    return hashable
