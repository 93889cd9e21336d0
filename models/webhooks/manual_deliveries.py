"""Deliveries that people send again, and the recovery of an endpoint's failed ones."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from models.database import query
from models.table import fetch
from models.webhooks.deliveries import MESSAGE_LOST_AFTER, ManualReason, Request
from models.webhooks.tables import DeliveryRow


def list_failed(
    organization_id: int, endpoint_id: UUID, since: datetime, *, latest: bool
) -> list[UUID]:
    """Return the failed deliveries of an endpoint since an instant, oldest first.

    With `latest`, only the ones that are the newest of their company.
    """
    newest = (
        " and not exists (select from deliveries n join transitions nt"
        " on nt.organization_id = n.organization_id and nt.id = n.transition_id"
        " where n.organization_id = d.organization_id and n.endpoint_id = d.endpoint_id"
        " and nt.company_id = t.company_id and nt.sequence > t.sequence)"
    )
    rows = query(
        "select d.id from deliveries d join transitions t"
        " on t.organization_id = d.organization_id and t.id = d.transition_id"
        " where d.organization_id = %(organization_id)s and d.endpoint_id = %(endpoint_id)s"
        " and d.state = 'failed'"
        f" and d.created_at >= %(since)s{newest if latest else ''} order by d.id",
        {"organization_id": organization_id, "endpoint_id": endpoint_id, "since": since},
    )
    return [row["id"] for row in rows]


def send_again(
    organization_id: int,
    endpoint_id: UUID,
    ids: Sequence[UUID],
    manual: ManualReason,
    now: datetime,
) -> list[Request]:
    """Make finished deliveries wait again, outside their schedule; return the tries to make.

    The deliveries of a recovery are parked until their turn.
    """
    at_once = manual is ManualReason.AT_ONCE
    rows = query(
        "update deliveries set state = 'waiting', by_hand = %(manual)s, parked = %(parked)s,"
        " next_attempt_at = %(due_at)s, finished_at = null"
        " where organization_id = %(organization_id)s and id = any(%(ids)s::uuid[])"
        " and endpoint_id = %(endpoint_id)s and lease_token is null"
        " and state in ('delivered', 'failed')"
        " returning organization_id, endpoint_id, id as delivery_id, tries + 1 as attempt",
        {
            "organization_id": organization_id,
            "endpoint_id": endpoint_id,
            "ids": list(ids),
            "manual": manual,
            "parked": not at_once,
            "due_at": now + MESSAGE_LOST_AFTER if at_once else None,
        },
    )
    return [Request(**row) for row in rows]


def list_paused(
    organization_id: int, endpoint_id: UUID, *, until: datetime
) -> list[tuple[UUID, datetime]]:
    """Return the paused deliveries created up to an instant and never tried, oldest first."""
    row = DeliveryRow
    rows = (
        row.select(row.id, row.created_at)
        .where(
            row.organization_id == organization_id,
            row.endpoint_id == endpoint_id,
            row.state == "paused",
            row.tries == 0,
            row.created_at <= until,
        )
        .order_by(row.created_at, row.id)
    )
    return [(delivery["id"], delivery["created_at"]) for delivery in fetch(rows)]


def resume(organization_id: int, delivery_id: UUID, now: datetime) -> None:
    """Make a paused delivery wait for its next attempt, as if it had been created now."""
    DeliveryRow.update(state="waiting", next_attempt_at=now + MESSAGE_LOST_AFTER).where(
        DeliveryRow.organization_id == organization_id,
        DeliveryRow.id == delivery_id,
        DeliveryRow.state == "paused",
    ).execute()


def count_recovering(organization_id: int, endpoint_id: UUID) -> int:
    """Count the deliveries of an endpoint's recovery that are still to be sent."""
    rows = query(
        "select count(*) as number from deliveries where organization_id = %(organization_id)s"
        " and endpoint_id = %(endpoint_id)s and state = 'waiting' and by_hand = 'recovery'",
        {"organization_id": organization_id, "endpoint_id": endpoint_id},
    )
    number: int = rows[0]["number"]
    return number
