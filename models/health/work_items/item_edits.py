"""Changes of items by people. The companies of the items are locked first, as for all changes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from models.bulk import query_over
from models.database import execute, query


@dataclass
class EditableItem:
    """An item whose company is locked."""

    id: int
    company_id: int
    company: str
    company_name: str
    flag: str
    status: str
    snoozed: bool
    state: str
    assignee_id: int | None
    next_step: str | None
    due_on: date | None
    touched_at: datetime | None


_COLUMNS = (
    "i.id, i.company_id, c.external_id as company, c.name as company_name, i.flag, i.status,"
    " i.snoozed, i.state, i.assignee_id, i.next_step, i.due_on, i.touched_at"
)
_WITH_COMPANY = (
    "from work_items i join companies c"
    " on c.organization_id = i.organization_id and c.id = i.company_id"
)


def lock(organization_id: int, item_ids: Collection[int]) -> list[EditableItem]:
    """Lock the companies of items, in the order of their ids; return the items not closed."""
    parameters = {"organization_id": organization_id, "ids": list(item_ids)}
    query(
        "select c.id from companies c where c.organization_id = %(organization_id)s and c.id in ("
        " select company_id from work_items where organization_id = %(organization_id)s"
        " and id = any(%(ids)s)) order by c.id for no key update",
        parameters,
    )
    rows = query(
        f"select {_COLUMNS} {_WITH_COMPANY}"
        " where i.organization_id = %(organization_id)s and i.id = any(%(ids)s)"
        " and i.closed_at is null order by i.id",
        parameters,
    )
    return [EditableItem(**row) for row in rows]


def save(organization_id: int, items: Sequence[EditableItem]) -> None:
    """Store what people change."""
    query_over(
        "update work_items i set state = v.state, assignee_id = v.assignee_id,"
        " next_step = v.next_step, due_on = v.due_on, touched_at = v.touched_at"
        " from v where i.organization_id = %(organization_id)s and i.id = v.id",
        items,
        "id bigint, state text, assignee_id bigint, next_step text, due_on date,"
        " touched_at timestamptz",
        organization_id=organization_id,
    )


def mark(organization_id: int, item_ids: Collection[int], *, snoozed: bool) -> None:
    """Mark items as snoozed or not, until the next evaluation of their companies does.

    It may have to wait until all earlier events are stored, while a list shows at once what
    somebody has just done.
    """
    execute(
        "update work_items set snoozed = %(snoozed)s where organization_id = %(organization_id)s"
        " and id = any(%(ids)s) and closed_at is null and snoozed <> %(snoozed)s",
        {"organization_id": organization_id, "ids": list(item_ids), "snoozed": snoozed},
    )


def release(organization_id: int, person_id: int) -> int:
    """Leave the open items of a person to the owners of their companies; return their number."""
    return execute(
        "update work_items set assignee_id = null where organization_id = %(organization_id)s"
        " and assignee_id = %(person_id)s and closed_at is null",
        {"organization_id": organization_id, "person_id": person_id},
    )


@dataclass
class PastItem(EditableItem):
    """An item with when it was opened, and when it was closed if it was."""

    opened_at: datetime
    closed_at: datetime | None


def list_all(organization_id: int, company_ids: Collection[int]) -> list[PastItem]:
    """Return all items of companies, closed ones too, in the order of their ids."""
    rows = query(
        f"select {_COLUMNS}, i.opened_at, i.closed_at {_WITH_COMPANY}"
        " where i.organization_id = %(organization_id)s and i.company_id = any(%(company_ids)s)"
        " order by i.id",
        {"organization_id": organization_id, "company_ids": list(company_ids)},
    )
    return [PastItem(**row) for row in rows]
