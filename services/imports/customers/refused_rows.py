"""Writes refused rows as CSV with their lines and reasons, to be mended and loaded again.

People open it in a spreadsheet, so no cell can run as a formula there.
"""

import csv
import io
from collections.abc import Iterable

from services.imports.csv_files.table import CsvTable, RefusedRow
from services.imports.csv_files.values import safe_cell
from services.imports.customers.mapping import REFUSED_COLUMNS


def refused_csv(table: CsvTable, refused: Iterable[RefusedRow]) -> str:
    """Return the rows with the columns of their file, which loads as it is once it is mended."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=table.delimiter)
    writer.writerow([*REFUSED_COLUMNS, *table.header])
    writer.writerows([row.line, row.reason, *map(safe_cell, row.cells)] for row in refused)
    return text.getvalue()
