"""The history of companies' fields: what each said from which instant on."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.database import insert_rows, json, query
from models.traits import Change


@dataclass(frozen=True)
class StoredFieldChange:
    """What an event said of one field of a company."""

    organization_id: int
    company_id: int
    change: Change


def add(changes: Iterable[StoredFieldChange]) -> None:
    """Record changes; of two at the same instant the one that comes later stays.

    One of the past that says what the history says already adds nothing.
    """
    newest: list[StoredFieldChange] = []
    late: list[StoredFieldChange] = []
    for stored in changes:
        (newest if stored.change.held is None else late).append(stored)
    _insert([_row(c, c.change.at, c.change.value) for c in newest])
    if late:
        _insert(added := _new_to_history([_row(c, c.change.at, c.change.value) for c in late]))
        _remove_repeats_after(added)
        _insert(_new_to_history([_row(c, *c.change.held) for c in late if c.change.held]))


Row = tuple[int, int, str, datetime, Any]


def _row(stored: StoredFieldChange, at: datetime, value: Any) -> Row:
    return stored.organization_id, stored.company_id, stored.change.field, at, value


def _new_to_history(rows: list[Row]) -> list[Row]:
    """The rows that say something else than the history does at their time."""
    found = insert_rows(
        "select v.number from (values %s) v (number, company_id, field, at, value)"
        " where v.value::jsonb is distinct from (select f.value from field_changes f"
        " where f.company_id = v.company_id and f.field = v.field and f.at <= v.at"
        " order by f.at desc limit 1)",
        [(number, row[1], row[2], row[3], json(row[4])) for number, row in enumerate(rows)],
        returning=True,
    )
    return [rows[number] for (number,) in found]


def _remove_repeats_after(rows: list[Row]) -> None:
    """Remove what follows each of these rows and says the same."""
    insert_rows(
        "delete from field_changes f using (values %s) v (company_id, field, at)"
        " where f.company_id = v.company_id and f.field = v.field and f.at ="
        " (select min(n.at) from field_changes n where n.company_id = v.company_id"
        " and n.field = v.field and n.at > v.at)"
        " and f.value is not distinct from (select s.value from field_changes s"
        " where s.company_id = v.company_id and s.field = v.field and s.at = v.at)",
        [row[1:4] for row in rows],
    )


def _insert(rows: list[Row]) -> None:
    by_key = {row[1:4]: row for row in rows}
    in_order = [row for _, row in sorted(by_key.items(), key=lambda item: item[0])]
    insert_rows(
        "insert into field_changes (organization_id, company_id, field, at, value) values %s"
        " on conflict (company_id, field, at) do update set value = excluded.value",
        [(*row[:4], json(row[4])) for row in in_order],
    )


def of_company(
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


def of_companies(
    company_ids: Collection[int], fields: Collection[str]
) -> list[tuple[int, str, datetime, Any]]:
    """The whole history of these fields: (company, field, at, value)."""
    rows = query(
        "select company_id, field, at, value from field_changes"
        " where company_id = any(%(company_ids)s) and field = any(%(fields)s)",
        {"company_ids": list(company_ids), "fields": list(fields)},
    )
    return [(row["company_id"], row["field"], row["at"], row["value"]) for row in rows]
