"""Lists the custom fields that companies have."""

from collections.abc import Collection
from typing import Any

from models.database import query

SAMPLE_SIZE = 1_000
"""The most companies, the newest ones, that are searched for custom fields."""

SAMPLE_BYTES = 1024 * 1024
"""The most bytes, as stored, of their custom fields: companies may have a thousand fields each."""

MOST_NAMES = 500
"""The most names of an organization that are listed: each company may have names of its own."""

_NEWEST = """
    select traits from (
        select traits, sum(pg_column_size(traits)) over newer as bytes_of_newer
        from (select id, traits from companies where organization_id = %(organization_id)s
            order by id desc limit %(sample)s) newest
        window newer as (order by id desc rows between unbounded preceding and 1 preceding)
    ) sized where coalesce(bytes_of_newer, 0) < %(sample_bytes)s
"""


def list_names(organization_id: int) -> list[str]:
    """Return the most frequent custom fields of the newest companies, the first one first."""
    rows = query(
        f"select field from ({_NEWEST}) newest cross join lateral jsonb_object_keys(traits) field"
        f" group by field order by count(*) desc, field limit {MOST_NAMES}",
        _sample_of(organization_id),
    )
    return [row["field"] for row in rows]


def count_values(organization_id: int, names: Collection[str]) -> dict[str, int]:
    """Count the distinct values of these custom fields among the newest companies."""
    rows = query(
        f"select field.key, count(distinct field.value) as number from ({_NEWEST}) newest"
        " cross join lateral jsonb_each_text(traits) field"
        " where field.key = any(%(names)s) group by field.key",
        _sample_of(organization_id) | {"names": list(names)},
    )
    return {row["key"]: row["number"] for row in rows}


def _sample_of(organization_id: int) -> dict[str, Any]:
    """Return the parameters of `_NEWEST`."""
    return {
        "organization_id": organization_id,
        "sample": SAMPLE_SIZE,
        "sample_bytes": SAMPLE_BYTES,
    }
