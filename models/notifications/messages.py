"""Messages: open while changes are added, closed when due, sent until accepted or given up.

A message without `due_at` that is not finished is paused: its destination is disabled or missing.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from uuid_utils.compat import uuid7

from config.webhook_policy import LEASE
from models.database import execute, json, query
from models.notifications.destinations import Destination
from models.notifications.tables import MessageRow

TEST = "test"
"""The schedule of a test message."""

MENTION = "mention"
"""The schedule of an email about mentions in notes."""


EMAIL = "email"
"""The service of messages to addresses."""


class State(StrEnum):
    """The states of a message."""

    OPEN = "open"
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Message:
    """A message; `content` is None until it is closed."""

    organization_id: int
    id: UUID
    service: str
    recipient: str
    to_owner: bool
    schedule: str
    zone: str | None
    rules_version: int | None
    state: State
    opened_at: datetime
    planned_at: datetime
    due_at: datetime | None
    lease_token: UUID | None
    number: int
    content: dict[str, Any] | None
    attempts: int
    last_error: str | None
    finished_at: datetime | None

    @property
    def is_test(self) -> bool:
        """Whether a person asked for it to try a destination."""
        return self.schedule == TEST

    @property
    def is_about_health(self) -> bool:
        """Whether it is about changes of health."""
        return self.schedule not in (TEST, MENTION)

    def is_leased(self, now: datetime) -> bool:
        """Whether an attempt may be in progress: its lease has not ended."""
        return self.lease_token is not None and self.due_at is not None and self.due_at > now


COLUMNS = ", ".join(Message.__dataclass_fields__)


def lock(organization_id: int, message_id: UUID) -> Message | None:
    """Lock and return a message; nothing is added to it until the transaction ends."""
    rows = query(
        f"select {COLUMNS} from notification_messages"
        " where organization_id = %(organization_id)s and id = %(id)s for update",
        {"organization_id": organization_id, "id": message_id},
    )
    return as_message(rows[0]) if rows else None


def find(organization_id: int, message_id: UUID) -> Message | None:
    """Return a message."""
    rows = query(
        f"select {COLUMNS} from notification_messages"
        " where organization_id = %(organization_id)s and id = %(id)s",
        {"organization_id": organization_id, "id": message_id},
    )
    return as_message(rows[0]) if rows else None


def close(message: Message, content: dict[str, Any], number: int) -> None:
    """Fix what a locked message says; nothing is added to it any more."""
    execute(
        "update notification_messages set state = 'waiting', content = %(content)s,"
        f" number = %(number)s {_THIS}",
        {**_ids(message), "content": json(content), "number": number},
    )


def lease(message: Message, now: datetime) -> UUID:
    """Own a locked message for one attempt, and return the token that ends the lease."""
    token = uuid4()
    execute(
        f"update notification_messages set lease_token = %(token)s, due_at = %(until)s {_THIS}",
        {**_ids(message), "token": token, "until": now + LEASE},
    )
    return token


def postpone(message: Message, until: datetime | None, error: str | None = None) -> None:
    """Look at a locked message again at an instant; None pauses it."""
    execute(
        "update notification_messages set due_at = %(until)s, lease_token = null,"
        f" last_error = coalesce(%(error)s, last_error) {_THIS}",
        {**_ids(message), "until": until, "error": error},
    )


@dataclass(frozen=True)
class Result:
    """What an attempt changes; `due_at` is that of the next one."""

    state: State
    error: str | None = None
    due_at: datetime | None = None
    counts: bool = True


def finish(message: Message, token: UUID, result: Result, now: datetime) -> bool:
    """Record an attempt and end its lease; False if another attempt has leased the message."""
    return bool(
        execute(
            "update notification_messages set lease_token = null,"
            " attempts = attempts + %(counts)s::int, last_error = %(error)s,"
            # A message that was cancelled meanwhile stays cancelled.
            " state = case when state = 'waiting' then %(state)s else state end,"
            " due_at = case when state = 'waiting' then %(due_at)s::timestamptz end,"
            " finished_at = case when state <> 'waiting' then finished_at"
            f" when %(state)s <> 'waiting' then %(now)s end {_THIS} and lease_token = %(token)s",
            {**_ids(message), "token": token, "now": now, **vars(result)},
        )
    )


def give_up(message: Message, error: str, now: datetime) -> None:
    """Fail a locked message without an attempt."""
    execute(
        "update notification_messages set state = 'failed', due_at = null, lease_token = null,"
        f" last_error = %(error)s, finished_at = %(now)s {_THIS}",
        {**_ids(message), "error": error, "now": now},
    )


def add_test(
    organization_id: int, service: str, recipient: str, content: dict[str, Any], now: datetime
) -> UUID:
    """Add a test message, which is sent at once and once only."""
    return _add_composed(organization_id, service, recipient, content, now, TEST)


def add_mention(organization_id: int, address: str, content: dict[str, Any], now: datetime) -> UUID:
    """Add an email about mentions, which is sent at once, and again until it is accepted."""
    return _add_composed(organization_id, EMAIL, address, content, now, MENTION)


def _add_composed(
    organization_id: int,
    service: str,
    recipient: str,
    content: dict[str, Any],
    now: datetime,
    schedule: str,
) -> UUID:
    id_ = uuid7()
    MessageRow.insert(
        organization=organization_id,
        id=id_,
        service=service,
        recipient=recipient,
        to_owner=False,
        schedule=schedule,
        state=State.WAITING.value,
        opened_at=now,
        planned_at=now,
        due_at=now,
        content=content,
    ).execute()
    return id_


def resume(
    organization_id: int, service: str, recipient: str, now: datetime, *, planned_before: datetime
) -> None:
    """Make the messages to a destination due that are paused, or wait after a failure.

    Those that wait for their planned time, after `planned_before`, still do.
    """
    execute(
        "update notification_messages set due_at = %(now)s"
        " where organization_id = %(organization_id)s and service = %(service)s"
        " and recipient = %(recipient)s and state in ('open', 'waiting') and lease_token is null"
        " and (due_at is null or due_at > %(now)s and planned_at < %(planned_before)s)",
        {
            "organization_id": organization_id,
            "service": service,
            "recipient": recipient,
            "now": now,
            "planned_before": planned_before,
        },
    )


def give_turns(destination: Destination, since: datetime, now: datetime) -> None:
    """Make messages that wait for the end of an attempt due when their destination is free.

    `since` is when the lease of that attempt would have ended: they were postponed until then.
    """
    execute(
        "update notification_messages m set due_at = coalesce(d.blocked_until, %(now)s)"
        " from notification_destinations d where d.organization_id = %(organization_id)s"
        " and d.id = %(id)s and m.organization_id = %(organization_id)s and m.service = d.service"
        " and m.recipient = d.name and m.state in ('open', 'waiting') and m.lease_token is null"
        " and m.due_at = %(since)s",
        {
            "organization_id": destination.organization_id,
            "id": destination.id,
            "since": since,
            "now": now,
        },
    )


def cancel(organization_id: int, service: str, recipient: str, now: datetime) -> int:
    """Cancel the unfinished messages to a destination, and return their number."""
    return execute(
        "update notification_messages set state = 'cancelled', due_at = null, lease_token = null,"
        " finished_at = %(now)s where organization_id = %(organization_id)s"
        " and service = %(service)s and recipient = %(recipient)s and not to_owner"
        " and state in ('open', 'waiting')",
        {
            "organization_id": organization_id,
            "service": service,
            "recipient": recipient,
            "now": now,
        },
    )


def delete_old(organization_id: int, *, before: datetime, limit: int) -> int:
    """Delete up to `limit` messages, planned and finished or paused before an instant."""
    return execute(
        "delete from notification_messages where organization_id = %(organization_id)s"
        " and id in (select id from notification_messages"
        " where organization_id = %(organization_id)s and planned_at < %(before)s"
        " and (finished_at < %(before)s or finished_at is null and due_at is null)"
        " order by planned_at limit %(limit)s)",
        {"organization_id": organization_id, "before": before, "limit": limit},
    )


_THIS = "where organization_id = %(organization_id)s and id = %(id)s"


def _ids(message: Message) -> dict[str, Any]:
    return {"organization_id": message.organization_id, "id": message.id}


def as_message(row: dict[str, Any]) -> Message:
    """Return a row as a message."""
    return Message(**{**row, "state": State(row["state"])})
