"""What was done about items: by people, and by the product where it reopened one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from models.bulk import insert
from models.database import query

PRODUCT = "Brazebee"
"""Who made a change that no person made."""


@dataclass(frozen=True)
class ItemChange:
    """A change of an item; `batch` is shared by the changes of one action on many items."""

    organization_id: int
    item_id: int
    company_id: int
    at: datetime
    person_id: int | None
    made_by: str
    action: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    batch: UUID | None = None


def add(changes: Sequence[ItemChange]) -> None:
    """Insert changes."""
    insert(
        "work_item_changes",
        tuple(ItemChange.__dataclass_fields__),
        changes,
        json_columns=("detail",),
    )


@dataclass(frozen=True)
class ListedChange:
    """A change as histories show it."""

    item_id: int
    company_id: int
    at: datetime
    made_by: str
    action: str
    detail: Mapping[str, Any] = field(hash=False)


_LISTED = "item_id, company_id, at, made_by, action, detail"


def list_for_item(organization_id: int, item_id: int, *, limit: int = 100) -> list[ListedChange]:
    """Return the newest changes of an item, the oldest first."""
    rows = query(
        f"select {_LISTED} from work_item_changes where organization_id = %(organization_id)s"
        " and item_id = %(item_id)s order by id desc limit %(limit)s",
        {"organization_id": organization_id, "item_id": item_id, "limit": limit},
    )
    return [ListedChange(**row) for row in reversed(rows)]


def next_touches(
    organization_id: int, item_ids: Collection[int], batch: UUID
) -> dict[int, datetime | None]:
    """Return when people next touched those items that the action of a batch touched first."""
    rows = query(
        "select i.id, min(o.at) as at from work_items i join work_item_changes b"
        " on b.organization_id = i.organization_id and b.item_id = i.id and b.batch = %(batch)s"
        " and b.at = i.touched_at"
        " left join work_item_changes o on o.organization_id = i.organization_id"
        " and o.item_id = i.id and o.id > b.id and o.batch is distinct from b.batch"
        " and o.made_by <> %(product)s"
        " where i.organization_id = %(organization_id)s and i.id = any(%(ids)s) group by i.id",
        {
            "organization_id": organization_id,
            "ids": list(item_ids),
            "batch": batch,
            "product": PRODUCT,
        },
    )
    return {row["id"]: row["at"] for row in rows}


def list_of_batch(organization_id: int, batch: UUID, person_id: int) -> list[ListedChange]:
    """Return the changes that one action of a person made, in the order of the items."""
    rows = query(
        f"select {_LISTED} from work_item_changes where organization_id = %(organization_id)s"
        " and batch = %(batch)s and person_id = %(person_id)s order by item_id",
        {"organization_id": organization_id, "batch": batch, "person_id": person_id},
    )
    return [ListedChange(**row) for row in rows]
