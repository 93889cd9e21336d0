"""The facts about one company that rules may query; implemented over the database and in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

Path = tuple[str, ...]
"""Keys into nested data, outermost first, such as `("data", "source")`."""

USER: Path = ("user",)
"""The path of an event's user; other paths start with `data`."""


@dataclass(frozen=True)
class Selector:
    """Selects the events that a flag counts: by key (None is any key) and by values in their data.

    `where` lists pairs of a path below `data` and the values accepted at that path.
    """

    event_key: str | None
    where: tuple[tuple[Path, tuple[Any, ...]], ...] = ()
    identity: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Python considers selectors for `1` and `true` equal; their representations differ.
        object.__setattr__(self, "identity", repr((self.event_key, self.where)))

    def matches(self, event_key: str, data: Mapping[str, Any] | None) -> bool:
        """Return whether an event with this key and data is selected."""
        if self.event_key is not None and event_key != self.event_key:
            return False
        return all(_has_one_of(data, path, values) for path, values in self.where)


class Facts(Protocol):
    """The events and fields of one company that are known so far.

    Windows are half-open: `(since, until]`.
    """

    @property
    def first_seen_at(self) -> datetime:
        """The time of the company's first event."""
        ...

    def latest(
        self, selector: Selector, limit: int, since: datetime, until: datetime
    ) -> Sequence[datetime]:
        """Return the times of the `limit` latest matching events, newest first."""
        ...

    def latest_of_each(
        self, selector: Selector, of: Path, limit: int, since: datetime, until: datetime
    ) -> Sequence[datetime]:
        """Return the latest time of each distinct user or value: the `limit` latest, newest first.

        Events without a user or value, and null values, are left out.
        """
        ...

    def values(
        self, selector: Selector, path: Path, since: datetime, until: datetime
    ) -> Sequence[tuple[datetime, Any]]:
        """Return each matching event's time and its value at the path, oldest first.

        The value is None where the path does not exist. An empty path returns the times alone.
        """
        ...

    def next_after(self, selector: Selector, after: datetime, until: datetime) -> datetime | None:
        """Return the time of the first matching event in `(after, until]`."""
        ...

    def field(self, path: Path, at: datetime) -> Any:
        """Return the value of a company field at an instant, None if it had none."""
        ...

    def next_field_change(
        self, fields: Collection[str], after: datetime, until: datetime
    ) -> datetime | None:
        """Return the first instant in `(after, until]` at which one of these fields changed."""
        ...


def value_at(value: Any, path: Path) -> Any:
    """Return the value at a path in nested objects, None if the path does not exist."""
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
    # As in JSON, `true` is not 1, although Python considers them equal.
    return any(
        data == value and isinstance(data, bool) == isinstance(value, bool) for value in values
    )
