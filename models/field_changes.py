"""The history of companies' fields: what each said from which instant on."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.database import insert_rows, json, query


@dataclass(frozen=True)
class StoredFieldChange:
    """That a field has had this value from an instant on."""

    organization_id: int
    company_id: int
    field: str
    at: datetime
    value: Any


def add(changes: Iterable[StoredFieldChange]) -> None:
    """Record changes; of two at the same instant the one that comes later stays."""
    by_key = {(c.company_id, c.field, c.at): c for c in changes}
    insert_rows(
        "insert into field_changes (organization_id, company_id, field, at, value) values %s"
        " on conflict (company_id, field, at) do update set value = excluded.value",
        [
            (c.organization_id, c.company_id, c.field, c.at, json(c.value))
            for _, c in sorted(by_key.items(), key=lambda item: item[0])
        ],
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
