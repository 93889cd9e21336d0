"""The newest events of an organization, and one event by its id."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.database import query


@dataclass(frozen=True)
class NewestEvent:
    """An event of a list; `company` and `user` are the client's own ids."""

    event_id: str
    event_key: str
    company: str
    user: str | None
    occurred_at: datetime
    received_at: datetime


@dataclass(frozen=True)
class FoundEvent:
    """A stored event with the company and the user that it is about.

    `unsettled_since` is the time of the company's oldest event that is not judged yet, and
    `judged_version` the version of the rules that its health is judged by, 0 without rules.
    """

    event_id: str
    event_key: str
    company_id: int
    company: str
    company_name: str
    user: str | None
    occurred_at: datetime
    received_at: datetime
    data: dict[str, Any] | None
    unsettled_since: datetime | None
    judged_version: int


def list_newest(organization_id: int, *, limit: int) -> list[NewestEvent]:
    """Return the events that occurred last, newest first.

    They are those of the companies that were active last: an index scan of companies, and one of
    the events of each.
    """
    rows = query(
        """
        select e.event_id, e.event_key, c.external_id as company, u.external_id as "user",
            e.occurred_at, e.received_at
        from (
            select id, external_id from companies
            where organization_id = %(organization_id)s
            order by coalesce(last_event_at, 'epoch') desc, id desc limit %(limit)s
        ) c
        cross join lateral (
            select event_id, event_key, user_id, occurred_at, received_at from events
            where organization_id = %(organization_id)s and company_id = c.id
            order by occurred_at desc limit %(limit)s
        ) e
        left join users u on u.organization_id = %(organization_id)s and u.id = e.user_id
        order by e.occurred_at desc limit %(limit)s
        """,
        {"organization_id": organization_id, "limit": limit},
    )
    return [NewestEvent(**row) for row in rows]


def find_event(organization_id: int, event_id: str) -> FoundEvent | None:
    """Return a stored event."""
    rows = query(
        """
        select e.event_id, e.event_key, e.company_id, c.external_id as company,
            c.name as company_name, u.external_id as "user", e.occurred_at, e.received_at, e.data,
            c.unsettled_since, c.judged_version
        from events e
        join companies c on c.organization_id = %(organization_id)s and c.id = e.company_id
        left join users u on u.organization_id = %(organization_id)s and u.id = e.user_id
        where e.organization_id = %(organization_id)s and e.event_id = %(event_id)s
        """,
        {"organization_id": organization_id, "event_id": event_id},
    )
    return FoundEvent(**rows[0]) if rows else None
