"""What was done about items: by people, and by the product where it reopened one."""

from collections.abc import Mapping, Sequence
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


def list_of_batch(organization_id: int, batch: UUID, person_id: int) -> list[ListedChange]:
    """Return the changes that one action of a person made, in the order of the items."""
    rows = query(
        f"select {_LISTED} from work_item_changes where organization_id = %(organization_id)s"
        " and batch = %(batch)s and person_id = %(person_id)s order by item_id",
        {"organization_id": organization_id, "batch": batch, "person_id": person_id},
    )
    return [ListedChange(**row) for row in rows]
