"""Finds the ids of rows by the clients' own ids."""

from collections.abc import Collection

from models.bulk import query_over_columns

ExternalKey = tuple[int, str]
"""An organization's id, and the client's own id of one of its companies or users."""


def find_row_ids(table: str, keys: Collection[ExternalKey]) -> dict[ExternalKey, int]:
    """Return the ids of a table's existing rows with these keys."""
    rows = query_over_columns(
        f"select array_agg(t.id order by v.place) as ids from v left join {table} t"
        " using (organization_id, external_id)",
        {
            "organization_id bigint": [organization_id for organization_id, _ in keys],
            "external_id text": [external_id for _, external_id in keys],
            "place integer": list(range(len(keys))),
        },
    )
    ids = rows[0]["ids"] if rows else ()
    return {key: row_id for key, row_id in zip(keys, ids, strict=True) if row_id is not None}
