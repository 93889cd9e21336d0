"""The types of the columns of a file that set fields, which keep the types that they have had."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.imports.csv_files.table import CsvTable
from services.imports.csv_files.values import (
    TEXT,
    Column,
    ColumnType,
    Kind,
    adapt,
    find_conventions,
    recognize,
)
from services.imports.customers.mapping import ColumnMapping
from services.imports.customers.targets import TIME


@dataclass(frozen=True)
class TypedColumns:
    """The type of each column that sets a field, by its number.

    `needs_day_first` is whether a person could say more about the dates of the file.
    """

    types: Mapping[int, ColumnType]
    faults: tuple[str, ...] = ()
    needs_day_first: bool = False


def type_columns(
    table: CsvTable,
    mapping: ColumnMapping,
    known: Mapping[str, str],
    *,
    day_first: bool | None = None,
) -> TypedColumns:
    """Recognize the types of all columns.

    `known` are fields with the JSON type that all their stored values have. A column of such a
    field has that type, and its values of another type are wrong.
    """
    times = mapping.column(TIME)
    columns = {
        column.number: Column.of(table.values(column.number))
        for column in [*mapping.fields, *([times] if times else [])]
    }
    conventions = find_conventions(columns.values(), table.delimiter, day_first=day_first)
    types: dict[int, ColumnType] = {}
    for column in mapping.fields:
        if column.target in mapping.subject.core:
            types[column.number] = TEXT
            continue
        found = recognize(columns[column.number], column.target, conventions)
        types[column.number] = adapt(found, known.get(column.target))
    faults = []
    if times:
        types[times.number] = recognize(columns[times.number], "", conventions)
        if types[times.number].kind is not Kind.DATE:
            why = types[times.number].note or "such as 2026-01-31 or 2026-01-31 09:30"
            faults.append(f"The column `{times.header}` does not have dates or times only: {why}.")
    undecided = any("day or the month" in (kind.note or "") for kind in types.values())
    return TypedColumns(types, tuple(faults), undecided or day_first is not None)
