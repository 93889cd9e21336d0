"""The files of an import: what they are, and where they can be divided between processes."""

import csv
import gzip
import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cli.errors import CommandError

RANGE_BYTES = 8 * 1024 * 1024
"""The size of what one process reads at a time."""

_BLOCK = 1024 * 1024
_SAMPLE = 256 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Kind(StrEnum):
    """How the rows of a file are written."""

    CSV = "csv"
    LINES = "lines"
    """One JSON object a line."""


@dataclass(frozen=True)
class Source:
    """A file to import, and the plain text that was made of it if it was none.

    `delimiter` and `columns` are those of a CSV file, `data_from` is where its first row begins.
    """

    path: Path
    text: Path
    kind: Kind
    delimiter: str = ","
    columns: tuple[str, ...] = ()
    data_from: int = 0

    @property
    def refused_path(self) -> Path:
        """The file beside it for rows that are refused."""
        stem = self.path.name.removesuffix(".gz")
        stem = stem.rsplit(".", 1)[0] if "." in stem else stem
        extension = "csv" if self.kind is Kind.CSV else "jsonl"
        return self.path.with_name(f"{stem}.refused.{extension}")

    @property
    def size(self) -> int:
        """The number of bytes of text."""
        return self.text.stat().st_size


@dataclass(frozen=True)
class Range:
    """Some whole rows of a source."""

    source: Source
    start: int
    end: int

    def read(self) -> bytes:
        """Return the text of the rows."""
        with self.source.text.open("rb") as file:
            file.seek(self.start)
            return file.read(self.end - self.start)


def open_source(path: Path, folder: Path) -> Source:
    """Return a file as a source. Compressed files and Parquet become texts in `folder`.

    Raises:
        CommandError: it cannot be read, or is none of these.
    """
    try:
        with path.open("rb") as file:
            beginning = file.read(4)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
    text, name = path, path.name.lower()
    if beginning[:2] == b"\x1f\x8b":
        text, name = folder / f"{len([*folder.iterdir()])}.txt", name.removesuffix(".gz")
        _decompress(path, text)
    elif beginning == b"PAR1":
        text = folder / f"{len([*folder.iterdir()])}.jsonl"
        _write_lines_of_parquet(path, text)
        return Source(path, text, Kind.LINES)
    with text.open("rb") as file:
        sample = file.read(_SAMPLE).removeprefix(_BYTE_ORDER_MARK)
    first = sample.lstrip()[:1]
    if not first:
        raise CommandError(f"{path} is empty.")
    if first == b"[":
        raise CommandError(
            f"{path} is a JSON array; one object on each line is needed. Convert it:"
            f" jq -c '.[]' {path} > {path.stem}.jsonl"
        )
    if first == b"{":
        return Source(path, text, Kind.LINES)
    if name.endswith((".jsonl", ".ndjson", ".json")):
        raise CommandError(f"{path}:1: this is not a JSON object.")
    return _csv_source(path, text, sample)


def _csv_source(path: Path, text: Path, sample: bytes) -> Source:
    try:
        header = sample.decode("utf-8", "strict" if len(sample) < _SAMPLE else "ignore")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise CommandError(
            f"{path}:{line}: this is not UTF-8 text; save the file as UTF-8."
        ) from None
    first_line = header.split("\n", 1)[0]
    delimiter = max(",;\t|", key=first_line.count)
    lines = io.StringIO(header, newline="")
    columns = next(csv.reader(lines, delimiter=delimiter), [])
    if len(columns) < 2:
        raise CommandError(
            f"{path}:1: the first line names no columns. CSV, JSON lines and Parquet can be"
            " imported, each also compressed as .gz."
        )
    columns = [column.strip() for column in columns]
    if repeated := {column for column in columns if column and columns.count(column) > 1}:
        raise CommandError(f"{path}:1: two columns are called `{min(repeated)}`; rename one.")
    header_bytes = len(header[: lines.tell()].encode())
    with text.open("rb") as file:
        if file.read(3) == _BYTE_ORDER_MARK:
            header_bytes += 3
    return Source(path, text, Kind.CSV, delimiter, tuple(columns), header_bytes)


def sample_of(source: Source) -> bytes:
    """Return the first rows of a source."""
    with source.text.open("rb") as file:
        file.seek(source.data_from)
        return file.read(_SAMPLE).removeprefix(_BYTE_ORDER_MARK)


def divide(source: Source) -> list[Range]:
    """Return all rows of a source in ranges of about `RANGE_BYTES`."""
    is_table = source.kind is Kind.CSV
    ends = [*_row_ends(source, quoted=is_table), source.size]
    starts = [source.data_from, *ends[:-1]]
    pairs = zip(starts, ends, strict=True)
    return [Range(source, start, end) for start, end in pairs if start < end]


def _row_ends(source: Source, *, quoted: bool) -> Iterator[int]:
    """Yield where a row ends after each `RANGE_BYTES`.

    Within quotes, a line break is part of a value: then the quotes up to it are odd in number.
    """
    quotes, last = 0, source.data_from
    with source.text.open("rb") as file:
        file.seek(source.data_from)
        position = source.data_from
        while block := file.read(_BLOCK):
            if position + len(block) - last >= RANGE_BYTES:
                end = _end_in(block, quotes, quoted=quoted)
                if end is not None:
                    last = position + end
                    yield last
            if quoted:
                quotes += block.count(b'"')
            position += len(block)


def _end_in(block: bytes, quotes: int, *, quoted: bool) -> int | None:
    """Return where the last row that ends in a block ends."""
    end = len(block)
    while (end := block.rfind(b"\n", 0, end)) >= 0:
        if not quoted or (quotes + block.count(b'"', 0, end)) % 2 == 0:
            return end + 1
    return None


def _decompress(path: Path, text: Path) -> None:
    try:
        with gzip.open(path) as compressed, text.open("wb") as plain:
            shutil.copyfileobj(compressed, plain, _BLOCK)
    except (OSError, EOFError) as error:
        raise CommandError(f"{path} cannot be decompressed: {error}.") from None
    with text.open("rb") as plain:
        if plain.read(4) == b"PAR1":
            raise CommandError(f"{path}: Parquet is compressed by itself; decompress it: gunzip.")


def _write_lines_of_parquet(path: Path, text: Path) -> None:
    """Write the rows of a Parquet file as JSON objects, one a line, in their order."""
    import duckdb  # noqa: PLC0415 -- takes 0.1 s, and only Parquet needs it

    connection = duckdb.connect(
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    )
    try:
        connection.execute("set timezone = 'UTC'")
        connection.execute(
            "copy (select * from read_parquet($path)) to $text (format json)",
            {"path": str(path), "text": str(text)},
        )
    except duckdb.Error as error:
        first_line = str(error).partition("\n")[0]
        raise CommandError(f"{path} cannot be read as Parquet: {first_line}") from None
    finally:
        connection.close()
