"""The first pass: reads rows, checks them, and shares them out by company."""

import csv
import io
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import orjson

from cli.event_imports.forms import Reading, read_json_line
from cli.event_imports.sources import Range
from formats.record import Kind, Record, UnreadableRecord
from ingress.event.schema import FUTURE_TOLERANCE, InvalidEvent
from ingress.event.shapes import RecordSchema, Shape
from ingress.strict_json import DEEPEST, storage_faults
from models.companies.fields.field_merge import to_microseconds

EARLIEST_YEAR = 1990
"""An earlier time is a mistake, such as an empty value that became 1970."""

LEFT_OUT = ""
"""The event key of names whose events are left out."""

UNPLACED = "unplaced"
"""The beginning of the names of files with records that name no company."""

BELONGING = "belonging"
"""The prefix of files with the companies that users belong to."""

_RECORD = Shape(RecordSchema())

SHOWN_FAULTS = 3
"""The most faults of a row that its reason names."""


@dataclass(frozen=True)
class PartitionTask:
    """Some rows of a file, where to put them, and what is accepted.

    `keys` maps the names of events to event keys, or to `LEFT_OUT`.
    """

    number: int
    rows: Range
    reading: Reading
    folder: Path
    buckets: int
    keys: Mapping[str, str]
    now: datetime


@dataclass
class Partitioned:
    """What was found in rows: their number, and what they are, by name or by reason."""

    number: int = 0
    rows: int = 0
    bytes: int = 0
    unplaced: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    first_at: datetime | None = None
    last_at: datetime | None = None

    def add(self, other: "Partitioned") -> None:
        """Add what was found in other rows."""
        self.rows += other.rows
        self.bytes += other.bytes
        for name in ("accepted", "unknown", "left_out", "refused"):
            getattr(self, name).update(getattr(other, name))
        times = [at for at in (self.first_at, other.first_at) if at]
        self.first_at = min(times, default=None)
        times = [at for at in (self.last_at, other.last_at) if at]
        self.last_at = max(times, default=None)


class BucketLine(NamedTuple):
    """An event in a bucket, or fields without an event if it has no key.

    `order` is that of the rows; `seed` is a digest of the content of an event without an id.
    """

    company_id: str | None
    at: int
    order: int
    id: str | None
    seed: str | None
    key: str | None
    company: dict[str, Any]
    user: dict[str, Any] | None
    data: dict[str, Any] | None


def partition(task: PartitionTask) -> Partitioned:
    """Read, check and share out some rows. Refused ones are written into a file of their own."""
    return _Partition(task).run()


def bucket_of(company_id: str, buckets: int) -> int:
    """Return the bucket of a company."""
    return crc32(company_id.encode()) % buckets


def bucket_file(folder: Path, bucket: int) -> Path:
    """Return the file of a bucket that this process writes."""
    return folder / f"bucket-{bucket:04}.{os.getpid()}"


def append_lines(path: Path, lines: Sequence[bytes]) -> None:
    """Append lines to a file, if there are any."""
    if lines:
        with path.open("ab") as file:
            file.write(b"\n".join([*lines, b""]))


def bucket_files(folder: Path, bucket: int) -> list[Path]:
    """Return the files of a bucket, one of each process that wrote any."""
    return sorted(folder.glob(f"bucket-{bucket:04}.*"))


def refused_file(folder: Path, number: int) -> Path:
    """Return the file with the refused rows of a task: `[row, reason, content]` in each line."""
    return folder / f"refused-{number:06}"


