"""Reads the table of a CSV file: its header, and its rows with their lines."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from services.imports.csv_files.decoding import UnreadableFile, decode
from services.imports.csv_files.values import looks_like_a_value

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}

LONGEST_HEADER = 200
"""Characters of the name of a column."""

LONGEST_CELL = 32_767
"""Characters of a cell: as many as Excel allows."""

_SEPARATOR_LINE = re.compile(r"sep=([,;\t])\r?\n", re.IGNORECASE)
"""A first line by which Excel is told the delimiter."""


@dataclass(frozen=True)
class Bounds:
    """How large a file may be."""

    bytes: int = 100 * 1024 * 1024
    rows: int = 200_000
    columns: int = 1_000


@dataclass(frozen=True)
class Row:
    """The cells of a row, without surrounding white space; it begins in this line of the file."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class RefusedRow(Row):
    """A row that cannot be loaded, with the reason."""

    reason: str


@dataclass(frozen=True)
class CsvTable:
    """A file with the names of its columns, its rows, and those of another length.

    `used` are the numbers of the columns that have a name, from 0 on.
    """

    header: tuple[str, ...]
    used: tuple[int, ...]
    rows: list[Row]
    refused: list[RefusedRow]
    encoding: str
    delimiter: str
    notes: list[str] = field(default_factory=list)

    def values(self, column: int) -> Iterator[str]:
        """Yield the cells of a column that are not empty."""
        return (row.cells[column] for row in self.rows if row.cells[column])


def read_table(content: bytes, bounds: Bounds = Bounds()) -> CsvTable:
    """Read a CSV file.

    Its delimiter is the one that gives the first line the most columns. Rows with too few or too
    many cells are refused, as their values may be in the wrong columns.

    Raises:
        UnreadableFile: it is too large, not CSV, or without a proper header.
    """
    if len(content) > bounds.bytes:
        raise UnreadableFile(
            f"The file has {len(content):,} bytes; at most {bounds.bytes:,} are read. Split it."
        )
    decoded = decode(content)
    notes = []
    if decoded.guessed:
        notes.append(
            "The file is not UTF-8, so it was read as Windows-1252. If accents look wrong, save it"
            " as UTF-8."
        )
    delimiter, text, lines_before = _delimiter(decoded.text)
    rows = list(_rows(text, delimiter, lines_before, bounds))
    if not rows:
        raise UnreadableFile("The file is empty. Its first line must name the columns.")
    header_row, *rows = rows
    header, used = _header(header_row, rows, notes)
    rows = _without_footer(rows, len(header), notes)
    fitting: list[Row] = []
    refused: list[RefusedRow] = []
    for row in rows:
        fitted = _fit(row, len(header))
        if isinstance(fitted, RefusedRow):
            refused.append(fitted)
        elif any(fitted.cells):
            fitting.append(fitted)
    return CsvTable(header, used, fitting, refused, decoded.encoding, delimiter, notes)


def _delimiter(text: str) -> tuple[str, str, int]:
    """Return the delimiter, the text of the table, and how many lines precede it."""
    if match := _SEPARATOR_LINE.match(text):
        return match[1], text[match.end() :], 1

    def columns(delimiter: str) -> int:
        try:
            return len(next((row for row in _reader(text, delimiter) if any(row)), ()))
        except csv.Error:
            return 0

    return max(DELIMITERS, key=columns), text, 0


