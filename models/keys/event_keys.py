"""The event keys that an organization takes."""

from collections.abc import Iterable
from typing import Protocol

from models.bulk import query_over
from models.database import execute, query


class Setting(Protocol):
    """An event key with its name for people, and whether it is taken."""

    @property
    def key(self) -> str:
        """The event key."""
        ...

    @property
    def name(self) -> str:
        """Its name for people."""
        ...

    @property
    def enabled(self) -> bool:
        """Whether events with this key are taken."""
        ...


def replace_all(organization_id: int, settings: Iterable[Setting]) -> None:
    """Make these the organization's event keys, and no others."""
    execute(
        "delete from event_settings where organization_id = %(organization_id)s",
        {"organization_id": organization_id},
    )
    query_over(
        "insert into event_settings (organization_id, event_key, name, enabled) select * from v",
        [
            {
                "organization_id": organization_id,
                "event_key": s.key,
                "name": s.name,
                "enabled": s.enabled,
            }
            for s in settings
        ],
        "organization_id bigint, event_key text, name text, enabled boolean",
    )


def read_enabled(organization_id: int) -> dict[str, bool]:
    """For each configured event key, whether it is enabled."""
    rows = query(
        "select event_key, enabled from event_settings where organization_id = %(organization_id)s",
        {"organization_id": organization_id},
    )
    return {row["event_key"]: row["enabled"] for row in rows}
