"""The open messages, and the changes that are added to them in the transaction that records each.

At most one message is open for a recipient, a schedule and a change of rules. Adding to it locks it
with `for key share`, and closing it with `for update`. So all that was added is in it when it is
closed, and what comes later opens the next one: each change is in exactly one message.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from models.bulk import insert, query_over


class MessageKey(NamedTuple):
    """What the changes in a message have in common."""

    service: str
    recipient: str
    to_owner: bool
    schedule: str
    rules_version: int | None


@dataclass(frozen=True)
class NewMessage:
    """A message to open unless one with this key is open, and when it is planned and looked at."""

    key: MessageKey
    zone: str | None
    opened_at: datetime
    planned_at: datetime
    due_at: datetime


@dataclass(frozen=True)
class NotedChange:
    """A change of a company's health that a message is about."""

    message_id: UUID
    transition_id: UUID
    company_id: int
    at: datetime
    from_status: str
    to_status: str
    changes: list[dict[str, Any]]


_KEY = "service text, recipient text, to_owner boolean, schedule text, rules_version integer"

_SAME_KEY = (
    "m.service = v.service and m.recipient = v.recipient and m.to_owner = v.to_owner"
    " and m.schedule = v.schedule and coalesce(m.rules_version, 0) = coalesce(v.rules_version, 0)"
)


def find_last_planned(
    organization_id: int, keys: Sequence[MessageKey]
) -> dict[MessageKey, datetime]:
    """Return for which instant the last closed message of each key was planned."""
    rows = query_over(
        "select v.service, v.recipient, v.to_owner, v.schedule, v.rules_version,"
        " max(m.planned_at) as planned_at from v join notification_messages m"
        f" on {_SAME_KEY} and m.state <> 'open' where m.organization_id = %(organization_id)s"
        " group by 1, 2, 3, 4, 5",
        [key._asdict() for key in keys],
        _KEY,
        organization_id=organization_id,
    )
    return {_key(row): row["planned_at"] for row in rows}


def open_missing(organization_id: int, new: Sequence[NewMessage]) -> None:
    """Open messages, except those with the key of one that is open."""
    insert(
        "notification_messages",
        (
            "organization_id",
            "id",
            *MessageKey._fields,
            "zone",
            "state",
            "opened_at",
            "planned_at",
            "due_at",
        ),
        [
            {
                **message.key._asdict(),
                **vars(message),
                "organization_id": organization_id,
                "id": uuid7(),
                "state": "open",
            }
            for message in new
        ],
        then="on conflict do nothing",
    )


def lock_open(organization_id: int, keys: Sequence[MessageKey]) -> dict[MessageKey, UUID]:
    """Lock the open messages of these keys, so that they stay open, and return their ids."""
    rows = query_over(
        "select m.id, m.service, m.recipient, m.to_owner, m.schedule, m.rules_version"
        f" from v join notification_messages m on {_SAME_KEY}"
        " where m.organization_id = %(organization_id)s and m.state = 'open'"
        " for key share of m",
        [key._asdict() for key in keys],
        _KEY,
        organization_id=organization_id,
    )
    return {_key(row): row["id"] for row in rows}


def add_changes(organization_id: int, changes: Sequence[NotedChange]) -> None:
    """Add changes to messages that are locked."""
    insert(
        "notification_changes",
        ("organization_id", *NotedChange.__dataclass_fields__),
        [{**vars(change), "organization_id": organization_id} for change in changes],
        json_columns=("changes",),
    )


def _key(row: dict[str, Any]) -> MessageKey:
    return MessageKey(*(row[name] for name in MessageKey._fields))
