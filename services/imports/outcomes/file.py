"""A file of outcomes as an organization would load it: its columns, rows, and faults."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from models.companies import companies
from models.companies.fields import provider_ids
from models.outcomes.outcomes import NewOutcome, OutcomeKind
from services.errors import ServiceError
from services.imports.csv_files.table import Bounds, CsvTable, RefusedRow, Row, read_table
from services.imports.csv_files.values import (
    Column,
    ColumnType,
    Kind,
    as_text,
    find_conventions,
    recognize,
    usable_values,
)
from services.imports.outcomes.columns import (
    AMOUNT,
    COMPANY,
    DAY,
    KIND,
    NOTE,
    OutcomeColumns,
    map_columns,
    read_kind,
)
from services.outcomes.entering import OutcomeRefused, check

_LOSSES = (OutcomeKind.LEFT, OutcomeKind.SHRANK)
"""Kinds whose amounts exports write as negative numbers."""


@dataclass(frozen=True)
class OutcomeOptions:
    """How a file is to be loaded: what its headers are, and what it leaves open.

    `kind` is that of all rows; `day_first` is whether 3/4/2026 is in April.
    """

    targets: Mapping[str, str] = field(default_factory=dict)
    kind: OutcomeKind | None = None
    day_first: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the options as JSON."""
        return {**vars(self), "targets": dict(self.targets)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "OutcomeOptions":
        """Read options from JSON."""
        kind = stored["kind"] and OutcomeKind(stored["kind"])
        return cls(**{**stored, "kind": kind})


@dataclass(frozen=True)
class OutcomeOfRow(Row):
    """An outcome of a file; `company` is the client's own id of the company."""

    company: str
    outcome: NewOutcome


@dataclass(frozen=True)
class OutcomeFile:
    """What a file says. A file with faults has no rows; `repeated` is how many repeat another."""

    table: CsvTable
    columns: OutcomeColumns
    needs_day_first: bool = False
    notes: Sequence[str] = ()
    faults: tuple[str, ...] = ()
    rows: Sequence[OutcomeOfRow] = ()
    refused: Sequence[RefusedRow] = ()
    repeated: int = 0


class _Refused(ServiceError):
    """Raised with the reason why a row is refused."""


def read_file(
    organization_id: int,
    content: bytes,
    options: OutcomeOptions,
    now: datetime,
    *,
    bounds: Bounds | None = None,
) -> OutcomeFile:
    """Read a file as an organization would load it, in the current transaction.

    Raises:
        UnreadableFile: it is not a CSV file with a header.
    """
    table = read_table(content, bounds or Bounds())
    columns = map_columns(table, options.targets, options.kind)
    types, faults = _types(table, columns, options)
    undecided = any("the day or the month first" in fault for fault in faults)
    file = OutcomeFile(
        table,
        columns,
        undecided or options.day_first is not None,
        tuple(table.notes),
        (*columns.faults, *faults),
    )
    if file.faults:
        return file
    ids = {_cell(row, columns, COMPANY) for row in table.rows}
    reader = _Reader(columns, types, options, _find_companies(organization_id, ids), now)
    return _with_rows(file, reader)


@dataclass(frozen=True)
class _TypedColumn:
    """What the cells of a column are, and a cell of it as an example."""

    header: str
    type: ColumnType
    example: str

    def convert(self, text: str, *, what: str, mend: str) -> Any:
        """Return the value of a cell that is not empty.

        Raises:
            _Refused: it has none.
        """
        value = self.type.convert(text)
        if value is None:
            raise _Refused(
                f"has `{text[:50]}` in the column `{self.header}`, which is no {what} written as"
                f" most of them are: write it as in `{self.example[:50]}`{mend}"
            )
        return value


def _types(
    table: CsvTable, columns: OutcomeColumns, options: OutcomeOptions
) -> tuple[dict[str, _TypedColumn], list[str]]:
    """Return the types of days and amounts, and why a column cannot be used.

    A type is that of most cells; rows with other ones are refused.
    """
    kinds = {DAY: (Kind.DATE, "days", "2026-01-31"), AMOUNT: (Kind.NUMBER, "amounts", "1200.50")}
    cells = {
        target: list(map(as_text, table.values(column.number)))
        for target in kinds
        if (column := columns.find(target))
    }
    read = {
        target: Column.of(usable_values(texts, kinds[target][0]))
        for target, texts in cells.items()
        if texts
    }
    conventions = find_conventions(read.values(), table.delimiter, day_first=options.day_first)
    types, faults = {}, []
    for target, usable in read.items():
        header, (kind, what, example) = _header(columns, target), kinds[target]
        found = recognize(usable, "", conventions)
        if found.kind is kind:
            types[target] = _TypedColumn(header, found, usable.values[0])
        elif found.note:
            why = found.note.removeprefix("kept as text: ")
            faults.append(f"The {what} of the column `{header}` are unclear: {why}.")
        else:
            faults.append(f"The column `{header}` has no {what}, such as {example}.")
    return types, faults


def _header(columns: OutcomeColumns, target: str) -> str:
    column = columns.find(target)
    return column.header if column else ""


def _find_companies(organization_id: int, ids: Collection[str]) -> dict[str, tuple[str, int]]:
    """Return companies by the ids of a file: their own ids and row ids.

    An id that is none of the client's own may be that of its CRM or payment provider.
    """
    own = companies.find_ids(organization_id, ids)
    others = set(ids) - own.keys() - {""}
    by_provider: dict[str, str] = {}
    for known in provider_ids.find_companies_by_any(organization_id, others) if others else ():
        by_provider.setdefault(known.provider_id, known.external_id)
    rows = companies.find_ids(organization_id, by_provider.values())
    found = {id_: (id_, row_id) for id_, row_id in own.items()}
    return found | {id_: (its, rows[its]) for id_, its in by_provider.items() if its in rows}


def _with_rows(file: OutcomeFile, reader: "_Reader") -> OutcomeFile:
    kept: dict[tuple[int, OutcomeKind, date], OutcomeOfRow] = {}
    refused, repeated = list(file.table.refused), 0
    for row in file.table.rows:
        try:
            read = reader.read(row)
        except _Refused as error:
            refused.append(RefusedRow(row.line, row.cells, str(error)))
            continue
        former = kept.setdefault(
            (read.outcome.company_id, read.outcome.kind, read.outcome.day), read
        )
        if former.outcome != read.outcome:
            reason = f"contradicts line {former.line:,}, which has the same kind and day"
            refused.append(RefusedRow(row.line, row.cells, reason))
        else:
            repeated += former is not read
    refused.sort(key=lambda row: row.line)
    return replace(
        file,
        rows=list(kept.values()),
        refused=refused,
        repeated=repeated,
        notes=[*file.notes, *reader.notes()],
    )


def _cell(row: Row, columns: OutcomeColumns, target: str) -> str:
    column = columns.find(target)
    return as_text(row.cells[column.number]) if column else ""


@dataclass(frozen=True)
class _Reader:
    columns: OutcomeColumns
    types: Mapping[str, _TypedColumn]
    options: OutcomeOptions
    companies: Mapping[str, tuple[str, int]]
    now: datetime

    def read(self, row: Row) -> OutcomeOfRow:
        """Return the outcome of a row.

        Raises:
            _Refused: it has none.
        """
        text = _cell(row, self.columns, COMPANY)
        if not text:
            raise _Refused("names no company")
        if text not in self.companies:
            raise _Refused(f"is about `{text[:50]}`, which is no company")
        company, company_id = self.companies[text]
        kind = self._kind(row)
        note = _cell(row, self.columns, NOTE)
        outcome = NewOutcome(company_id, kind, self._day(row), self._amount(row, kind), note)
        try:
            check(outcome, self.now)
        except OutcomeRefused as error:
            message = str(error)
            raise _Refused(f"cannot be entered: {message[:1].lower()}{message[1:-1]}") from None
        return OutcomeOfRow(row.line, row.cells, company, outcome)

    def notes(self) -> Iterator[str]:
        """Yield what is worth knowing about how the file was read."""
        for column in self.types.values():
            if column.type.note:
                yield f"`{column.header}`: {column.type.note}."

    def _kind(self, row: Row) -> OutcomeKind:
        if self.options.kind is not None:
            return self.options.kind
        text = _cell(row, self.columns, KIND)
        kind = read_kind(text)
        if kind is None:
            kinds = ", ".join(OutcomeKind)
            raise _Refused(f"has `{text[:50]}` as its kind, which is none of {kinds}")
        return kind

    def _day(self, row: Row) -> date:
        text = _cell(row, self.columns, DAY)
        if not text:
            raise _Refused("has no day")
        read = self.types[DAY].convert(text, what="day", mend="")
        return date.fromisoformat(str(read)[:10])

    def _amount(self, row: Row, kind: OutcomeKind) -> Decimal | None:
        text = _cell(row, self.columns, AMOUNT)
        if not text:
            return None
        mend = ", or leave the cell empty"
        value = self.types[AMOUNT].convert(text, what="amount", mend=mend)
        amount = Decimal(str(value)).quantize(Decimal("0.01"))
        return abs(amount) if kind in _LOSSES else amount
