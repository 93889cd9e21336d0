"""The event keys that an organization's rules configure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from models.keys.tables import EventSettingRow
from models.table import fetch


class Setting(Protocol):
    """An event key, its display name, whether its events are accepted, and its other names."""

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

    @property
    def called(self) -> Sequence[str]:
        """The names by which other products send its events."""
        ...


@dataclass(frozen=True)
class EventKeys:
    """Whether events are accepted, by event key; and the keys of names of other products."""

    enabled: Mapping[str, bool]
    by_name: Mapping[str, str]

    def key_of(self, name: str) -> str | None:
        """Return the key of an event by its name in another product; None if it has none.

        A name that is itself a key needs no other.
        """
        return name if name in self.enabled else self.by_name.get(name)


NO_KEYS = EventKeys({}, {})


def replace_all(organization_id: int, settings: Iterable[Setting]) -> None:
    """Replace the organization's event keys with these."""
    EventSettingRow.delete().where(EventSettingRow.organization == organization_id).execute()
    rows = [
        {
            "organization": organization_id,
            "event_key": setting.key,
            "name": setting.name,
            "enabled": setting.enabled,
            "called": list(setting.called),
        }
        for setting in settings
    ]
    if rows:
        EventSettingRow.insert_many(rows).execute()


def read_settings(organization_id: int) -> EventKeys:
    """Return the event keys of an organization."""
    rows = fetch(
        EventSettingRow.select(
            EventSettingRow.event_key, EventSettingRow.enabled, EventSettingRow.called
        ).where(EventSettingRow.organization == organization_id)
    )
    return EventKeys(
        {row["event_key"]: row["enabled"] for row in rows},
        {name: row["event_key"] for row in rows for name in row["called"]},
    )
