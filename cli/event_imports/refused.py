"""Writes the refused rows of a file into one beside it, with the reasons."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from cli.errors import CommandError
from cli.event_imports.columns import REASON
from cli.event_imports.partition import refused_file
from cli.event_imports.sources import Source


def refused_rows(folder: Path, numbers: Sequence[int]) -> Iterator[tuple[str, Any]]:
    """Yield the reason and the content of the refused rows of tasks, in order."""
    for number in numbers:
        path = refused_file(folder, number)
        if path.exists():
            for line in path.read_bytes().splitlines():
                _, reason, row = orjson.loads(line)
                yield reason, row


def write_refused(source: Source, folder: Path, numbers: Sequence[int]) -> Path:
    """Write the refused rows of a source, and return where.

    After they are mended, that file can be imported: the column with the reason is left out.

    Raises:
        CommandError: the file cannot be written.
    """
    path = source.refused_path
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            if source.columns:
                rows = csv.writer(file, delimiter=source.delimiter)
                rows.writerow([*source.columns, REASON])
                for reason, row in refused_rows(folder, numbers):
                    rows.writerow([*row, reason])
            else:
                for reason, row in refused_rows(folder, numbers):
                    content = row if isinstance(row, dict) else {"line": row}
                    file.write(orjson.dumps({**content, REASON: reason}).decode() + "\n")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from None
    return path
