"""Maps the columns of a file to fields: as given, by a preset, by their names."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum

from services.imports.csv_files.field_names import field_name
from services.imports.csv_files.table import CsvTable
from services.imports.customers.presets import Preset
from services.imports.customers.targets import (
    COMPANIES_OF_USERS,
    COMPANY_ID,
    COMPANY_PROVIDER_ID,
    EMAILS,
    LEFT_OUT,
    PROVIDER_ID,
    TIME,
    USERS,
    Subject,
)

_SPECIAL = (TIME, PROVIDER_ID, COMPANY_PROVIDER_ID)

REFUSED_COLUMNS = "refused_line", "refused_because"
"""The columns that a file of refused rows begins with."""

LONGEST_FIELD = 200
"""Characters of the name of a field."""


class How(StrEnum):
    """Why a column is mapped as it is."""

    GIVEN = "given"
    PRESET = "preset"
    GUESSED = "guessed"
    HEADER = "its name"


@dataclass(frozen=True)
class MappedColumn:
    """A column of a file, by its number from 0 on, and the field that it sets."""

    number: int
    header: str
    target: str
    how: How


@dataclass(frozen=True)
class ColumnMapping:
    """What each column with a name is mapped to; `faults` keep it from being used."""

    subject: Subject
    columns: tuple[MappedColumn, ...]
    preset: Preset | None = None
    faults: tuple[str, ...] = ()

    def column(self, target: str) -> MappedColumn | None:
        """Return the column with this target."""
        return next((column for column in self.columns if column.target == target), None)

    @property
    def fields(self) -> list[MappedColumn]:
        """The columns that set fields, which excludes ids and times."""
        special = {LEFT_OUT, "id", *_SPECIAL}
        if self.subject is USERS:
            special.add(COMPANY_ID)
        return [column for column in self.columns if column.target not in special]

    @property
    def takes_provider_id(self) -> bool:
        """Whether the ids are those of the product that wrote the file, for want of others."""
        return self.column("id") is None and self.column(PROVIDER_ID) is not None


@dataclass
class _Mapper:
    table: CsvTable
    subject: Subject
    preset: Preset | None
    targets: dict[int, tuple[str, How]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def taken(self, target: str) -> bool:
        return any(target == taken for taken, _ in self.targets.values())

    def free(self) -> Iterator[tuple[int, str]]:
        for number in self.table.used:
            if number not in self.targets:
                yield number, self.table.header[number]

    def take_given(self, given: Mapping[str, str]) -> None:
        numbers = {self.table.header[number]: number for number in self.table.used}
        for header, target in given.items():
            if header not in numbers:
                self.faults.append(_no_such_column(header, list(numbers)))
                continue
            if fault := self._fault_of(header, target):
                self.faults.append(fault)
                continue
            if target != LEFT_OUT and self.taken(target):
                self.faults.append(f"Two columns are mapped to `{target}`; leave one of them out.")
            self.targets[numbers[header]] = target, How.GIVEN

    def _fault_of(self, header: str, target: str) -> str | None:
        if target.startswith("@") and target not in _SPECIAL:
            return f"`{header}` is mapped to `{target[:50]}`, which does not exist; see --help."
        if target == COMPANY_PROVIDER_ID and self.subject is not USERS:
            return f"`{header}`: only users have a company."
        if target in (PROVIDER_ID, COMPANY_PROVIDER_ID) and not self._provider:
            return f"`{header}` is an id of a product: name it with a preset."
        if len(target) > LONGEST_FIELD or "\0" in target:
            return f"`{header}`: a field has a name of at most {LONGEST_FIELD} characters."
        return None

    @property
    def _provider(self) -> str | None:
        return self.preset.provider if self.preset else None

    def apply_preset(self) -> None:
        if self.preset is None:
            return
        for name, target in self.preset.fields.items():
            if target != LEFT_OUT and self.taken(target):
                continue
            for number, header in self.free():
                if field_name(header) == name:
                    self.targets[number] = target, How.PRESET
                    break

    def guess(self) -> None:
        if not self.taken(PROVIDER_ID):
            self._guess("id", self.subject.ids)
        self._guess("name", self.subject.names)
        if self.subject is USERS:
            self._guess("email", EMAILS)
            if not self.taken(COMPANY_PROVIDER_ID):
                self._guess(COMPANY_ID, COMPANIES_OF_USERS)

    def _guess(self, target: str, names: Sequence[str]) -> None:
        if self.taken(target):
            return
        columns = {field_name(header): number for number, header in reversed([*self.free()])}
        found = next((columns[name] for name in names if name in columns), None)
        if found is not None:
            self.targets[found] = target, How.GUESSED

    def leave_out_own(self) -> None:
        """Leave out the columns that a file of refused rows has in addition."""
        for number, header in [*self.free()]:
            if header in REFUSED_COLUMNS:
                self.targets[number] = LEFT_OUT, How.HEADER

    def keep_others(self) -> None:
        reserved = {"id", COMPANY_ID} if self.subject is USERS else {"id"}
        used = reserved | {target for target, _ in self.targets.values()}
        if self._provider and self.preset:
            used |= set(self.preset.provider_fields)
        for number, header in [*self.free()]:
            name = base = field_name(header) or f"column_{number + 1}"
            suffix = 2
            while name in used:
                name, suffix = f"{base}_{suffix}", suffix + 1
            used.add(name)
            self.targets[number] = name, How.HEADER


def map_columns(
    table: CsvTable, subject: Subject, preset: Preset | None, given: Mapping[str, str]
) -> ColumnMapping:
    """Map the columns of a file; `given` has the targets of headers, and goes before all else.

    A column that nothing maps keeps its name, in snake case.
    """
    mapper = _Mapper(table, subject, preset)
    mapper.take_given(given)
    mapper.apply_preset()
    mapper.guess()
    mapper.leave_out_own()
    mapper.keep_others()
    if not mapper.faults and not (mapper.taken("id") or mapper.taken(PROVIDER_ID)):
        names = ", ".join(f"`{table.header[number]}`" for number in table.used[:20])
        more = f" and {len(table.used) - 20:,} more" if len(table.used) > 20 else ""
        mapper.faults.append(
            f"No column has the ids of the {subject.many}. Name the one with the ids that events"
            f" carry; there are {names}{more}."
        )
    columns = (
        MappedColumn(number, table.header[number], *mapper.targets[number]) for number in table.used
    )
    return ColumnMapping(subject, tuple(columns), preset, tuple(mapper.faults))


def candidates_for_id(mapping: ColumnMapping) -> list[str]:
    """Return the headers of columns that may have the customer's own ids."""
    return [
        column.header
        for column in mapping.fields
        if field_name(column.header).endswith("_id") or field_name(column.header) == "id"
    ]


def _no_such_column(header: str, headers: list[str]) -> str:
    close = get_close_matches(header, headers, n=1)
    meant = f" Did you mean `{close[0]}`?" if close else ""
    return f"The file has no column `{header[:100]}`.{meant}"
