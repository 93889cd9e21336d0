"""How many custom fields a company or a user keeps, and what is known about those left out.

Without a limit, a client that uses ids as names of fields would make each of its events rewrite a
row of megabytes, and the events of other organizations would wait for it.

The first fields are kept for good: in the order in which events are stored, and within an event in
the order in which it has them. The events of a company are stored in the order of their acceptance,
so storing them again in another process keeps the same fields.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import orjson

MOST_FIELDS = 1_000
"""Custom fields. An event with all of them takes 20 ms to store."""

MOST_BYTES = 256 * 1024
"""Bytes of all custom fields as JSON. A row of this size takes 10 ms to store."""

MOST_NAMES = 10
"""Names of fields that were left out and are kept as examples."""

LONGEST_NAME = 100
"""Characters of such a name."""

json_bytes = partial(orjson.dumps, option=orjson.OPT_SORT_KEYS)


@dataclass(frozen=True)
class LeftOut:
    """Fields of events that were left out: since when, and the first of their names.

    `since` is the time of the event for which it happened first; `more` is whether there are other
    names.
    """

    since: datetime
    names: tuple[str, ...]
    more: bool = False

    @classmethod
    def stored(cls, column: Mapping[str, Any]) -> "LeftOut":
        """Read the column of a row."""
        since = datetime.fromisoformat(column["since"])
        return cls(since, tuple(column["names"]), column["more"])

    def and_others(self, names: Iterable[str]) -> "LeftOut":
        """Return it with further names."""
        known = dict.fromkeys((*self.names, *(name[:LONGEST_NAME] for name in names)))
        return replace(
            self, names=tuple(known)[:MOST_NAMES], more=self.more or len(known) > MOST_NAMES
        )


def fitting(
    custom: Mapping[str, Any], sent: Mapping[str, Any], core: Collection[str]
) -> Mapping[str, Any]:
    """Return which of the sent fields a company or user with these custom fields keeps.

    Core fields are always kept. A custom field that is known is kept unless its new value makes
    all of them too large.
    """
    room, bytes_left = MOST_FIELDS - len(custom), MOST_BYTES - len(json_bytes(custom))
    if len(sent) <= room and len(json_bytes(sent)) <= bytes_left:
        return sent
    kept: dict[str, Any] = {}
    for name, value in sent.items():
        if name in core:
            kept[name] = value
            continue
        is_new = name not in custom
        growth = len(json_bytes({name: value}))
        if not is_new:
            growth -= len(json_bytes({name: custom[name]}))
        if growth <= max(bytes_left, 0) and (room > 0 or not is_new):
            kept[name] = value
            bytes_left -= growth
            room -= is_new
    return kept
