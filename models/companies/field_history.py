"""The history of companies' fields: what each said from which instant on."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from models.bulk import query_over
from models.companies.field_merge import FieldChange
from models.cursors import Cursor
from models.database import query


@dataclass(frozen=True)
class StoredFieldChange:
    """What an event said of one field of a company."""

    organization_id: int
    company_id: int
    change: FieldChange


@dataclass(frozen=True)
class ListedChange:
    """What a field said from an instant on, and before, None where nothing was known."""

    field: str
    at: datetime
    value: Any
    before: Any


_NEWEST_FIRST = Cursor("field changes", ("timestamptz", "text"))


def add(changes: Iterable[StoredFieldChange]) -> None:
    """Record changes; of two at the same instant the one that comes later stays.

    One of the past that says what the history says already adds nothing.
    """
    newest: list[StoredFieldChange] = []
    late: list[StoredFieldChange] = []
    for stored in changes:
        (late if stored.change.late else newest).append(stored)
    _insert([_row(c, c.change.at, c.change.value) for c in newest])
    if late:
        told = _new_to_history([_row(c, c.change.at, c.change.value) for c in late])
        _remove_repeats_after(_insert(told))
        _insert(_new_to_history([_row(c, *c.change.held) for c in late if c.change.held]))


@dataclass(frozen=True)
class _Row:
    """One entry of the history; `value` is JSON, of which NULL is one."""

    organization_id: int
    company_id: int
    field: str
    at: datetime
    value: str

    @property
    def key(self) -> tuple[int, str, datetime]:
        return self.company_id, self.field, self.at


_COLUMNS = "organization_id bigint, company_id bigint, field text, at timestamptz, value text"


def _row(stored: StoredFieldChange, at: datetime, value: Any) -> _Row:
    return _Row(
        stored.organization_id,
        stored.company_id,
        stored.change.field,
        at,
        orjson.dumps(value).decode(),
    )


def _new_to_history(rows: list[_Row]) -> list[_Row]:
    """The rows that say something else than the history does at their time."""
    found = query_over(
        "select v.company_id, v.field, v.at, v.value from v"
        " where v.value::jsonb is distinct from (select f.value from field_changes f"
        " where f.company_id = v.company_id and f.field = v.field and f.at <= v.at"
        " order by f.at desc limit 1)",
        rows,
        _COLUMNS,
    )
    new = {tuple(row.values()) for row in found}
    return [row for row in rows if (*row.key, row.value) in new]


def _remove_repeats_after(rows: list[_Row]) -> None:
    """Remove what follows each of these rows, which are in the history, and says the same."""
    # Looked for first, by one probe for each: nearly always there is none, and to delete what a
    # join finds the planner would read the whole of a history of middling size.
    repeats = query_over(
        "select f.company_id, f.field, f.at from v cross join lateral"
        " (select company_id, field, at, value from field_changes n"
        " where n.company_id = v.company_id and n.field = v.field and n.at > v.at"
        " order by n.at limit 1) f where f.value is not distinct from v.value::jsonb",
        rows,
        _COLUMNS,
    )
    query_over(
        "delete from field_changes f using v"
        " where f.company_id = v.company_id and f.field = v.field and f.at = v.at",
        repeats,
        "company_id bigint, field text, at timestamptz",
    )


def _insert(rows: list[_Row]) -> list[_Row]:
    """Write rows, of two with the same key the later one; those that were written."""
    by_key = {row.key: row for row in rows}
    written = sorted(by_key.values(), key=lambda row: row.key)
    query_over(
        "insert into field_changes (organization_id, company_id, field, at, value)"
        " select organization_id, company_id, field, at, value::jsonb from v"
        " on conflict (company_id, field, at) do update set value = excluded.value",
        written,
        _COLUMNS,
    )
    return written


def read_for_company(
    company_id: int, fields: Collection[str], *, since: datetime
) -> list[tuple[str, datetime, Any]]:
    """What these fields said at `since` and how they changed after it: (field, at, value).

    One index probe for each field, and a walk over its later changes.
    """
    rows = query(
        "select wanted.field, c.at, c.value from unnest(%(fields)s::text[]) as wanted (field)"
        " cross join lateral ("
        " (select at, value from field_changes where company_id = %(company_id)s"
        " and field = wanted.field and at <= %(since)s order by at desc limit 1)"
        " union all"
        " select at, value from field_changes where company_id = %(company_id)s"
        " and field = wanted.field and at > %(since)s) c order by c.at",
        {"company_id": company_id, "fields": list(fields), "since": since},
    )
    return [(row["field"], row["at"], row["value"]) for row in rows]


def read_for_companies(
    company_ids: Collection[int], fields: Collection[str]
) -> list[tuple[int, str, datetime, Any]]:
    """The whole history of these fields: (company, field, at, value)."""
    rows = query(
        "select company_id, field, at, value from field_changes"
        " where company_id = any(%(company_ids)s) and field = any(%(fields)s)",
        {"company_ids": list(company_ids), "fields": list(fields)},
    )
    return [(row["company_id"], row["field"], row["at"], row["value"]) for row in rows]


def find_last_changes(company_id: int) -> dict[str, datetime]:
    """Since when each field of a company has said what it says, by field."""
    rows = query(
        "select field, max(at) as at from field_changes where company_id = %(company_id)s"
        " group by field",
        {"company_id": company_id},
    )
    return {row["field"]: row["at"] for row in rows}


def read_page(
    company_id: int, *, field: str | None = None, after: str | None = None, limit: int = 50
) -> tuple[list[ListedChange], str | None]:
    """The history of a company's fields, or of one, newest first, and how to ask for the next.

    Raises:
        UnreadableCursor: `after` is not what an earlier page gave.
    """
    rows = query(
        "select field, at, value, before from (select field, at, value,"
        " lag(value) over (partition by field order by at) as before from field_changes"
        " where company_id = %(company_id)s"
        f"{'' if field is None else ' and field = %(field)s'}) changes"
        f" where true{_NEWEST_FIRST.condition(['at', 'field'], after, descending=True)}"
        " order by at desc, field desc limit %(limit)s",
        {
            "company_id": company_id,
            "field": field,
            "limit": limit + 1,
            **_NEWEST_FIRST.read(after),
        },
    )
    found = [ListedChange(**row) for row in rows[:limit]]
    more = len(rows) > limit
    return found, _NEWEST_FIRST.write([found[-1].at, found[-1].field]) if more else None
