"""Which messages a health change belongs into, and how many messages a stretch of them makes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rules.notify.entries import OWNER, HealthChange, NotifyEntry, Service
from rules.notify.schedule import Schedule, is_at_night


@dataclass(frozen=True)
class CompanyChange:
    """A change of a company's health at the instant at which it was recorded.

    `rules_version` is that of the rules if a change of rules caused it.
    """

    at: datetime
    change: HealthChange
    fields: Mapping[str, Any] = field(default_factory=dict)
    owner: str | None = None
    rules_version: int | None = None


@dataclass(frozen=True)
class Envelope:
    """What all changes in a message have in common.

    `recipient` is the name of a destination or an address, or with `to_owner` the owner of the
    companies, as their fields have it. What one change of rules causes is in a message of its own,
    unless it is in a digest.
    """

    service: Service
    recipient: str
    to_owner: bool
    schedule: Schedule
    rules_version: int | None = None


def envelopes_of(entries: Iterable[NotifyEntry], change: CompanyChange) -> list[Envelope]:
    """Return the messages that a change belongs into, each once.

    An owner is notified of their own companies alone; that of a company without one of nothing.
    """
    envelopes: dict[Envelope, None] = {}
    for entry in entries:
        if not entry.applies(change.change, change.fields):
            continue
        batch = None if entry.schedule.digest else change.rules_version
        for name in entry.target.names:
            to_owner = entry.target.service is Service.EMAIL and name == OWNER
            recipient = (change.owner or "").casefold() if to_owner else name
            if recipient:
                envelopes[
                    Envelope(entry.target.service, recipient, to_owner, entry.schedule, batch)
                ] = None
    return list(envelopes)


@dataclass(frozen=True)
class MessageCount:
    """How many messages there would have been, and how many of them at night where they are sent.

    The night is from 22:00 to 6:00 in the time zone of the entry, or in UTC.
    """

    messages: int
    at_night: int


def count_messages(
    entries: Sequence[NotifyEntry], changes: Iterable[CompanyChange]
) -> MessageCount:
    """Count the messages that changes, in the order of their recording, would have caused."""
    open_until: dict[Envelope, datetime] = {}
    messages = at_night = 0
    for change in changes:
        for envelope in envelopes_of(entries, change):
            due = open_until.get(envelope)
            # A change of rules makes one message, however long the evaluation takes.
            if due is not None and (change.at < due or envelope.rules_version is not None):
                continue
            due = open_until[envelope] = envelope.schedule.due(change.at)
            messages += 1
            at_night += is_at_night(due, envelope.schedule.zone)
    return MessageCount(messages, at_night)
