"""How the fields of companies and users change: for each field, the newest event wins.

Every field remembers the time of the event that set it. So the outcome is the same in whatever
order events arrive, and however often; a late event fills in what is not known yet and
overwrites nothing newer.

Most events say what the newest before them said. A fingerprint of that is kept, and the fields
that it named are as of the newest event, whichever that is: so such an event only moves the time of
the newest, and nobody has to read the fields (see `models.companies.field_digests`).

Their history keeps changes only. A value that is sent late, over a stretch in which another was
repeated, holds in the history until the next change, or the latest repeat of the newest value.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from types import NoneType
from typing import Any

import orjson

json_bytes = partial(orjson.dumps, option=orjson.OPT_SORT_KEYS)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLAIN = {str, int, bool, NoneType}
"""Types of which values are equal only if they are written alike; 0.0 and -0.0 are not."""


@dataclass(frozen=True)
class FieldChange:
    """That a field had this value from an instant on.

    One that is `late` is older than the newest that is known of the field; `held` is that one, and
    since when it has held at the latest, where it is another value.
    """

    field: str
    at: datetime
    value: Any
    late: bool = False
    held: tuple[datetime, Any] | None = None


@dataclass
class Traits:
    """The fields of one company or user: core ones in columns of their own, custom ones in jsonb.

    `fields_at` holds for each field when it was last sent, `changed_at` when it last changed: its
    history has no entry after that. `newest_at` is the time of the newest event, and `newest` are
    the fields that it carried, None if that is not known. Times are in microseconds since 1970.
    """

    core: dict[str, Any]
    custom: dict[str, Any] = field(default_factory=dict)
    fields_at: dict[str, int] = field(default_factory=dict)
    changed_at: dict[str, int] = field(default_factory=dict)
    newest_at: int | None = None
    newest: Collection[str] | None = None

    @classmethod
    def stored(
        cls,
        core: dict[str, Any],
        custom: dict[str, Any],
        fields_at: Mapping[str, int | None],
        newest_at: datetime | None,
        *,
        said: object | None,
        changed_at: dict[str, int] | None = None,
    ) -> "Traits":
        """As a row has them, of which `said` is the fingerprint; see `stored_fields_at`."""
        heard = None if newest_at is None else to_microseconds(newest_at)
        return cls(
            core,
            custom,
            {
                name: at
                for name, own in fields_at.items()
                if (at := heard if own is None else own) is not None
            },
            changed_at or {},
            heard,
            None if said is None else {name for name, at in fields_at.items() if at is None},
        )

    @property
    def newest_event_at(self) -> datetime | None:
        """The time of the newest event; None if there was none."""
        return None if self.newest_at is None else _moment(self.newest_at)

    @property
    def stored_fields_at(self) -> dict[str, int | None]:
        """The times of the fields as they are stored, None for those of the newest event."""
        newest = self.newest or ()
        return {name: None if name in newest else at for name, at in self.fields_at.items()}

    def digest(self, *about: Any) -> str | None:
        """That of an event which says what the newest one said; None if that is not known."""
        if self.newest is None:
            return None
        core, custom = self.core, self.custom
        said = {name: core[name] if name in core else custom[name] for name in self.newest}
        return digest_fields(said, *about)

    @property
    def unchanged_since(self) -> datetime | None:
        """Since when all that the newest event said has been said, as far as the history tells."""
        if not self.newest or self.newest_at is None:
            return None
        changed = (self.changed_at.get(name, self.newest_at) for name in self.newest)
        return _moment(max(changed))

    def sent_at(self, name: str) -> datetime | None:
        """The time of the newest event that carried a field; None if none did."""
        micros = self.fields_at.get(name)
        return None if micros is None else _moment(micros)

    def merge_with_history(self, sent: Mapping[str, Any], at: datetime) -> list[FieldChange]:
        """Take over what an event of the time `at` said, field by field.

        Returns what that may add to the history of the fields: nothing for a value said again
        that has held since before `at`.
        """
        micros = to_microseconds(at)
        core, fields_at = self.core, self.fields_at
        changes = []
        for name, value in sent.items():
            known_at = fields_at.get(name)
            held_in = core if name in core else self.custom
            said_again = known_at is not None and _same(held_in[name], value)
            if known_at is None or micros >= known_at:
                fields_at[name] = micros
                if not said_again:
                    held_in[name] = value
                    self.changed_at[name] = micros
                    changes.append(FieldChange(name, at, value))
            elif not said_again:
                # What is known now was said again later, and holds from then on.
                self.changed_at[name] = known_at
                held = self.sent_at(name) or at, held_in[name]
                changes.append(FieldChange(name, at, value, late=True, held=held))
            elif micros < self.changed_at.get(name, known_at):
                changes.append(FieldChange(name, at, value, late=True))
        self._hear(sent, micros)
        return changes

    def merge(self, sent: Mapping[str, Any], at: datetime) -> None:
        """The same where there is no history."""
        micros = to_microseconds(at)
        for name, value in sent.items():
            known_at = self.fields_at.get(name)
            if known_at is None or micros >= known_at:
                self.fields_at[name] = micros
                held_in = self.core if name in self.core else self.custom
                held_in[name] = value
        self._hear(sent, micros)

    def _hear(self, sent: Mapping[str, Any], micros: int) -> None:
        if self.newest_at is None or micros >= self.newest_at:
            self.newest_at, self.newest = micros, sent.keys()


def digest_fields(said: Mapping[str, Any], *about: Any) -> str:
    """Of what an event says: the same only if every field is written alike. 128 bits as a UUID."""
    return sha256(json_bytes([said, *about])).hexdigest()[:32]


def to_microseconds(at: datetime) -> int:
    """Since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are written alike; Python takes 1, 1.0 and true for one."""
    if type(one) is type(other) and type(one) in _PLAIN:
        return bool(one == other)
    return bool(json_bytes(one) == json_bytes(other))
