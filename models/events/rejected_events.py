"""Accepted events that could not be stored, as they were in the journal, with the reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.cursors import Cursor
from models.database import execute, query


@dataclass(frozen=True)
class RejectedEvent:
    """An event that was set aside, with the client's own ids, if they could be read."""

    id: int
    rejected_at: datetime
    error: str
    company: str | None
    event_id: str | None


@dataclass(frozen=True)
class RejectedEntry:
    """An event that was set aside, with the fields and values of its entry in the journal."""

    event: RejectedEvent
    fields: tuple[bytes, ...]


MANY = 1_000
"""Notices count no further."""

_COLUMNS = "id, rejected_at, error, company, event_id"

_FILTERS = {
    "ids": "id = any(%(ids)s::bigint[])",
    "after_id": "id > %(after_id)s",
    "until_id": "id <= %(until_id)s",
    "company": "company = %(company)s",
    "reason": "strpos(lower(error), lower(%(reason)s)) > 0",
    "since": "rejected_at >= %(since)s",
}
"""SQL for each filter."""

_NEWEST_FIRST = Cursor("rejected_events", ("bigint",))


def add(
    organization_id: int,
    fields: Sequence[bytes],
    error: str,
    *,
    journal_id: str | None,
    company: str | None,
    event_id: str | None,
) -> bool:
    """Keep an entry of the journal; False if the organization does not exist.

    `journal_id` is the entry's lane and id: an entry that is kept already is not added again.
    """
    parameters = {
        "organization_id": organization_id,
        "entry": list(fields),
        "error": error,
        "journal_id": journal_id,
        "company": company,
        "event_id": event_id,
    }
    # The lock keeps the organization from being deleted before this row is committed.
    organization = "select from organizations where id = %(organization_id)s for key share"
    if not query(organization, parameters):
        return False
    execute(
        "insert into rejected_events (organization_id, entry, error, journal_id, company, event_id)"
        " values (%(organization_id)s, %(entry)s, %(error)s, %(journal_id)s, %(company)s,"
        " %(event_id)s) on conflict (organization_id, journal_id) do nothing",
        parameters,
    )
    return True


def read_page(
    organization_id: int, filters: Mapping[str, Any], *, after: str | None = None, limit: int
) -> tuple[list[RejectedEvent], str | None]:
    """Return the newest events that were set aside, and the cursor of the next page.

    The filters are `company` (the client's own id), `reason` (a part of it), `since`, `ids`, and
    `after_id` and `until_id` for the ids between; None is no filter.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
    """
    where, parameters = _conditions(organization_id, filters)
    rows = query(
        f"select {_COLUMNS} from rejected_events where {where}"
        f"{_NEWEST_FIRST.condition(['id'], after, descending=True)}"
        " order by id desc limit %(limit)s",
        {**parameters, **_NEWEST_FIRST.read(after), "limit": limit + 1},
    )
    events = [RejectedEvent(**row) for row in rows[:limit]]
    return events, _NEWEST_FIRST.next_page(rows, limit, "id")


def find_by_event_id(organization_id: int, event_id: str) -> list[RejectedEvent]:
    """Return the events with the client's own id that are set aside, newest first."""
    rows = query(
        f"select {_COLUMNS} from rejected_events where organization_id = %(organization_id)s"
        " and event_id = %(event_id)s order by id desc limit 10",
        {"organization_id": organization_id, "event_id": event_id},
    )
    return [RejectedEvent(**row) for row in rows]


def count(organization_id: int, filters: Mapping[str, Any], *, most: int | None = None) -> int:
    """Count the events that were set aside, no further than `most`; filters as in `read_page`."""
    where, parameters = _conditions(organization_id, filters)
    [row] = query(
        "select count(*) as number from"
        f" (select from rejected_events where {where} limit %(most)s) matching",
        {**parameters, "most": most},
    )
    return int(row["number"])


def latest_id(organization_id: int) -> int:
    """Return the id of the event that was set aside last, 0 if there is none."""
    [row] = query(
        "select coalesce(max(id), 0) as id from rejected_events"
        " where organization_id = %(organization_id)s",
        {"organization_id": organization_id},
    )
    return int(row["id"])


def find(organization_id: int, event_id: int) -> RejectedEntry | None:
    """Return one event that was set aside, by the id of its row."""
    where, parameters = _conditions(organization_id, {"ids": [event_id]})
    rows = query(f"select {_COLUMNS}, entry from rejected_events where {where}", parameters)
    return _entry(rows[0]) if rows else None


def lock(
    organization_id: int, filters: Mapping[str, Any], *, limit: int | None = None
) -> list[RejectedEntry]:
    """Lock and return events that were set aside, the oldest first; filters as in `read_page`."""
    where, parameters = _conditions(organization_id, filters)
    rows = query(
        f"select {_COLUMNS}, entry from rejected_events where {where} order by id"
        " limit %(limit)s for update",
        {**parameters, "limit": limit},
    )
    return [_entry(row) for row in rows]


def delete(organization_id: int, filters: Mapping[str, Any]) -> int:
    """Delete events that were set aside and return their number; filters as in `read_page`."""
    where, parameters = _conditions(organization_id, filters)
    return execute(f"delete from rejected_events where {where}", parameters)


def _conditions(organization_id: int, filters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    active = {name: filters[name] for name in _FILTERS if filters.get(name) is not None}
    conditions = ["organization_id = %(organization_id)s", *(_FILTERS[name] for name in active)]
    return " and ".join(conditions), {"organization_id": organization_id, **active}


def _entry(row: dict[str, Any]) -> RejectedEntry:
    fields = tuple(bytes(value) for value in row.pop("entry"))
    return RejectedEntry(RejectedEvent(**row), fields)
