"""The JSON types that the values of custom fields have."""

from collections import defaultdict
from collections.abc import Collection
from typing import Literal

from models.companies.fields.field_names import SAMPLE_BYTES, SAMPLE_SIZE
from models.database import query


def read_types(
    table: Literal["companies", "users"], organization_id: int, names: Collection[str]
) -> dict[str, set[str]]:
    """Return the types of the values of these fields: `string`, `number`, `boolean` and others.

    Reads the newest companies or users. A field that none of them has is left out.
    """
    rows = query(
        "select field.key, jsonb_typeof(field.value) as type from ("
        " select traits from ("
        "  select traits, sum(pg_column_size(traits)) over newer as bytes_of_newer"
        f"  from (select id, traits from {table} where organization_id = %(organization_id)s"
        "   order by id desc limit %(sample)s) newest"
        "  window newer as (order by id desc rows between unbounded preceding and 1 preceding)"
        " ) sized where coalesce(bytes_of_newer, 0) < %(sample_bytes)s"
        ") newest cross join lateral jsonb_each(traits) field"
        " where field.key = any(%(names)s) and field.value <> 'null'"
        " group by field.key, jsonb_typeof(field.value)",
        {
            "organization_id": organization_id,
            "sample": SAMPLE_SIZE,
            "sample_bytes": SAMPLE_BYTES,
            "names": list(names),
        },
    )
    types: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        types[row["key"]].add(row["type"])
    return types
