"""What was done about items: by people, and by the product where it reopened one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from models.bulk import insert

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
