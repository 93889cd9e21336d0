"""The history of companies' fields: which value each had from which instant on."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from models.bulk import insert, query_over
from models.companies.fields.field_merge import FieldChange
from models.cursors import Cursor
from models.database import query


@dataclass(frozen=True)
class StoredFieldChange:
    """A change of one field of a company."""

    company_id: int
    change: FieldChange


@dataclass(frozen=True)
class ListedChange:
    """The value of a field from an instant on, and its value before, None if that is unknown."""

    field: str
    at: datetime
    value: Any
    before: Any


_NEWEST_FIRST = Cursor("field changes", ("timestamptz", "text"))


def add(organization_id: int, changes: Iterable[StoredFieldChange]) -> None:
    """Record changes of an organization's companies.

    Of two at the same instant, the one that arrives later replaces the other. A late change to the
    value that the history has at its time adds nothing.
    """
    newest: list[StoredFieldChange] = []
    late: list[StoredFieldChange] = []
    for stored in changes:
        (late if stored.change.late else newest).append(stored)
    _insert(
        [_row(organization_id, stored, stored.change.at, stored.change.value) for stored in newest]
    )
    if late:
        rows = [
            _row(organization_id, stored, stored.change.at, stored.change.value) for stored in late
        ]
        inserted = _insert(_without_repeats(organization_id, rows))
        _remove_repeats_after(organization_id, inserted)
        newer = [
            _row(organization_id, stored, *stored.change.newer)
            for stored in late
            if stored.change.newer
        ]
        _insert(_without_repeats(organization_id, newer))


@dataclass(frozen=True)
class _Row:
    """One entry of the history; `value` is JSON, which may be null."""

    organization_id: int
    company_id: int
    field: str
    at: datetime
    value: str

    @property
    def key(self) -> tuple[int, str, datetime]:
        return self.company_id, self.field, self.at


_COLUMNS = "company_id bigint, field text, at timestamptz, value text"


def _row(organization_id: int, stored: StoredFieldChange, at: datetime, value: Any) -> _Row:
    return _Row(
        organization_id,
        stored.company_id,
        stored.change.field,
        at,
        orjson.dumps(value).decode(),
    )


def _without_repeats(organization_id: int, rows: list[_Row]) -> list[_Row]:
    """Return the rows whose value differs from that of the history at their time."""
    differing = query_over(
        "select v.company_id, v.field, v.at, v.value from v"
        " where v.value::jsonb is distinct from (select f.value from field_changes f"
        " where f.organization_id = %(organization_id)s and f.company_id = v.company_id"
        " and f.field = v.field and f.at <= v.at"
        " order by f.at desc limit 1)",
        rows,
        _COLUMNS,
        organization_id=organization_id,
    )
    new = {tuple(row.values()) for row in differing}
    return [row for row in rows if (*row.key, row.value) in new]


def _remove_repeats_after(organization_id: int, rows: list[_Row]) -> None:
    """Remove the next entry after each of these rows of the history if it has the same value."""
    # A separate query with one probe for each row, since there is nearly always nothing to delete:
    # for a delete with a join, the planner would read all of a medium-sized history.
    repeats = query_over(
        "select f.company_id, f.field, f.at from v cross join lateral"
        " (select company_id, field, at, value from field_changes n"
        " where n.organization_id = %(organization_id)s and n.company_id = v.company_id"
        " and n.field = v.field and n.at > v.at"
        " order by n.at limit 1) f where f.value is not distinct from v.value::jsonb",
        rows,
        _COLUMNS,
        organization_id=organization_id,
    )
    query_over(
        "delete from field_changes f using v"
        " where f.organization_id = %(organization_id)s and f.company_id = v.company_id"
        " and f.field = v.field and f.at = v.at",
        repeats,
        "company_id bigint, field text, at timestamptz",
        organization_id=organization_id,
    )


def _insert(rows: list[_Row]) -> list[_Row]:
    """Insert or replace rows, of two with the same key the later one, and return them."""
    by_key = {row.key: row for row in rows}
    written = sorted(by_key.values(), key=lambda row: row.key)
    insert(
        "field_changes",
        tuple(_Row.__dataclass_fields__),
        written,
        then="on conflict (organization_id, company_id, field, at)"
        " do update set value = excluded.value",
    )
    return written


_OF_COMPANY = "organization_id = %(organization_id)s and company_id = %(company_id)s"


def read_for_each(
    organization_id: int, field: str, since: Sequence[tuple[int, datetime]]
) -> list[list[tuple[str, datetime, Any]]]:
    """Return the value of a field of companies, each at an instant, and its later changes.

    Entries are (field, at, value). One index probe for each company, and a scan of later changes.
    """
    of_field = (
        "organization_id = %(organization_id)s and company_id = v.company_id and field = %(field)s"
    )
    rows = query_over(
        "select v.n, c.at, c.value from v cross join lateral"
        f" ((select at, value from field_changes where {of_field} and at <= v.since"
        " order by at desc limit 1)"
        f" union all select at, value from field_changes where {of_field} and at > v.since) c"
        " order by c.at",
        [{"n": n, "company_id": company, "since": at} for n, (company, at) in enumerate(since)],
        "n integer, company_id bigint, since timestamptz",
        organization_id=organization_id,
        field=field,
    )
    changes: list[list[tuple[str, datetime, Any]]] = [[] for _ in since]
    for row in rows:
        changes[row["n"]].append((field, row["at"], row["value"]))
    return changes


def read_for_companies(
    organization_id: int, company_ids: Collection[int], fields: Collection[str]
) -> list[tuple[int, str, datetime, Any]]:
    """Return the whole history of fields of companies: (company, field, at, value)."""
    rows = query(
        "select company_id, field, at, value from field_changes"
        " where organization_id = %(organization_id)s and company_id = any(%(company_ids)s)"
        " and field = any(%(fields)s)",
        {
            "organization_id": organization_id,
            "company_ids": list(company_ids),
            "fields": list(fields),
        },
    )
    return [(row["company_id"], row["field"], row["at"], row["value"]) for row in rows]


def find_firsts_after(
    organization_id: int, instants: Mapping[int, datetime], fields: Collection[str]
) -> dict[int, datetime]:
    """Return the time of each company's first change of these fields after an instant, if any.

    One index probe for each company and field.
    """
    rows = query_over(
        "select v.company_id, min(following.at) as at from v cross join lateral"
        " (select at from field_changes where organization_id = %(organization_id)s"
        " and company_id = v.company_id and field = v.field and at > v.after"
        " order by at limit 1) following group by 1",
        [
            {"company_id": company_id, "after": after, "field": name}
            for company_id, after in instants.items()
            for name in fields
        ],
        "company_id bigint, after timestamptz, field text",
        organization_id=organization_id,
    )
    return {row["company_id"]: row["at"] for row in rows}


def find_last_changes(organization_id: int, company_id: int) -> dict[str, datetime]:
    """Return since when each field of a company has had its value, by field."""
    rows = query(
        f"select field, max(at) as at from field_changes where {_OF_COMPANY} group by field",
        {"organization_id": organization_id, "company_id": company_id},
    )
    return {row["field"]: row["at"] for row in rows}


def read_page(
    organization_id: int,
    company_id: int,
    *,
    field: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[ListedChange], str | None]:
    """Return the changes of a company's fields, or of one, newest first, and the next cursor.

    Raises:
        UnreadableCursor: `after` is not a cursor of this list.
    """
    rows = query(
        "select field, at, value, before from (select field, at, value,"
        " lag(value) over (partition by field order by at) as before from field_changes"
        f" where {_OF_COMPANY}"
        f"{'' if field is None else ' and field = %(field)s'}) changes"
        f" where true{_NEWEST_FIRST.condition(['at', 'field'], after, descending=True)}"
        " order by at desc, field desc limit %(limit)s",
        {
            "organization_id": organization_id,
            "company_id": company_id,
            "field": field,
            "limit": limit + 1,
            **_NEWEST_FIRST.read(after),
        },
    )
    changes = [ListedChange(**row) for row in rows[:limit]]
    return changes, _NEWEST_FIRST.next_page(rows, limit, "at", "field")
