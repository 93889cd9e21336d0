"""The event keys that an organization's rules configure."""

from collections.abc import Iterable
from typing import Protocol

from models.keys.tables import EventSettingRow
from models.table import fetch


class Setting(Protocol):
    """An event key, its display name, and whether its events are accepted."""

    @property
    def key(self) -> str:
        """The event key."""
        ...

    @property
    def name(self) -> str:
        """The display name."""
        ...

    @property
    def enabled(self) -> bool:
        """Whether events with this key are accepted."""
        ...


def replace_all(organization_id: int, settings: Iterable[Setting]) -> None:
    """Replace the organization's event keys with these."""
    EventSettingRow.delete().where(EventSettingRow.organization == organization_id).execute()
    rows = [
        {
            "organization": organization_id,
            "event_key": setting.key,
            "name": setting.name,
            "enabled": setting.enabled,
        }
        for setting in settings
    ]
    if rows:
        EventSettingRow.insert_many(rows).execute()


def read_enabled(organization_id: int) -> dict[str, bool]:
    """Return, by configured event key, whether it is enabled."""
    rows = EventSettingRow.select(EventSettingRow.event_key, EventSettingRow.enabled).where(
        EventSettingRow.organization == organization_id
    )
    return {row["event_key"]: row["enabled"] for row in fetch(rows)}
