"""What judging may ask about one company's events; the database and memory each answer it."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

Path = tuple[str, ...]


@dataclass(frozen=True)
class Selector:
    """Which events count: their key (None is any), and the values that their data must have.

    `where` holds pairs of a path below `data` and the values of which one must stand there.
    """

    event_key: str | None
    where: tuple[tuple[Path, tuple[Any, ...]], ...] = ()

    def matches(self, event_key: str, data: Mapping[str, Any] | None) -> bool:
        """Whether an event with this key and data counts."""
        if self.event_key is not None and event_key != self.event_key:
            return False
        return all(_has_one_of(data, path, values) for path, values in self.where)


class Facts(Protocol):
    """The events of one company, as far as they are known."""

    def latest(self, selector: Selector, limit: int, until: datetime) -> Sequence[datetime]:
        """Times of the `limit` latest matching events at or before `until`, newest first."""
        ...

    def next_after(self, selector: Selector, after: datetime, until: datetime) -> datetime | None:
        """Time of the first matching event in `(after, until]`."""
        ...


@dataclass(frozen=True)
class Occurrence:
    """One event in memory."""

    occurred_at: datetime
    event_key: str
    data: Mapping[str, Any] | None = None


class FactsInMemory:
    """Facts over a list of events, for tests and replays."""

    def __init__(self, events: Iterable[Occurrence]) -> None:
        self._events = sorted(events, key=lambda event: event.occurred_at)
        # By repr, since Python calls selectors for `1` and for `true` equal.
        self._times: dict[str, list[datetime]] = {}

    def latest(self, selector: Selector, limit: int, until: datetime) -> Sequence[datetime]:
        """See `Facts.latest`."""
        times = self._matching(selector)
        end = bisect_right(times, until)
        return times[max(0, end - limit) : end][::-1]

    def next_after(self, selector: Selector, after: datetime, until: datetime) -> datetime | None:
        """See `Facts.next_after`."""
        times = self._matching(selector)
        following = bisect_right(times, after)
        if following < len(times) and times[following] <= until:
            return times[following]
        return None

    def _matching(self, selector: Selector) -> list[datetime]:
        key = repr(selector)
        if key not in self._times:
            self._times[key] = [
                event.occurred_at
                for event in self._events
                if selector.matches(event.event_key, event.data)
            ]
        return self._times[key]


def _has_one_of(data: Any, path: Path, values: tuple[Any, ...]) -> bool:
    for step in path:
        if isinstance(data, Mapping) and step in data:
            data = data[step]
        else:
            return False
    # As in JSON, `true` is not 1: Python alone would call them equal.
    return any(
        data == value and isinstance(data, bool) == isinstance(value, bool) for value in values
    )
