"""Turns the rows of a file into companies or users with typed fields."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.accounts.people import ChangeRefused, read_email
from services.errors import ServiceError
from services.imports.csv_files.table import CsvTable, RefusedRow, Row
from services.imports.csv_files.values import as_text
from services.imports.customers.column_types import TypedColumns
from services.imports.customers.mapping import ColumnMapping, MappedColumn
from services.imports.customers.salesforce_ids import lengthen
from services.imports.customers.targets import (
    COMPANY_ID,
    COMPANY_PROVIDER_ID,
    PROVIDER_ID,
    TIME,
    USERS,
)

LONGEST_TEXT = 200
"""Characters of an id or a core field, as in events."""

FUTURE_TOLERANCE = timedelta(hours=1)
"""How far in the future a time may be, as in events."""


@dataclass(frozen=True)
class CustomerRow(Row):
    """A company or user of a file, with the time as of which its fields apply, None for now.

    `id` is its own id, None where the file has only the one of the product that wrote it.
    """

    id: str | None
    fields: Mapping[str, Any]
    at: datetime | None = None
    provider_id: str | None = None
    company_id: str | None = None
    company_provider_id: str | None = None


def read_rows(
    table: CsvTable,
    mapping: ColumnMapping,
    columns: TypedColumns,
    now: datetime,
    *,
    as_of: datetime | None = None,
) -> tuple[list[CustomerRow], list[RefusedRow]]:
    """Return the companies or users of a file, and the rows that are refused.

    Rows without a time of their own have `as_of`.
    """
    reader = _Reader(mapping, columns, now, as_of)
    read: list[CustomerRow] = []
    refused = list(table.refused)
    for row in table.rows:
        try:
            read.append(reader.read(row))
        except _Refused as error:
            refused.append(RefusedRow(row.line, row.cells, str(error)))
    return read, sorted(refused, key=lambda row: row.line)


class _Refused(ServiceError):
    """Raised with the reason why a row is refused."""


class _Reader:
    def __init__(
        self,
        mapping: ColumnMapping,
        columns: TypedColumns,
        now: datetime,
        as_of: datetime | None,
    ) -> None:
        self._as_of = as_of
        self._mapping = mapping
        self._columns = columns
        self._latest = now + FUTURE_TOLERANCE
        self._now = now
        self._special = {
            target: mapping.column(target)
            for target in ("id", PROVIDER_ID, COMPANY_ID, COMPANY_PROVIDER_ID, TIME)
        }
        preset = mapping.preset
        self._salesforce = preset is not None and preset.provider == "salesforce"
        self._name_from = [
            column
            for name in (preset.name_from if preset else ())
            for column in mapping.fields
            if column.target == name
        ]

    def read(self, row: Row) -> CustomerRow:
        own_id = self._id(row, "id")
        provider_id = self._id(row, PROVIDER_ID)
        if own_id is None and provider_id is None:
            raise _Refused(f"has no id in `{self._id_header}`")
        users = self._mapping.subject is USERS
        made = CustomerRow(row.line, row.cells, own_id, {}, self._time(row), provider_id)
        if users:
            made = replace(
                made,
                company_id=self._id(row, COMPANY_ID),
                company_provider_id=self._first_id(row, COMPANY_PROVIDER_ID),
            )
        return replace(made, fields=self._fields(row, provider_id))

    @property
    def _id_header(self) -> str:
        column = self._special["id"] or self._special[PROVIDER_ID]
        return column.header if column else "id"

    def _cell(self, row: Row, target: str) -> str:
        column = self._special[target]
        if column is None or (target == COMPANY_ID and self._mapping.subject is not USERS):
            return ""
        return as_text(row.cells[column.number])

    def _id(self, row: Row, target: str) -> str | None:
        return self._checked_id(self._cell(row, target), target)

    def _first_id(self, row: Row, target: str) -> str | None:
        """Return the first of several ids, which HubSpot separates by semicolons."""
        return self._checked_id(self._cell(row, target).partition(";")[0].strip(), target)

    def _checked_id(self, text: str, target: str) -> str | None:
        if len(text) > LONGEST_TEXT:
            raise _Refused(f"has an id of {len(text):,} characters; at most {LONGEST_TEXT}")
        if target in (PROVIDER_ID, COMPANY_PROVIDER_ID) and self._salesforce:
            text = lengthen(text)
        return text or None

    def _time(self, row: Row) -> datetime | None:
        column = self._special[TIME]
        text = row.cells[column.number] if column else ""
        if column is None or not text:
            return self._as_of
        read = self._columns.types[column.number].convert(text)
        if read is None:
            raise _Refused(f"has `{text[:50]}` in `{column.header}`, which is no date or time")
        at = datetime.fromisoformat(read)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        if at > self._latest:
            raise _Refused(f"has a time in the future in `{column.header}`: {text[:50]}")
        return min(at, self._now)

    def _fields(self, row: Row, provider_id: str | None) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        preset = self._mapping.preset
        if preset and preset.provider and provider_id:
            fields |= zip(preset.provider_fields, (preset.provider, provider_id), strict=True)
        for column in self._mapping.fields:
            if text := row.cells[column.number]:
                fields[column.target] = self._value(column, text)
        if "name" not in fields and (name := self._name(row, fields)):
            fields["name"] = name[:LONGEST_TEXT]
        return fields

    def _value(self, column: MappedColumn, text: str) -> Any:
        kind = self._columns.types[column.number]
        value = kind.convert(text)
        if value is None:
            raise _Refused(
                f"has `{text[:50]}` in `{column.header}`, but the field `{column.target}` has been"
                f" a {kind.kind} so far"
            )
        if column.target == "email" and self._mapping.subject is USERS:
            try:
                return read_email(text)
            except ChangeRefused:
                raise _Refused(f"has an invalid email in `{column.header}`: {text[:50]}") from None
        if column.target in self._mapping.subject.core and len(text) > LONGEST_TEXT:
            raise _Refused(
                f"has {len(text):,} characters in `{column.header}`; `{column.target}` has at most"
                f" {LONGEST_TEXT}"
            )
        return value

    def _name(self, row: Row, fields: Mapping[str, Any]) -> str | None:
        """Return a name that is put together from others."""
        for column in self._name_from:
            if text := row.cells[column.number]:
                return text
        if self._mapping.subject is not USERS:
            return None
        parts = [str(fields[part]) for part in ("first_name", "last_name") if part in fields]
        return " ".join(parts) or None


def without_repetitions(
    rows: Iterable[CustomerRow], ids: Sequence[str]
) -> tuple[list[tuple[str, CustomerRow]], list[RefusedRow], int]:
    """Return the rows with their ids, the refused ones, and how many only repeat another.

    Of rows with the same id and time and different values, the first one counts: nothing shows
    which of them is right, and it must not depend on how the file is split.
    """
    first: dict[tuple[str, datetime | None], CustomerRow] = {}
    kept: list[tuple[str, CustomerRow]] = []
    refused: list[RefusedRow] = []
    repeated = 0
    for row_id, row in zip(ids, rows, strict=True):
        known = first.setdefault((row_id, row.at), row)
        if known is row:
            kept.append((row_id, row))
        elif _said(known) == _said(row):
            repeated += 1
        else:
            reason = f"has the same id as line {known.line:,}, `{row_id}`, and other values"
            refused.append(RefusedRow(row.line, row.cells, reason))
    return kept, refused, repeated


def _said(row: CustomerRow) -> tuple[Any, ...]:
    return row.fields, row.company_id, row.company_provider_id
