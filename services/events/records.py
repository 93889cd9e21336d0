"""The records of the journal: events, updates of fields, and either without its company.

Most records are events, so `read_record` decides by two values of a message and reads the rest
once. Updates have a class of their own: nothing of them is counted or stored but the fields.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from queues.lanes.lane_queue import FORMAT
from services.events.entries import accepted_at as time_of_acceptance
from services.events.entries import as_text
from services.events.tracked_event import (
    ACCEPTED_AT,
    TrackedEvent,
    UnreadableEvent,
    is_late,
    read_times,
)


class FieldUpdate(NamedTuple):
    """Fields of a company, of a user, or of both, which were sent without an event.

    `company` and `user` have every field that was sent except the id. Fields are merged as those of
    an event of the time `occurred_at` would be. A user with a company belongs to it from then on;
    without one, `company_id` is None and `company` is empty, and the user stays where they are.
    """

    organization_id: int
    key_id: int | None
    company_id: str | None
    company: Mapping[str, Any]
    user_id: str | None
    user: Mapping[str, Any]
    occurred_at: datetime
    received_at: datetime

    @property
    def is_late(self) -> bool:
        """See `TrackedEvent.is_late`."""
        return is_late(self.occurred_at, self.received_at)

    @property
    def takes_effect_at(self) -> datetime:
        """See `TrackedEvent.takes_effect_at`."""
        return self.received_at if self.is_late else self.occurred_at


class UnresolvedRecord(NamedTuple):
    """An event or an update of a user whose company the sender did not name.

    An update has no `event_key`. `message` is the whole content, for when the record has to wait;
    `journal_id` is the entry's lane and id in the journal, if it comes from there.
    """

    organization_id: int
    key_id: int | None
    event_id: str | None
    event_key: str | None
    user_id: str
    user: Mapping[str, Any]
    data: dict[str, Any] | None
    occurred_at: datetime
    received_at: datetime
    message: Mapping[str, Any]
    journal_id: str | None = None

    @property
    def company_id(self) -> None:
        """No company is named."""
        return

    @property
    def is_event(self) -> bool:
        """Whether it is an event, not an update."""
        return self.event_key is not None

    @property
    def historical(self) -> bool:
        """See `TrackedEvent`."""
        return self.message.get("historical") is True

    @property
    def content(self) -> bytes:
        """The content of its entry in the journal, with the time of its acceptance."""
        return orjson.dumps({**self.message, ACCEPTED_AT: self.received_at})

    def of_company(self, company_id: str) -> "PlacedRecord":
        """Return what it is for a user of this company, named by the client's own id."""
        if self.event_id is not None and self.event_key is not None:
            return TrackedEvent(
                organization_id=self.organization_id,
                key_id=self.key_id,
                event_id=self.event_id,
                event_key=self.event_key,
                company_id=company_id,
                company={},
                user_id=self.user_id,
                user=self.user,
                data=self.data,
                occurred_at=self.occurred_at,
                received_at=self.received_at,
                historical=self.historical,
            )
        return FieldUpdate(
            organization_id=self.organization_id,
            key_id=self.key_id,
            company_id=None,
            company={},
            user_id=self.user_id,
            user=self.user,
            occurred_at=self.occurred_at,
            received_at=self.received_at,
        )


PlacedRecord = TrackedEvent | FieldUpdate
"""A record that can be stored: its company is known, or it needs none."""

Record = TrackedEvent | FieldUpdate | UnresolvedRecord


def events_among(records: Sequence[Record]) -> list[TrackedEvent | UnresolvedRecord]:
    """Return the records that are events, whether or not their company is known."""
    return [
        record
        for record in records
        if isinstance(record, TrackedEvent)
        or (isinstance(record, UnresolvedRecord) and record.is_event)
    ]


def read_entry(organization_id: int, fields: Sequence[bytes]) -> Record:
    """Read a record from the fields and values of its entry in the journal, as workers do.

    Raises:
        UnreadableEvent: this release cannot read it; the message says what to do.
    """
    entry_format, content = fields[:2]
    if entry_format != FORMAT.encode():
        raise UnreadableEvent(
            f"its format, `{as_text(entry_format)}`, is not known to this release. Upgrade Brazebee"
            " to the release that wrote it and retry it then, or drop it"
        )
    try:
        record = record_from_json(content, time_of_acceptance(fields))
    except UnreadableEvent as error:
        raise UnreadableEvent(
            f"it is not an event as this release knows them ({error}). Drop it, unless a newer"
            " release can read it"
        ) from None
    if record.organization_id != organization_id:
        raise UnreadableEvent("it names another organization. Drop it")
    return record


def record_from_json(content: bytes, accepted_at: datetime | None = None) -> Record:
    """Read an entry of the journal; see `read_record`.

    Raises:
        UnreadableEvent: it is not JSON, or no record.
    """
    try:
        message = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise UnreadableEvent(f"not JSON: {error}") from error
    return read_record(message, accepted_at)


def read_record(message: Mapping[str, Any], accepted_at: datetime | None = None) -> Record:
    """Read an entry of the journal that is decoded already; see `TrackedEvent.from_message`.

    Raises:
        UnreadableEvent: a value is missing or of another type.
    """
    try:
        is_placed, is_event = message["company"] is not None, message["event_key"] is not None
        if is_event and is_placed:
            return TrackedEvent.from_message(message, accepted_at)
        record = _update(message, accepted_at) if is_placed else _unresolved(message, accepted_at)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableEvent(f"{type(error).__name__}: {error}") from error
    return record


def _update(message: Mapping[str, Any], accepted_at: datetime | None) -> FieldUpdate:
    company, user = dict(message["company"]), dict(message["user"] or ())
    occurred_at, received_at = read_times(message, accepted_at)
    update = FieldUpdate(
        organization_id=message["organization_id"],
        key_id=message["key_id"],
        company_id=company.pop("id"),
        company=company,
        user_id=user.pop("id") if message["user"] is not None else None,
        user=user,
        occurred_at=occurred_at,
        received_at=received_at,
    )
    texts = [update.company_id, company.get("name", "")]
    texts += [] if update.user_id is None else [update.user_id]
    _check_types(update.organization_id, update.key_id, texts)
    return update


def _unresolved(message: Mapping[str, Any], accepted_at: datetime | None) -> UnresolvedRecord:
    user = dict(message["user"])
    occurred_at, received_at = read_times(message, accepted_at)
    record = UnresolvedRecord(
        organization_id=message["organization_id"],
        key_id=message["key_id"],
        event_id=message["event_id"],
        event_key=message["event_key"],
        user_id=user.pop("id"),
        user=user,
        data=message["data"],
        occurred_at=occurred_at,
        received_at=received_at,
        message=message,
    )
    texts = [record.user_id]
    if record.is_event or record.event_id is not None:
        texts.append(record.event_id)  # type: ignore[arg-type]  # checked below
    if record.is_event:
        texts.append(record.event_key)  # type: ignore[arg-type]  # checked below
    if not (record.data is None or type(record.data) is dict):
        raise TypeError("its data are no object")
    _check_types(record.organization_id, record.key_id, texts)
    return record


def _check_types(organization_id: object, key_id: object, texts: list[Any]) -> None:
    """Check the types that the columns of tables need; see `TrackedEvent`."""
    if (
        type(organization_id) is not int
        or not (key_id is None or type(key_id) is int)
        or not all(type(text) is str for text in texts)
    ):
        raise TypeError("a value is of another type than those of records")
