"""How the fields of companies and users change: for each field, the newest event wins.

Every field remembers the time of the event that set it. So the outcome is the same in whatever
order events arrive, and however often; a late event fills in what is not known yet and
overwrites nothing newer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Traits:
    """The fields of one company or user: core ones in columns of their own, custom ones in jsonb.

    `fields_at` holds, for each field that was ever sent, microseconds since 1970.
    """

    core: dict[str, Any]
    custom: dict[str, Any] = field(default_factory=dict)
    fields_at: dict[str, int] = field(default_factory=dict)

    def merge(self, sent: Mapping[str, Any], at: datetime) -> None:
        """Take over what an event of the time `at` said, field by field."""
        micros = (at - _EPOCH) // timedelta(microseconds=1)
        for name, value in sent.items():
            if micros >= self.fields_at.get(name, micros):
                self.fields_at[name] = micros
                (self.core if name in self.core else self.custom)[name] = value
