"""When members looked at the changes of an organization.

Looking again soon, by a refresh or another page of the list, belongs to the same visit.
"""

from datetime import datetime, timedelta

from models.database import query

SAME_VISIT = timedelta(minutes=30)
"""Between two looks; after a longer pause, the next look begins a visit."""


def note_visit(organization_id: int, person_id: int, at: datetime) -> datetime | None:
    """Store that a member looks at the changes, and return when the visit before this one ended.

    None if this is the first visit.
    """
    rows = query(
        "update memberships set changes_seen_at = greatest(changes_seen_at, %(at)s),"
        " changes_seen_before = case when changes_seen_at < %(new_after)s then changes_seen_at"
        " else changes_seen_before end"
        " where organization_id = %(organization_id)s and person_id = %(person_id)s"
        " returning changes_seen_before",
        {
            "organization_id": organization_id,
            "person_id": person_id,
            "at": at,
            "new_after": at - SAME_VISIT,
        },
    )
    before: datetime | None = rows[0]["changes_seen_before"] if rows else None
    return before
