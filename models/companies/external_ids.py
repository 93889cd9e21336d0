"""Finds the ids of rows by the clients' own ids."""

from collections.abc import Collection

from models.bulk import query_over_columns


def find_row_ids(table: str, organization_id: int, keys: Collection[str]) -> dict[str, int]:
    """Return the ids of an organization's existing rows in a table by the clients' own ids."""
    rows = query_over_columns(
        f"select array_agg(t.id order by v.place) as ids from v left join {table} t"
        " on t.organization_id = %(organization_id)s and t.external_id = v.external_id",
        {"external_id text": list(keys), "place integer": list(range(len(keys)))},
        organization_id=organization_id,
    )
    ids = rows[0]["ids"] if rows else ()
    return {key: row_id for key, row_id in zip(keys, ids, strict=True) if row_id is not None}
