"""Reads and writes many rows in one statement: JSON parameters, and COPY."""

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from models.database import database, query

NULL = r"\N"

_CHUNK = 1024 * 1024
"""Bytes that are handed over at once."""

_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def copy_into(table: str, columns: str, lines: Iterable[str]) -> None:
    """Add rows, all or none, within the transaction at hand.

    Each is a line in COPY's text format: its values with tabs between them, and a line break.
    Numbers and times are written as they are.

    Raises:
        psycopg2.IntegrityError: one of them is there already, or breaks another constraint.
    """
    with database.cursor() as cursor:
        text = io.StringIO("".join(lines))
        cursor.copy_expert(f"copy {table} ({columns}) from stdin", text, _CHUNK)


def copied_text(text: str) -> str:
    """A text as it stands in such a line."""
    if text.isprintable() and "\\" not in text:
        return text  # nothing of what is escaped is printable
    return text.translate(_ESCAPED)


def copied_json(value: Any) -> str:
    """A value as JSON, as it stands in such a line."""
    return orjson.dumps(value).decode().replace("\\", r"\\")


def query_over(sql: str, rows: Sequence[Any], columns: str) -> list[dict[str, Any]]:
    """Run SQL over many rows at once, which it sees as the table `v`; what it returned.

    `columns` are those of `v`, with their types. The rows are mappings or dataclasses, and go as
    one JSON parameter, which costs a fraction of binding each of their values.
    """
    if not rows:
        return []
    return query(
        # The planner takes what a function returns for 100 rows, but believes a limit.
        f"with v as (select * from json_to_recordset(%(rows)s) as v ({columns})"
        f" limit {len(rows)}) {sql}",
        {"rows": orjson.dumps(rows).decode()},
    )


def query_over_columns(sql: str, columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """The same for values that come by column, such as `{"id bigint": ids, "at timestamptz": ats}`.

    Each column goes as an array of its own, of which PostgreSQL reads a value in half the time that
    it takes for one in a row. Types that a text can be cast to, so neither JSON nor arrays. `sql`
    may begin with a comma, and go on with further `with` queries.
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
        {name: orjson.dumps(values).decode() for name, values in arrays.items()},
    )
