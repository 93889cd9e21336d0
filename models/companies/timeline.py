"""The timeline of a company: its events, transitions and outcomes in one list, newest first."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from models.cursors import Cursor
from models.database import query


@dataclass(frozen=True)
class TimelineEntry:
    """One event, transition or outcome.

    An event has `event_key`, `data` and, if it is a user's, `user`, the client's own id. A
    transition has the statuses, the `cause` and the `changes` of its flags. An outcome has its kind
    in `outcome`, its `day`, `amount` and `note`; it is at the beginning of its day, UTC.
    """

    at: datetime
    event_id: str | None
    event_key: str | None
    user: str | None
    user_name: str | None
    data: dict[str, Any] | None
    from_status: str | None
    to_status: str | None
    cause: str | None
    changes: list[dict[str, Any]] | None
    outcome: str | None
    day: date | None
    amount: Decimal | None
    note: str | None

    @property
    def is_event(self) -> bool:
        """Whether it is an event."""
        return self.event_id is not None


_NEWEST_FIRST = Cursor("timeline", ("timestamptz", "bigint", "text"))

_OF_COMPANY = "organization_id = %(organization_id)s and company_id = %(company_id)s"

_NO_OUTCOME = (
    "null::text as outcome, null::date as day, null::numeric as amount, null::text as note"
)

_EVENTS = f"""
    select occurred_at as at, 0::bigint as kind, event_id as key, event_key, user_id, data,
        null::text as from_status, null::text as to_status, null::text as cause,
        null::jsonb as changes, {_NO_OUTCOME}
    from events where {_OF_COMPANY}
"""
_TRANSITIONS = f"""
    select at, 1::bigint as kind, lpad(sequence::text, 19, '0') as key, null::text as event_key,
        null::bigint as user_id, null::jsonb as data,
        from_status, to_status, cause, changes, {_NO_OUTCOME}
    from transitions where {_OF_COMPANY}
"""
_DAY_BEGINS = "(day::timestamp at time zone 'UTC')"
_OUTCOMES = f"""
    select {_DAY_BEGINS} as at, 2::bigint as kind, lpad(id::text, 19, '0') as key,
        null::text as event_key, null::bigint as user_id, null::jsonb as data,
        null::text as from_status, null::text as to_status, null::text as cause,
        null::jsonb as changes, kind as outcome, day, amount, note
    from outcomes where {_OF_COMPANY}
"""


@dataclass(frozen=True)
class TimelineFilter:
    """The kinds of entries; `event_key` omits events with another key."""

    events: bool = True
    transitions: bool = True
    outcomes: bool = True
    event_key: str | None = None


EVERYTHING = TimelineFilter()


def read_page(
    organization_id: int,
    company_id: int,
    only: TimelineFilter = EVERYTHING,
    *,
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[TimelineEntry], str | None]:
    """Return the newest entries, and the cursor of the next page.

    A transition comes before the event of the same instant that caused it.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
    """
    parameters = {
        "organization_id": organization_id,
        "company_id": company_id,
        "event_key": only.event_key,
        "limit": limit + 1,
    }
    parts = []
    if only.events:
        key = "" if only.event_key is None else " and event_key = %(event_key)s"
        parts.append(_part(f"{_EVENTS}{key}", ("occurred_at", "0::bigint", "event_id"), after))
    if only.transitions:
        keys = ("at", "1::bigint", "lpad(sequence::text, 19, '0')")
        parts.append(_part(_TRANSITIONS, keys, after))
    if only.outcomes:
        outcome_keys = (_DAY_BEGINS, "2::bigint", "lpad(id::text, 19, '0')")
        parts.append(_part(_OUTCOMES, outcome_keys, after))
    if not parts:
        return [], None
    rows = query(
        "select h.*, u.external_id as user, u.name as user_name from (select * from ("
        + " union all ".join(parts)
        + ") merged order by at desc, kind desc, key desc limit %(limit)s) h"
        " left join users u on u.organization_id = %(organization_id)s and u.id = h.user_id"
        " order by at desc, kind desc, key desc",
        {**parameters, **_NEWEST_FIRST.read(after)},
    )
    entries = [_entry(row) for row in rows[:limit]]
    return entries, _NEWEST_FIRST.next_page(rows, limit, "at", "kind", "key")


def list_event_keys(organization_id: int, company_id: int) -> list[str]:
    """Return the event keys of a company in alphabetical order: one index probe for each."""
    rows = query(
        "with recursive present as ("
        f" select (select min(event_key) from events where {_OF_COMPANY}) as key union all"
        f" select (select min(event_key) from events where {_OF_COMPANY}"
        " and event_key > present.key) from present where present.key is not null)"
        " select key from present where key is not null order by key",
        {"organization_id": organization_id, "company_id": company_id},
    )
    return [row["key"] for row in rows]


def _part(select: str, keys: tuple[str, str, str], after: str | None) -> str:
    """Return SQL for the newest entries of one kind after a cursor: a scan of its index."""
    bound = ""
    if after is not None:
        bound = f" and {keys[0]} <= %(cursor_0)s::timestamptz"
        bound += _NEWEST_FIRST.condition(keys, after, descending=True)
    return f"({select}{bound} order by {keys[0]} desc, {keys[2]} desc limit %(limit)s)"


def _entry(row: dict[str, Any]) -> TimelineEntry:
    event_id = row["key"] if row["kind"] == 0 else None
    names = [name for name in TimelineEntry.__dataclass_fields__ if name != "event_id"]
    return TimelineEntry(event_id=event_id, **{name: row[name] for name in names})
