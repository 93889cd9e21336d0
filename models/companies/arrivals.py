"""What has arrived for an organization: its newest event, and companies that are new."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.companies.companies import CORE_FIELDS
from models.database import query


@dataclass(frozen=True)
class ArrivedUser:
    """The user of an event, by the client's own id, with their fields."""

    id: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class ArrivedEvent:
    """A stored event with its company, by the client's own id; fields are those of today."""

    event_key: str
    occurred_at: datetime
    received_at: datetime
    data: dict[str, Any] | None
    company: str
    company_name: str
    company_fields: dict[str, Any]
    user: ArrivedUser | None


@dataclass(frozen=True)
class ArrivedCompany:
    """A company that is new, by the client's own id."""

    id: str
    name: str
    has_events: bool


def find_newest_event(organization_id: int, *, since: datetime) -> ArrivedEvent | None:
    """Return the event that was received last, if that was after `since`.

    Of each event key, only the newest event is considered, so that the cost depends on the number
    of keys alone. An event of the past that is older than another one of its key is not found.
    """
    rows = query(
        f"""
        with recursive keys as (
            (select event_key from events where organization_id = %(organization_id)s
             order by event_key limit 1)
            union all
            select next.event_key from keys cross join lateral (
                select event_key from events where organization_id = %(organization_id)s
                    and event_key > keys.event_key order by event_key limit 1) next
        ), newest as (
            select last.* from keys cross join lateral (
                select * from events
                where organization_id = %(organization_id)s and event_key = keys.event_key
                order by occurred_at desc limit 1) last
            where last.received_at > %(since)s order by last.received_at desc limit 1
        )
        select e.event_key, e.occurred_at, e.received_at, e.data, c.external_id as company,
            {", ".join(f"c.{name}" for name in CORE_FIELDS)}, c.traits as company_traits,
            u.external_id as user_id, u.email as user_email, u.name as user_name,
            u.traits as user_traits
        from newest e
        join companies c on c.organization_id = %(organization_id)s and c.id = e.company_id
        left join users u on u.organization_id = %(organization_id)s and u.id = e.user_id
        """,
        {"organization_id": organization_id, "since": since},
    )
    return _event(rows[0]) if rows else None


def list_new_companies(organization_id: int, *, after_id: int, limit: int) -> list[ArrivedCompany]:
    """Return companies whose rows came after one, the newest first."""
    rows = query(
        "select external_id as id, name, last_event_at is not null as has_events from companies"
        " where organization_id = %(organization_id)s and id > %(after_id)s"
        " order by id desc limit %(limit)s",
        {"organization_id": organization_id, "after_id": after_id, "limit": limit},
    )
    return [ArrivedCompany(**row) for row in rows]


def find_latest_company_id(organization_id: int) -> int:
    """Return the id of the row of the company that was added last, 0 if there is none."""
    [row] = query(
        "select coalesce(max(id), 0) as id from companies"
        " where organization_id = %(organization_id)s",
        {"organization_id": organization_id},
    )
    return int(row["id"])


def _event(row: dict[str, Any]) -> ArrivedEvent:
    core = {name: row[name] for name in CORE_FIELDS if name != "name" and row[name] is not None}
    user = None
    if row["user_id"] is not None:
        known = {"email": row["user_email"], "name": row["user_name"]}
        given = {name: value for name, value in known.items() if value is not None}
        user = ArrivedUser(row["user_id"], given | row["user_traits"])
    return ArrivedEvent(
        row["event_key"],
        row["occurred_at"],
        row["received_at"],
        row["data"],
        row["company"],
        row["name"],
        core | row["company_traits"],
        user,
    )
