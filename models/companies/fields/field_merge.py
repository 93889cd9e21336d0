"""Merges events into the fields of companies and users: for each field, the newest event wins.

Every field stores the time of the event that set it, so the result does not depend on the order in
which events arrive, or on repetitions: a late event sets fields that are not known yet and
overwrites nothing newer.

Most events repeat the values of the newest event before them. The digest of those values is
stored, and the fields among them are stored as being as of the newest event, without a time of
their own. So a repeating event only moves the time of the newest event, and the fields need not be
read (see `models.companies.fields.field_digests`).

Fields are also sent without an event. Such an update has its own time, and is no event: each field
that it sets stores that time, and if it changes what the newest event carried, that event's digest
is forgotten. The next event is merged then, whether it repeats the one before or not.

The history of a field stores changes only. A value that arrives late, within a period in which
another value was repeated, applies in the history until the next change, or until the latest
repetition of the newest value.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import NoneType
from typing import Any
from uuid import UUID

from models.companies.fields.field_limits import LeftOut, fitting, json_bytes

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLAIN = {str, int, bool, NoneType}
"""Types whose values are equal only if their JSON is; 0.0 and -0.0 are not."""


@dataclass(frozen=True)
class FieldChange:
    """A field has this value from an instant on.

    A change that is `late` is older than the newest known value of the field; `newer` is that
    value and the latest time since when it applies, if it is a different one.
    """

    field: str
    at: datetime
    value: Any
    late: bool = False
    newer: tuple[datetime, Any] | None = None


@dataclass
class Traits:
    """The fields of one company or user: core fields have columns, custom ones are in `jsonb`.

    `fields_at` maps each field to the time when it was last sent, `changed_at` to when it last
    changed: its history has no later entry. `newest_at` is the time of the newest event, and
    `newest_fields` are the fields that it carried and that are kept, None if they are not known or
    an update has set one of them later.
    Times are in microseconds since 1970. `left_out` is about the fields that are not kept, and
    `newly_left_out` whether there were none before.
    """

    core: dict[str, Any]
    custom: dict[str, Any] = field(default_factory=dict)
    fields_at: dict[str, int] = field(default_factory=dict)
    changed_at: dict[str, int] = field(default_factory=dict)
    newest_at: int | None = None
    newest_fields: Collection[str] | None = None
    left_out: LeftOut | None = None
    newly_left_out: bool = field(default=False, compare=False)
    _stored_digest: str | None = field(default=None, compare=False, repr=False)
    _newest_sent: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def stored(  # noqa: PLR0913 -- a column each
        cls,
        core: dict[str, Any],
        custom: dict[str, Any],
        fields_at: Mapping[str, int | None],
        newest_event_at: datetime | None,
        *,
        digest: UUID | str | None,
        changed_at: dict[str, int] | None = None,
        left_out: Mapping[str, Any] | None = None,
    ) -> "Traits":
        """Read the fields from the columns of a row; see `stored_fields_at`."""
        newest_at = None if newest_event_at is None else to_microseconds(newest_event_at)
        return cls(
            core,
            custom,
            {
                name: at
                for name, own in fields_at.items()
                if (at := newest_at if own is None else own) is not None
            },
            changed_at or {},
            newest_at,
            None if digest is None else {name for name, at in fields_at.items() if at is None},
            LeftOut.stored(left_out) if left_out else None,
            _stored_digest=None if digest is None else UUID(str(digest)).hex,
        )

    @property
    def newest_event_at(self) -> datetime | None:
        """The time of the newest event; None if there was none."""
        return None if self.newest_at is None else _to_datetime(self.newest_at)

    @property
    def newest_record_at(self) -> datetime | None:
        """The time of the newest event or update; None if there was neither."""
        newest = max(self.fields_at.values(), default=self.newest_at)
        if newest is None:
            return None
        return _to_datetime(newest if self.newest_at is None else max(newest, self.newest_at))

    @property
    def stored_fields_at(self) -> dict[str, int | None]:
        """The times of the fields as they are stored: None for the fields of the newest event."""
        newest = self.newest_fields or ()
        return {name: None if name in newest else at for name, at in self.fields_at.items()}

    def digest(self, *context: Any) -> str | None:
        """Return the digest of what the newest event carried, kept or not; None if not known.

        `context` belongs to the newest event if it is one of those merged here.
        """
        if self._newest_sent is None:
            return self._stored_digest
        return digest_fields(self._newest_sent, *context)

    @property
    def unchanged_since(self) -> datetime | None:
        """Since when all fields of the newest event have had their values, as far as is known."""
        if self.newest_fields is None or self.newest_at is None:
            return None
        changed = (self.changed_at.get(name, self.newest_at) for name in self.newest_fields)
        return _to_datetime(max(changed, default=self.newest_at))

    def sent_at(self, name: str) -> datetime | None:
        """Return the time of the newest event that carried a field; None if none did."""
        microseconds = self.fields_at.get(name)
        return None if microseconds is None else _to_datetime(microseconds)

    def merge_with_history(self, sent: Mapping[str, Any], at: datetime) -> list[FieldChange]:
        """Merge the fields that an event of the time `at` carried.

        Returns the changes that may add to the history of the fields: none for a repeated value
        that has applied since before `at`.
        """
        microseconds, kept = to_microseconds(at), self._kept(sent, at)
        changes = self._merge_with_history(kept, at, microseconds)
        self._set_newest(sent, kept, microseconds)
        return changes

    def merge_update(self, sent: Mapping[str, Any], at: datetime) -> list[FieldChange]:
        """Merge fields that were sent without an event; returns what `merge_with_history` does.

        The time of the newest event stays as it is.
        """
        microseconds, kept = to_microseconds(at), self._kept(sent, at)
        changes = self._merge_with_history(kept, at, microseconds)
        newest_fields = self.newest_fields or ()
        if any(name in newest_fields and self.fields_at[name] == microseconds for name in kept):
            self.forget_newest()
        return changes

    def forget_newest(self) -> None:
        """Let each field have a time of its own, and the next event be merged in any case."""
        self.newest_fields = self._stored_digest = self._newest_sent = None

    def _merge_with_history(
        self, kept: Mapping[str, Any], at: datetime, microseconds: int
    ) -> list[FieldChange]:
        core, fields_at = self.core, self.fields_at
        changes = []
        for name, value in kept.items():
            known_at = fields_at.get(name)
            values = core if name in core else self.custom
            repeated = known_at is not None and _same(values[name], value)
            if known_at is None or microseconds >= known_at:
                fields_at[name] = microseconds
                if not repeated:
                    values[name] = value
                    self.changed_at[name] = microseconds
                    changes.append(FieldChange(name, at, value))
            elif not repeated:
                # The known value was sent again later, and applies from then on.
                self.changed_at[name] = known_at
                newer = self.sent_at(name) or at, values[name]
                changes.append(FieldChange(name, at, value, late=True, newer=newer))
            elif microseconds < self.changed_at.get(name, known_at):
                changes.append(FieldChange(name, at, value, late=True))
        return changes

    def merge(self, sent: Mapping[str, Any], at: datetime) -> None:
        """Merge the fields that an event of the time `at` carried, if they have no history."""
        microseconds = to_microseconds(at)
        kept = self._kept(sent, at)
        for name, value in kept.items():
            known_at = self.fields_at.get(name)
            if known_at is None or microseconds >= known_at:
                self.fields_at[name] = microseconds
                values = self.core if name in self.core else self.custom
                values[name] = value
        self._set_newest(sent, kept, microseconds)

    def _kept(self, sent: Mapping[str, Any], at: datetime) -> Mapping[str, Any]:
        """Return the fields that are kept, and note those that are left out."""
        kept = fitting(self.custom, sent, self.core)
        if len(kept) < len(sent):
            self.newly_left_out = self.newly_left_out or self.left_out is None
            left_out = self.left_out or LeftOut(at, ())
            self.left_out = left_out.and_others(name for name in sent if name not in kept)
        return kept

    def _set_newest(
        self, sent: Mapping[str, Any], kept: Mapping[str, Any], microseconds: int
    ) -> None:
        if self.newest_at is not None and microseconds < self.newest_at:
            return
        self.newest_at = microseconds
        if any(self.fields_at[name] != microseconds for name in kept):
            self.forget_newest()  # an update has set a field later
        else:
            self.newest_fields, self._newest_sent = kept.keys(), sent


def digest_fields(fields: Mapping[str, Any], *context: Any) -> str:
    """Return a digest that is equal only if the JSON of every field is: 128 bits, as a UUID."""
    return sha256(json_bytes([fields, *context])).hexdigest()[:32]


def to_microseconds(at: datetime) -> int:
    """Return a time in microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def _to_datetime(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _same(value: Any, other: Any) -> bool:
    """Whether the JSON of two values is the same; Python considers 1, 1.0 and True equal."""
    if type(value) is type(other) and type(value) in _PLAIN:
        return bool(value == other)
    return bool(json_bytes(value) == json_bytes(other))
