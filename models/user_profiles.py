"""One user: its fields, the companies in which it was active, and its events, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.companies.fields.field_limits import LeftOut
from models.cursors import Cursor
from models.database import query

MOST_COUNTED = 10_000
"""Events of a user that are read at most to find its companies and to count them by week."""


@dataclass(frozen=True)
class UserProfile:
    """A user; `row_id` is the id of its row, `id` the client's own, and so is `company`.

    `company` is the one that was named last.
    """

    row_id: int
    id: str
    name: str | None
    email: str | None
    traits: dict[str, Any]
    first_seen_at: datetime
    left_out: LeftOut | None
    company: str
    company_name: str


@dataclass(frozen=True)
class UserCompany:
    """A company in which a user had events: how many, and when the newest was."""

    id: str
    name: str
    health_status: str
    events: int
    last_event_at: datetime


@dataclass(frozen=True)
class UserEvent:
    """An event of a user; `company` is the client's own id."""

    id: str
    key: str
    at: datetime
    company: str
    company_name: str


_NEWEST_FIRST = Cursor("events of a user", ("timestamptz", "text"))

_OF_USER = "organization_id = %(organization_id)s and user_id = %(user_id)s"


def find(organization_id: int, external_id: str) -> UserProfile | None:
    """Return the user with the client's own id."""
    rows = query(
        "select u.id as row_id, u.external_id as id, u.name, u.email, u.traits, u.first_seen_at,"
        " u.left_out, c.external_id as company, c.name as company_name from users u"
        " join companies c on c.organization_id = u.organization_id and c.id = u.company_id"
        " where u.organization_id = %(organization_id)s and u.external_id = %(id)s",
        {"organization_id": organization_id, "id": external_id},
    )
    if not rows:
        return None
    left_out = rows[0]["left_out"] and LeftOut.stored(rows[0]["left_out"])
    return UserProfile(**rows[0] | {"left_out": left_out})


def list_companies(
    organization_id: int, user_id: int, *, most: int = MOST_COUNTED
) -> list[UserCompany]:
    """Return the companies of a user's latest events, most recently active first.

    One scan of the index `events_of_user`, of at most `most` events.
    """
    rows = query(
        "select c.external_id as id, c.name, c.health_status, latest.events, latest.last_event_at"
        " from (select company_id, count(*) as events, max(occurred_at) as last_event_at from"
        f" (select company_id, occurred_at from events where {_OF_USER}"
        " order by occurred_at desc limit %(most)s) newest group by company_id) latest"
        " join companies c on c.organization_id = %(organization_id)s and c.id = latest.company_id"
        " order by latest.last_event_at desc, c.id",
        {"organization_id": organization_id, "user_id": user_id, "most": most},
    )
    return [UserCompany(**row) for row in rows]


def read_times(
    organization_id: int, user_id: int, *, since: datetime, most: int = MOST_COUNTED
) -> Sequence[datetime]:
    """Return the times of a user's latest events from an instant on, newest first."""
    rows = query(
        f"select occurred_at from events where {_OF_USER} and occurred_at >= %(since)s"
        " order by occurred_at desc limit %(most)s",
        {"organization_id": organization_id, "user_id": user_id, "since": since, "most": most},
    )
    return [row["occurred_at"] for row in rows]


def read_events(
    organization_id: int, user_id: int, *, after: str | None = None, limit: int = 50
) -> tuple[list[UserEvent], str | None]:
    """Return a user's events, newest first, and the cursor of the next page.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
    """
    parameters = {"organization_id": organization_id, "user_id": user_id, "limit": limit + 1}
    bound = "" if after is None else " and occurred_at <= %(cursor_0)s::timestamptz"
    rows = query(
        "select e.event_id as id, e.event_key as key, e.occurred_at as at,"
        " c.external_id as company, c.name as company_name from"
        f" (select event_id, event_key, occurred_at, company_id from events where {_OF_USER}{bound}"
        f"{_NEWEST_FIRST.condition(['occurred_at', 'event_id'], after, descending=True)}"
        " order by occurred_at desc, event_id desc limit %(limit)s) e"
        " join companies c on c.organization_id = %(organization_id)s and c.id = e.company_id"
        " order by e.occurred_at desc, e.event_id desc",
        parameters | _NEWEST_FIRST.read(after),
    )
    events = [UserEvent(**row) for row in rows[:limit]]
    return events, _NEWEST_FIRST.next_page(rows, limit, "at", "id")
