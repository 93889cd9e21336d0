"""What messages are about, and the newest ones, as people see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from models.database import query
from models.notifications.messages import COLUMNS, Message, as_message


@dataclass(frozen=True)
class ChangeOfMessage:
    """A change that a message is about, with its company as it is now."""

    company: str
    name: str
    at: datetime
    from_status: str
    to_status: str
    changes: list[dict[str, Any]]
    owner: str | None
    value: Decimal | None
    renews_on: date | None


def list_newest(organization_id: int, *, limit: int, before: UUID | None = None) -> list[Message]:
    """Return the messages that are planned last, or before another one, the latest first."""
    rows = query(
        f"select {COLUMNS} from notification_messages where organization_id = %(organization_id)s"
        + (
            " and (planned_at, id) < (select planned_at, id from notification_messages"
            " where organization_id = %(organization_id)s and id = %(before)s)"
            if before
            else ""
        )
        + " order by planned_at desc, id desc limit %(limit)s",
        {"organization_id": organization_id, "limit": limit, "before": before},
    )
    return [as_message(row) for row in rows]


def count_changes(organization_id: int, message_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return the number of changes in each of some messages."""
    rows = query(
        "select message_id, count(*) as number from notification_changes"
        " where organization_id = %(organization_id)s and message_id = any(%(ids)s::uuid[])"
        " group by message_id",
        {"organization_id": organization_id, "ids": list(message_ids)},
    )
    return {row["message_id"]: row["number"] for row in rows}


def read_changes(
    organization_id: int, message_id: UUID, statuses: Sequence[str], *, limit: int
) -> list[ChangeOfMessage]:
    """Return the changes of a message, those to the worst status and of the most valuable first.

    `statuses` are those of the rules, the best first.
    """
    rows = query(
        "select c.external_id as company, c.name, n.at, n.from_status, n.to_status, n.changes,"
        " c.owner, c.value, c.renews_on from notification_changes n join companies c"
        " on c.organization_id = n.organization_id and c.id = n.company_id"
        " where n.organization_id = %(organization_id)s and n.message_id = %(id)s"
        " order by array_position(%(statuses)s::text[], n.to_status) desc nulls last,"
        " c.value desc nulls last, c.name, n.at, n.transition_id limit %(limit)s",
        {
            "organization_id": organization_id,
            "id": message_id,
            "statuses": list(statuses),
            "limit": limit,
        },
    )
    return [ChangeOfMessage(**row) for row in rows]


def count_by_status(organization_id: int, message_id: UUID) -> dict[str, tuple[int, int]]:
    """Return how many changes and companies a message is about, by the status afterwards."""
    rows = query(
        "select to_status, count(*) as changes, count(distinct company_id) as companies"
        " from notification_changes where organization_id = %(organization_id)s"
        " and message_id = %(id)s group by to_status",
        {"organization_id": organization_id, "id": message_id},
    )
    return {row["to_status"]: (row["changes"], row["companies"]) for row in rows}


@dataclass(frozen=True)
class FailingEmails:
    """How many emails wait after a failed attempt, since when, and why the last one failed."""

    number: int
    since: datetime
    error: str


def find_failing_emails(organization_id: int) -> FailingEmails | None:
    """Return the emails that are tried again; None if none is."""
    [row] = query(
        "select count(*) as number, min(planned_at) as since,"
        " (array_agg(last_error order by planned_at desc))[1] as error"
        " from notification_messages where organization_id = %(organization_id)s"
        " and service = 'email' and state = 'waiting' and last_error is not null",
        {"organization_id": organization_id},
    )
    return FailingEmails(**row) if row["number"] else None


def count_waiting_changes(organization_id: int) -> dict[tuple[str, str], int]:
    """Return how many changes wait to be sent, by service and recipient."""
    rows = query(
        "select m.service, m.recipient, count(*) as number from notification_messages m"
        " join notification_changes c on c.organization_id = m.organization_id"
        " and c.message_id = m.id where m.organization_id = %(organization_id)s"
        " and m.state in ('open', 'waiting') group by 1, 2",
        {"organization_id": organization_id},
    )
    return {(row["service"], row["recipient"]): row["number"] for row in rows}
