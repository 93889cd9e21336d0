"""Accepted records of users whose company is not known yet.

A record waits only while its user has no row: whoever adds the user takes their records in the same
transaction. Those that add users share `AdvisoryLock.NEW_USERS`; whoever finds that a user has no
row, and lets a record wait for that, holds it alone.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.bulk import insert, query_over_columns
from models.cursors import Cursor
from models.database import query


@dataclass(frozen=True)
class WaitingRecord:
    """A record as lists show it; `user` is the client's own id, `since` when it was accepted.

    It has an `event_key` if it is an event.
    """

    id: int
    user: str
    event_key: str | None
    event_id: str | None
    occurred_at: datetime
    since: datetime


@dataclass(frozen=True)
class WaitingEntry:
    """A waiting record with the fields and values of its entry in the journal."""

    record: WaitingRecord
    fields: tuple[bytes, ...]


@dataclass(frozen=True)
class WaitingUser:
    """A user with waiting records: how many, since when, and the event keys among them."""

    user: str
    records: int
    since: datetime
    event_keys: tuple[str, ...]


@dataclass(frozen=True)
class NewWaitingRecord:
    """A record that is to wait; `user_external_id` is the client's own."""

    user_external_id: str
    event_key: str | None
    event_id: str | None
    occurred_at: datetime
    since: datetime
    entry: list[bytes]


_COLUMNS = "id, user_external_id as user, event_key, event_id, occurred_at, since"

_NEWEST_FIRST = Cursor("waiting_records", ("bigint",))


def add(organization_id: int, records: Sequence[NewWaitingRecord]) -> bool:
    """Let records wait, except events that wait already; False if the organization is gone."""
    # The lock keeps the organization from being deleted before these rows are committed.
    organization = "select from organizations where id = %(organization_id)s for key share"
    if not query(organization, {"organization_id": organization_id}):
        return False
    insert(
        "waiting_records",
        ("organization_id", *NewWaitingRecord.__dataclass_fields__),
        [{"organization_id": organization_id, **vars(record)} for record in records],
        then="on conflict do nothing",
    )
    return True


def take_of_users(organization_id: int, users: Collection[str]) -> list[WaitingEntry]:
    """Remove the records of users, the clients' own ids, and return them in their order."""
    rows = query_over_columns(
        ", taken as (delete from waiting_records w using v"
        " where w.organization_id = %(organization_id)s and w.user_external_id = v.name"
        " returning w.*)"
        f" select {_COLUMNS}, entry from taken order by id",
        {"name text": list(users)},
        organization_id=organization_id,
    )
    return [_entry(row) for row in rows]


def take_accepted_before(
    organization_id: int, instant: datetime, *, limit: int
) -> list[WaitingEntry]:
    """Remove the oldest records that were accepted before an instant, and return them."""
    return _take(organization_id, "since < %(instant)s", limit, instant=instant)


def take_of_known_users(organization_id: int, *, limit: int) -> list[WaitingEntry]:
    """Remove records whose users exist by now, and return them.

    There are some only if the release before, which knows no waiting records, added the users.
    """
    return _take(
        organization_id,
        "exists (select from users u where u.organization_id = %(organization_id)s"
        " and u.external_id = waiting_records.user_external_id)",
        limit,
    )


def _take(
    organization_id: int, condition: str, limit: int, **parameters: Any
) -> list[WaitingEntry]:
    rows = query(
        "with taken as (delete from waiting_records where organization_id = %(organization_id)s"
        " and id = any(array(select id from waiting_records"
        f" where organization_id = %(organization_id)s and {condition}"
        " order by id limit %(limit)s for update skip locked)) returning *)"
        f" select {_COLUMNS}, entry from taken order by id",
        {"organization_id": organization_id, "limit": limit, **parameters},
    )
    return [_entry(row) for row in rows]


def find_event(organization_id: int, event_id: str) -> WaitingRecord | None:
    """Return the event with the client's own id that waits."""
    rows = query(
        f"select {_COLUMNS} from waiting_records where organization_id = %(organization_id)s"
        " and event_id = %(event_id)s and event_key is not null",
        {"organization_id": organization_id, "event_id": event_id},
    )
    return WaitingRecord(**rows[0]) if rows else None


def count(organization_id: int) -> int:
    """Count the records of an organization that wait."""
    [row] = query(
        "select count(*) as number from waiting_records"
        " where organization_id = %(organization_id)s",
        {"organization_id": organization_id},
    )
    return int(row["number"])


def count_by_user(organization_id: int, users: Collection[str]) -> dict[str, int]:
    """Count the waiting records of users, by the clients' own ids; those without any are absent."""
    rows = query(
        "select user_external_id as user, count(*) as number from waiting_records"
        " where organization_id = %(organization_id)s and user_external_id = any(%(users)s)"
        " group by 1",
        {"organization_id": organization_id, "users": list(users)},
    )
    return {row["user"]: row["number"] for row in rows}


def list_users(organization_id: int, *, limit: int) -> list[WaitingUser]:
    """Return the users with waiting records, those who have waited longest first."""
    rows = query(
        "select user_external_id as user, count(*) as records, min(since) as since,"
        " array_agg(distinct event_key) filter (where event_key is not null) as event_keys"
        " from waiting_records where organization_id = %(organization_id)s"
        " group by 1 order by min(since), 1 limit %(limit)s",
        {"organization_id": organization_id, "limit": limit},
    )
    return [WaitingUser(**row | {"event_keys": tuple(row["event_keys"] or ())}) for row in rows]


def read_page(
    organization_id: int, *, user: str | None = None, after: str | None = None, limit: int = 50
) -> tuple[list[WaitingRecord], str | None]:
    """Return the newest records that wait, of one user if given, and the cursor of the next page.

    `user` is the client's own id.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
    """
    rows = query(
        f"select {_COLUMNS} from waiting_records where organization_id = %(organization_id)s"
        f"{'' if user is None else ' and user_external_id = %(user)s'}"
        f"{_NEWEST_FIRST.condition(['id'], after, descending=True)}"
        " order by id desc limit %(limit)s",
        {
            "organization_id": organization_id,
            "user": user,
            "limit": limit + 1,
            **_NEWEST_FIRST.read(after),
        },
    )
    records = [WaitingRecord(**row) for row in rows[:limit]]
    return records, _NEWEST_FIRST.next_page(rows, limit, "id")


def _entry(row: dict[str, Any]) -> WaitingEntry:
    fields = tuple(bytes(value) for value in row.pop("entry"))
    return WaitingEntry(WaitingRecord(**row), fields)
