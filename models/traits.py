"""How the fields of companies and users change: for each field, the newest event wins.

Every field remembers the time of the event that set it. So the outcome is the same in whatever
order events arrive, and however often; a late event fills in what is not known yet and
overwrites nothing newer.

Their history keeps changes only. A value that is sent late, over a stretch in which another was
repeated, holds in the history until the next change, or the latest repeat of the newest value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import orjson

json_bytes = partial(orjson.dumps, option=orjson.OPT_SORT_KEYS)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Change:
    """That a field had this value from an instant on.

    `held` is what was known to hold after it, and since when at the latest; None if this is the
    newest that is known.
    """

    field: str
    at: datetime
    value: Any
    held: tuple[datetime, Any] | None = None


@dataclass
class Traits:
    """The fields of one company or user: core ones in columns of their own, custom ones in jsonb.

    `fields_at` holds, for each field that was ever sent, microseconds since 1970.
    """

    core: dict[str, Any]
    custom: dict[str, Any] = field(default_factory=dict)
    fields_at: dict[str, int] = field(default_factory=dict)

    def said_at(self, name: str) -> datetime | None:
        """The time of the newest event that carried a field; None if none did."""
        micros = self.fields_at.get(name)
        return None if micros is None else _EPOCH + timedelta(microseconds=micros)

    def merge(self, sent: Mapping[str, Any], at: datetime) -> list[Change]:
        """Take over what an event of the time `at` said, field by field.

        Returns what that may add to the history of the fields: nothing for the newest value
        said again.
        """
        micros = (at - _EPOCH) // timedelta(microseconds=1)
        changes = []
        for name, value in sent.items():
            known_at = self.fields_at.get(name)
            held_in = self.core if name in self.core else self.custom
            if known_at is not None and micros < known_at:
                # What is known now was said again later, and holds from then on.
                confirmed_at = self.said_at(name) or at
                changes.append(Change(name, at, value, held=(confirmed_at, held_in[name])))
                continue
            if known_at is None or json_bytes(held_in[name]) != json_bytes(value):
                changes.append(Change(name, at, value))
            self.fields_at[name] = micros
            held_in[name] = value
        return changes
