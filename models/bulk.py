"""Reads and writes many rows in one statement, by JSON parameters or by COPY."""

import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from models.database import database, query, rows_of

NULL = r"\N"

_CHUNK = 1024 * 1024
"""Bytes that are passed to libpq at a time."""

_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def copy_into(table: str, columns: str, lines: Iterable[str]) -> None:
    """Insert rows, all or none, in the current transaction.

    Each is a line in COPY's text format: values separated by tabs, and a line break. Numbers and
    times need no escaping.

    Raises:
        psycopg2.IntegrityError: One of them exists already, or violates another constraint.
    """
    with database.cursor() as cursor:
        text = io.StringIO("".join(lines))
        cursor.copy_expert(f"copy {table} ({columns}) from stdin", text, _CHUNK)


def escape_text(text: str) -> str:
    """Escape a text for a line of COPY."""
    if text.isprintable() and "\\" not in text:
        return text  # all other characters that need escaping are unprintable
    return text.translate(_ESCAPED)


def escape_json(value: Any) -> str:
    """Return a value as JSON, escaped for a line of COPY."""
    return orjson.dumps(value).decode().replace("\\", r"\\")


def insert(
    table: str,
    columns: Sequence[str],
    rows: Sequence[Any],
    *,
    json_columns: Collection[str] = (),
    then: str = "",
) -> list[dict[str, Any]]:
    """Insert mappings or dataclasses in one statement, and return the rows that it returns.

    `then` is the end of the statement, such as `on conflict do nothing returning id`. The values
    are part of the statement, so a distributed PostgreSQL knows the organization of each row.
    """
    if not rows:
        return []
    values = [
        _as_json(value) if name in json_columns else str(value) if type(value) is UUID else value
        for row in rows
        for of_row in [row if isinstance(row, Mapping) else vars(row)]
        for name in columns
        for value in [of_row[name]]
    ]
    places = f"({', '.join(['%s'] * len(columns))})"
    cursor = database.execute_sql(
        f"insert into {table} ({', '.join(columns)}) values"
        f" {', '.join([places] * len(rows))} {then}",
        values,
    )
    return rows_of(cursor)


def _as_json(value: Any) -> str | None:
    """Return a value as the text of JSON; the driver's own way takes several times as long."""
    return None if value is None else orjson.dumps(value).decode()


def query_over(
    sql: str, rows: Sequence[Any], columns: str, **parameters: Any
) -> list[dict[str, Any]]:
    """Run SQL over many rows, which it reads from the table `v`, and return its rows.

    `columns` are the columns of `v` with their types. The rows are mappings or dataclasses; they
    are one JSON parameter, which costs a fraction of binding each of their values. Other parameters
    of the SQL are given by name.
    """
    if not rows:
        return []
    return query(
        # The planner assumes that a function returns 100 rows, but believes a limit.
        f"with v as (select * from json_to_recordset(%(rows)s) as v ({columns})"
        f" limit {len(rows)}) {sql}",
        {"rows": orjson.dumps(rows).decode(), **parameters},
    )


def query_over_columns(
    sql: str, columns: Mapping[str, Sequence[Any]], **parameters: Any
) -> list[dict[str, Any]]:
    """Run SQL over values passed by column, such as `{"id bigint": ids, "at timestamptz": times}`.

    Each column is one JSON array, from which PostgreSQL reads a value in half the time that one in
    a row of `query_over` takes. The types must be castable from text, so neither JSON nor arrays.
    `sql` may begin with a comma to continue the `with` clause.
    """
    kinds = dict(column.split(" ", 1) for column in columns)
    arrays = dict(zip(kinds, columns.values(), strict=True))
    number = len(next(iter(arrays.values())))
    if not number:
        return []
    read = ", ".join(f"json_array_elements_text(%({name})s)" for name in kinds)
    cast = ", ".join(f"{name}::{kind}" for name, kind in kinds.items())
    return query(
        f"with v as (select {cast} from rows from ({read}) as v ({', '.join(kinds)})"
        f" limit {number}) {sql}",
        {name: orjson.dumps(values).decode() for name, values in arrays.items()} | parameters,
    )