class _Partition:
    def __init__(self, task: PartitionTask) -> None:
        self._task = task
        self._found = Partitioned(task.number, bytes=task.rows.end - task.rows.start)
        self._buckets: dict[int, list[bytes]] = {}
        self._refused: list[bytes] = []
        self._unplaced: list[bytes] = []
        self._belonging: dict[str, str] = {}
        self._moves: list[bytes] = []
        self._latest = task.now + FUTURE_TOLERANCE

    def run(self) -> Partitioned:
        columns = self._task.rows.source.columns
        read = self._task.reading.reader(columns)
        rows = self._csv_rows(columns) if columns else self._json_rows()
        for number, (row, fault) in enumerate(rows):
            self._found.rows += 1
            try:
                if fault is not None:
                    raise UnreadableRecord(fault)  # noqa: TRY301
                self._take(number, row, read(row))
            except UnreadableRecord as error:
                self._refuse(number, row, _described(error.path, str(error)))
            except InvalidEvent as error:
                faults = [_described(f["path"], f["message"]) for f in error.details]
                self._refuse(number, row, "; ".join(faults[:SHOWN_FAULTS]))
        self._write()
        return self._found

    def _csv_rows(self, columns: Sequence[str]) -> Iterator[tuple[Any, str | None]]:
        """Yield each row with its fault, if it cannot be read at all."""
        text = self._task.rows.read().decode(errors="replace")
        delimiter = self._task.rows.source.delimiter
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if len(row) == len(columns):
                yield row, None
            elif row:
                yield row, f"{len(row)} values, but {len(columns)} columns"

    def _json_rows(self) -> Iterator[tuple[Any, str | None]]:
        for line in self._task.rows.read().split(b"\n"):
            if not line.strip():
                continue
            try:
                row = read_json_line(line)
            except ValueError as error:
                yield line.decode(errors="replace"), f"not JSON: {error}"
            else:
                yield row, None if isinstance(row, dict) else "Expected an object"

    def _take(self, number: int, row: Any, record: Record | None) -> None:
        found = self._found
        if record is None:
            found.left_out["(nothing to keep)"] += 1
            return
        name, key = record.name, None
        if record.kind is Kind.EVENT:
            if not isinstance(name, str) or not name:
                raise UnreadableRecord("Required", "event")
            key = self._task.keys.get(name)
            if key == LEFT_OUT or (key is None and record.automatic):
                found.left_out[name] += 1
                return
        at = self._checked_time(record.at)
        line = self._checked(record, at, self._task.number << 32 | number, key)
        found.first_at = at if found.first_at is None else min(at, found.first_at)
        found.last_at = at if found.last_at is None else max(at, found.last_at)
        if record.kind is not Kind.EVENT:
            found.accepted[f"({record.kind} fields)"] += 1
        elif key is None:
            found.unknown[str(name)] += 1
            return
        else:
            found.accepted[str(name)] += 1
        self._put(line, row)

    def _put(self, line: BucketLine, row: Any) -> None:
        """Put a record into the bucket of its company, or among those whose company is sought."""
        content = self._written(line)
        if line.company_id is None:
            self._unplaced.append(b"[%b,%b]" % (content, orjson.dumps(row)))
            return
        if line.user is not None and self._task.reading.seeks_companies:
            user_id = line.user["id"]
            if self._belonging.get(user_id) != line.company_id:
                self._belonging[user_id] = line.company_id
                self._moves.append(orjson.dumps([user_id, line.at, line.company_id]))
        bucket = bucket_of(line.company_id, self._task.buckets)
        self._buckets.setdefault(bucket, []).append(content)

    def _checked_time(self, at: datetime | None) -> datetime:
        if at is None:
            raise UnreadableRecord("Required", "time")
        if at > self._latest:
            raise UnreadableRecord("More than 1 hour in the future", "time")
        if at.year < EARLIEST_YEAR:
            raise UnreadableRecord(f"Before {EARLIEST_YEAR}", "time")
        return min(at, self._task.now)

    def _checked(self, record: Record, at: datetime, order: int, key: str | None) -> BucketLine:
        """Return a record if the ingress would accept it.

        Raises:
            InvalidEvent: it would not.
        """
        company, user = record.company, record.user
        if not company and (user is None or not self._task.reading.seeks_companies):
            raise UnreadableRecord("The company is not known", "company", "id")
        payload: dict[str, Any] = {"company": company} if company else {}
        if user is not None:
            payload["user"] = user
        is_event = record.kind is Kind.EVENT
        if is_event:
            payload["event_key"] = key or record.name
            if record.data:
                payload["data"] = record.data
            if record.id is not None:
                payload["event_id"] = record.id
        loaded = _RECORD.load(payload, self._task.now, storable=True)
        fields = dict(loaded.get("company") or ())
        company_id = fields.pop("id", None)
        user, data = loaded.get("user"), loaded.get("data")
        seed = None
        if is_event and record.id is None:
            content = [record.name, company_id, str(at), user, data]
            seed = blake2b(
                orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=16
            ).hexdigest()
        line_key = (key or str(record.name)) if is_event else None
        return BucketLine(
            company_id, to_microseconds(at), order, record.id if is_event else None, seed,
            line_key, fields, user, data if is_event else None,
        )  # fmt: skip

    def _written(self, line: BucketLine) -> bytes:
        content = orjson.dumps([*line])
        if b"\\u0000" in content or content.count(b"{") + content.count(b"[") > DEEPEST:
            payload = {"company": line.company, "user": line.user, "data": line.data}
            if faults := list(islice(storage_faults(payload), SHOWN_FAULTS)):
                raise InvalidEvent(faults)
        return content

    def _refuse(self, number: int, row: Any, reason: str) -> None:
        self._found.refused[reason] += 1
        self._refused.append(orjson.dumps([number, reason, row]))

    def _write(self) -> None:
        folder = self._task.folder
        for bucket, lines in self._buckets.items():
            append_lines(bucket_file(folder, bucket), lines)
        append_lines(folder / f"{UNPLACED}.{os.getpid()}", self._unplaced)
        append_lines(folder / f"{BELONGING}.{os.getpid()}", self._moves)
        append_lines(refused_file(folder, self._task.number), self._refused)


def _described(path: Sequence[Any], message: str) -> str:
    return f"{'.'.join(map(str, path))}: {message}" if path else message
