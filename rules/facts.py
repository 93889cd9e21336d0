"""What judging may ask about one company; the database and memory each answer it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

Path = tuple[str, ...]
"""Steps down into nested data, such as `("data", "source")`."""

USER: Path = ("user",)
"""Names the user of an event, where a path below `data` names one of its values."""


@dataclass(frozen=True)
class Selector:
    """Which events count: their key (None is any), and the values that their data must have.

    `where` holds pairs of a path below `data` and the values of which one must stand there.
    """

    event_key: str | None
    where: tuple[tuple[Path, tuple[Any, ...]], ...] = ()
    identity: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Python calls selectors for `1` and for `true` equal; their texts differ.
        object.__setattr__(self, "identity", repr((self.event_key, self.where)))

    def matches(self, event_key: str, data: Mapping[str, Any] | None) -> bool:
        """Whether an event with this key and data counts."""
        if self.event_key is not None and event_key != self.event_key:
            return False
        return all(_has_one_of(data, path, values) for path, values in self.where)


class Facts(Protocol):
    """The events and fields of one company, as far as they are known.

    Windows are half open: `(since, until]`.
    """

    @property
    def first_seen_at(self) -> datetime:
        """The time of the company's first event."""
        ...

    def latest(
        self, selector: Selector, limit: int, since: datetime, until: datetime
    ) -> Sequence[datetime]:
        """Times of the `limit` latest matching events, newest first."""
        ...

    def latest_of_each(
        self, selector: Selector, of: Path, limit: int, since: datetime, until: datetime
    ) -> Sequence[datetime]:
        """The last time of each distinct user or value, the `limit` latest of them, newest first.

        Events that have none, and values that are null, are left out.
        """
        ...

    def values(
        self, selector: Selector, path: Path, since: datetime, until: datetime
    ) -> Sequence[tuple[datetime, Any]]:
        """Each matching event's time and what stands at the path (None if nothing), oldest first.

        An empty path asks for the times alone.
        """
        ...

    def next_after(self, selector: Selector, after: datetime, until: datetime) -> datetime | None:
        """Time of the first matching event in `(after, until]`."""
        ...

    def field(self, path: Path, at: datetime) -> Any:
        """What a field of the company said at an instant, None if nothing."""
        ...

    def next_field_change(
        self, fields: Collection[str], after: datetime, until: datetime
    ) -> datetime | None:
        """The first instant in `(after, until]` at which one of these fields changed."""
        ...


def value_at(value: Any, path: Path) -> Any:
    """What stands at a path in nested objects, None if nothing."""
    for step in path:
        if not isinstance(value, Mapping) or step not in value:
            return None
        value = value[step]
    return value


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
