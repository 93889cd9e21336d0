"""Orders of the worklist, each in both directions; what is equal is sorted as usual.

Usually the worst items come first, of these the most valuable, and of these the latest. An item
without the value or date of an order comes last in both directions.
"""

from dataclasses import dataclass
from enum import StrEnum

from models.cursors import Cursor


class Order(StrEnum):
    """What items are sorted by. `RAISED` is since when the flag is raised."""

    STATUS = "status"
    VALUE = "value"
    RENEWAL = "renewal"
    DUE = "due"
    RAISED = "raised"
    CLOSED = "closed"


@dataclass(frozen=True)
class Sorting:
    """The order of a list. `statuses` are the statuses of the rules, from best to worst."""

    by: Order = Order.STATUS
    descending: bool = True
    statuses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Key:
    """A key that items are sorted by, as SQL on `work_items i`, with its type and direction."""

    name: str
    sql: str
    kind: str
    descending: bool = True

    @property
    def order(self) -> str:
        """The key in an `order by`, where it has its name."""
        return f"{self.name}{' desc' if self.descending else ''}"


_RANK = Key("rank", "coalesce(array_position(%(statuses)s::text[], i.status), 0)::bigint", "bigint")
_USUAL = (_RANK, Key("worth", "i.worth", "bigint"), Key("id", "i.id", "bigint"))

_DAY = "(i.{} - date '1970-01-01')::bigint"
_KEYS = {
    Order.STATUS: (_RANK.sql, "bigint"),
    Order.VALUE: ("(i.value * 100)::bigint", "bigint"),
    Order.RENEWAL: (_DAY.format("renews_on"), "bigint"),
    Order.DUE: (_DAY.format("due_on"), "bigint"),
    Order.RAISED: ("i.raised_at", "timestamptz"),
    Order.CLOSED: ("coalesce(i.closed_at, 'epoch')", "timestamptz"),
}
_LAST = {True: "-9e18::bigint", False: "9e18::bigint"}
"""What an item without a value or date counts as in descending and in ascending order."""

_MAY_BE_EMPTY = (Order.VALUE, Order.RENEWAL, Order.DUE)


def keys_of(sorting: Sorting) -> tuple[Key, ...]:
    """Return the keys of an order, which no two items share."""
    sql, kind = _KEYS[sorting.by]
    if sorting.by in _MAY_BE_EMPTY:
        sql = f"coalesce({sql}, {_LAST[sorting.descending]})"
    if sorting.by is Order.STATUS:
        return Key("rank", sql, kind, sorting.descending), *_USUAL[1:]
    return Key("sort_key", sql, kind, sorting.descending), *_USUAL


def cursor_of(sorting: Sorting) -> Cursor:
    """Return the cursor of an order."""
    kinds = tuple(key.kind for key in keys_of(sorting))
    return Cursor(f"items by {sorting.by} {sorting.descending}", kinds)