def _reader(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _rows(text: str, delimiter: str, lines_before: int, bounds: Bounds) -> Iterator[Row]:
    """Yield the rows, with empty lines as rows without cells.

    Raises:
        UnreadableFile: a quote is out of place, or the table is too large.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number, started = 0, False
    line = lines_before + 1
    try:
        for cells in reader:
            started = started or any(cells)
            if started:
                if len(cells) > bounds.columns:
                    raise UnreadableFile(
                        f"Line {line:,} has {len(cells):,} columns; at most {bounds.columns:,}"
                        " are read."
                    )
                number += bool(cells)
                if number > bounds.rows + 1:
                    raise UnreadableFile(
                        f"The file has more than {bounds.rows:,} rows, which is the most that is"
                        " read. Split it."
                    )
                yield Row(line, tuple(cell.strip() for cell in cells))
            line = lines_before + reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFile(_explain(error, line)) from None


def _explain(error: csv.Error, line: int) -> str:
    if "field larger" in str(error):
        return (
            f"A cell in the row of line {line:,} has more than {csv.field_size_limit():,}"
            " characters; a quote may be missing there."
        )
    return (
        f"The row that begins in line {line:,} has a quote out of place: a cell with quotes is"
        ' enclosed in quotes, and each quote in it is doubled, as in "a ""good"" customer".'
    )


def _header(
    row: Row, rows: Sequence[Row], notes: list[str]
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the names of the columns, and the numbers of those that have one.

    Raises:
        UnreadableFile: a name is given twice, too long, or a value, so there is no header.
    """
    header = row.cells[: _width(row.cells, rows)]
    names = [name for name in header if name]
    if too_long := next((name for name in names if len(name) > LONGEST_HEADER), None):
        raise UnreadableFile(
            f"The column `{too_long[:50]}…` has a name of {len(too_long):,} characters; at most"
            f" {LONGEST_HEADER} are read. Check that the first line names the columns."
        )
    if value := next(filter(looks_like_a_value, names), None):
        raise UnreadableFile(
            f"The first line must name the columns, but `{value[:50]}` looks like a value. Add a"
            " line such as `id,name,plan`."
        )
    if control := next((name for name in names if "\0" in name), None):
        raise UnreadableFile(f"The column {control!r} has a NUL character in its name. Remove it.")
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        places = ", ".join(str(i + 1) for i, name in enumerate(header) if name == twice[0])
        raise UnreadableFile(
            f"The header has `{twice[0]}` more than once, in the columns {places}. Rename or"
            " remove all but one of them."
        )
    nameless = [str(number) for number, name in enumerate(header, 1) if not name]
    if nameless:
        columns = "Column" if len(nameless) == 1 else "Columns"
        notes.append(f"{columns} {', '.join(nameless)} without a name: left out.")
    return header, tuple(number for number, name in enumerate(header) if name)


def _width(header: Sequence[str], rows: Sequence[Row]) -> int:
    """Return the number of columns without those at the end that are entirely empty."""
    width = len(header)
    while width and not header[width - 1]:
        if any(len(row.cells) >= width and row.cells[width - 1] for row in rows):
            break
        width -= 1
    return width


def _without_footer(rows: list[Row], columns: int, notes: list[str]) -> list[Row]:
    """Return the rows without what follows the table after an empty line, each a single cell.

    Reports of Salesforce end with their name, a copyright and who generated them.
    """
    last = len(rows)
    while last and len(rows[last - 1].cells) <= 1:
        last -= 1
    after = rows[last:]
    first_empty = next((i for i, row in enumerate(after) if not row.cells), None)
    if columns == 1 or first_empty is None:
        return [row for row in rows if row.cells]
    footer = [row for row in after[first_empty:] if any(row.cells)]
    if footer:
        notes.append(
            f"The lines from {footer[0].line:,} on, after the table, were left out: they begin"
            f" with `{footer[0].cells[0][:50]}`."
        )
    return [row for row in [*rows[:last], *after[:first_empty]] if row.cells]


def _fit(row: Row, columns: int) -> Row:
    """Return a row with as many cells as there are columns, refused if it has others."""
    cells = row.cells
    if len(cells) > columns and not any(cells[columns:]):
        cells = cells[:columns]  # spreadsheets add empty cells
    if len(cells) != columns:
        return RefusedRow(
            row.line,
            cells,
            f"has {len(cells):,} {'cell' if len(cells) == 1 else 'cells'}, and the header has"
            f" {columns:,}: a delimiter or a quote may be missing",
        )
    if any(len(cell) > LONGEST_CELL for cell in cells):
        return RefusedRow(row.line, cells, f"has a cell of more than {LONGEST_CELL:,} characters")
    if any("\0" in cell for cell in cells):
        return RefusedRow(row.line, cells, "has a NUL character, which cannot be stored")
    return Row(row.line, cells)
