"""Which events of an import are stored already."""

from collections.abc import Collection

from models.database import query


def find_stored(organization_id: int, event_ids: Collection[str]) -> set[str]:
    """Return which of these events of an organization are stored; one probe of the key for each."""
    rows = query(
        "select event_id from events where organization_id = %(organization_id)s"
        " and event_id = any(%(event_ids)s)",
        {"organization_id": organization_id, "event_ids": list(event_ids)},
    )
    return {row["event_id"] for row in rows}
