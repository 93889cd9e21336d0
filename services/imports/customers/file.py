"""A file of companies or users as an organization would load it: its columns, rows, and faults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from models.companies import companies, users
from models.companies.fields import field_types
from services.errors import ServiceError
from services.imports.csv_files.table import Bounds, CsvTable, RefusedRow, read_table
from services.imports.customers import presets
from services.imports.customers.column_types import TypedColumns, type_columns
from services.imports.customers.mapping import (
    ColumnMapping,
    candidates_for_id,
    map_columns,
)
from services.imports.customers.matching import Matched, match
from services.imports.customers.presets import Preset
from services.imports.customers.rows import (
    CustomerRow,
    read_rows,
    without_repetitions,
)
from services.imports.customers.targets import COMPANIES, TIME, Subject

NO_PRESET = "none"


class UnusableOptions(ServiceError):
    """Raised when a file cannot be loaded as it was asked: one sentence for each reason."""


@dataclass(frozen=True)
class ImportOptions:
    """How a file is to be loaded.

    `preset` is the name of one, `none`, or None to detect it; `targets` are what headers are mapped
    to. The fields of a row apply as of its column of times, else as of `as_of`, else as of the
    import. `day_first` is whether 3/4/2026 is in April. With `change_types`, a field may get values
    of another type than it has had.
    """

    preset: str | None = None
    targets: Mapping[str, str] = field(default_factory=dict)
    as_of: datetime | None = None
    day_first: bool | None = None
    change_types: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the options as JSON."""
        as_of = self.as_of.isoformat() if self.as_of else None
        return {**vars(self), "targets": dict(self.targets), "as_of": as_of}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "ImportOptions":
        """Read options from JSON."""
        as_of = stored["as_of"] and datetime.fromisoformat(stored["as_of"])
        return cls(**{**stored, "as_of": as_of})


@dataclass(frozen=True)
class CustomerFile:
    """What a file says: its rows by the ids of the companies or users, in the order of the file.

    `known` are the JSON types that its fields have so far; a field that is not among them is new.
    `own_ids` is the column that was taken for the customer's own ids because it has ids that are
    stored. `repeated` is how many rows only repeat another. A file with faults has no rows.
    """

    subject: Subject
    table: CsvTable
    mapping: ColumnMapping
    columns: TypedColumns
    known: Mapping[str, set[str]]
    preset_detected: bool
    faults: tuple[str, ...] = ()
    rows: Mapping[str, Sequence[CustomerRow]] = field(default_factory=dict)
    refused: Sequence[RefusedRow] = ()
    repeated: int = 0
    matched: Matched = field(default_factory=Matched)
    own_ids: str | None = None

    @property
    def new_fields(self) -> list[str]:
        """The fields with values that no company or user has had so far."""
        return [
            column.target
            for column in self.mapping.fields
            if column.target not in self.known
            and column.target not in self.subject.core
            and next(self.table.values(column.number), None)
        ]


def read_file(
    organization_id: int,
    content: bytes,
    subject: Subject,
    options: ImportOptions,
    now: datetime,
    *,
    bounds: Bounds | None = None,
) -> CustomerFile:
    """Read a file as an organization would load it, in the current transaction.

    Raises:
        UnreadableFile: it is not a CSV file with a header.
        UnusableOptions: there is no such preset.
    """
    table = read_table(content, bounds or Bounds())
    preset = _preset(table, subject, options)
    mapping = map_columns(table, subject, preset, options.targets)
    own_ids = _column_with_stored_ids(organization_id, table, mapping, options)
    if own_ids is not None:
        mapping = map_columns(table, subject, preset, {**options.targets, own_ids: "id"})
    custom = [c.target for c in mapping.fields if c.target not in subject.core]
    kind: Literal["companies", "users"] = "companies" if subject is COMPANIES else "users"
    known = field_types.read_types(kind, organization_id, custom)
    only = {name: next(iter(types)) for name, types in known.items() if len(types) == 1}
    columns = type_columns(
        table, mapping, {} if options.change_types else only, day_first=options.day_first
    )
    faults = [*mapping.faults, *columns.faults]
    if options.as_of and mapping.column(TIME):
        faults.append("The time is given twice: by a column, and for all rows. Choose one.")
    made = CustomerFile(
        subject,
        table,
        mapping,
        columns,
        known,
        options.preset is None,
        tuple(faults),
        own_ids=own_ids,
    )
    return made if faults else _with_rows(organization_id, made, options.as_of, now)


def _with_rows(
    organization_id: int, file: CustomerFile, as_of: datetime | None, now: datetime
) -> CustomerFile:
    read, refused = read_rows(file.table, file.mapping, file.columns, now, as_of=as_of)
    matched = match(organization_id, read, file.subject, file.mapping.preset)
    kept, contradicting, repeated = without_repetitions(matched.rows, matched.ids)
    rows: dict[str, list[CustomerRow]] = {}
    for row_id, row in kept:
        rows.setdefault(row_id, []).append(row)
    all_refused = sorted([*refused, *matched.refused, *contradicting], key=lambda row: row.line)
    return CustomerFile(
        **{
            **vars(file),
            "rows": rows,
            "refused": all_refused,
            "repeated": repeated,
            "matched": matched,
        }
    )


def _column_with_stored_ids(
    organization_id: int, table: CsvTable, mapping: ColumnMapping, options: ImportOptions
) -> str | None:
    """Return the column most of whose values are ids of stored companies or users, if needed.

    It is needed if the ids would otherwise be those of the product that wrote the file.
    """
    if not mapping.takes_provider_id:
        return None
    find_ids = companies.find_ids if mapping.subject is COMPANIES else users.find_ids
    for header in candidates_for_id(mapping):
        column = next(column for column in mapping.columns if column.header == header)
        values = set(table.values(column.number))
        if header not in options.targets and 2 * len(find_ids(organization_id, values)) > len(
            values
        ):
            return header
    return None


def _preset(table: CsvTable, subject: Subject, options: ImportOptions) -> Preset | None:
    if options.preset is None:
        return presets.detect(table, subject)
    if options.preset == NO_PRESET:
        return None
    preset = presets.find_preset(options.preset, subject)
    if preset is None:
        known = [p.name for p in presets.PRESETS if p.subject is subject]
        raise UnusableOptions(
            f"There is no preset `{options.preset}` for {subject.many}; known: {', '.join(known)}."
        )
    return preset
