"""Reads records back in the order in which they were written, and forgets those that are done."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from brazebee_client.records import KINDS
from brazebee_client.spool.lines import content_of
from brazebee_client.spool.ownership import OwnedDirectory
from brazebee_client.spool.segments import (
    Position,
    read_cursor,
    segment_numbers,
    segment_path,
    write_cursor,
)

MOST_RECORDS = 100
"""Records of a request, which is what the API takes."""

MOST_BYTES = 900_000
"""Bytes of the records of a request. The API takes 1 MB with what is around them."""

_READ_BYTES = 1_200_000
_BINARY = getattr(os, "O_BINARY", 0)


class Record(NamedTuple):
    """An event or an update: its kind and its JSON."""

    kind: bytes
    body: bytes


@dataclass
class Batch:
    """Records that are sent together; those that are done are removed from `records`.

    `is_last` is whether there were no more of the source, to which a process still writes.
    """

    source: Source
    records: list[Record]
    end: Position
    is_last: bool = False
    damaged: list[bytes] = field(default_factory=list)


class Source(Protocol):
    """Where records wait."""

    def read(self) -> Batch | None:
        """Return the next records; None if there are none."""

    def advance(self, end: Position) -> None:
        """Forget what is before a position, because it is done."""


class SegmentSource:
    """The segments of one directory: of this process, or of one that is gone.

    `end` returns where the segments end that this process is writing; None if nobody writes them.
    """

    def __init__(
        self, owned: OwnedDirectory, end: Callable[[], Position | None] = lambda: None
    ) -> None:
        self.owned = owned
        self._end = end
        self.position = read_cursor(owned.path)

    def read(self) -> Batch | None:
        """Return the next records; None if there are none.

        Raises:
            OSError: a segment cannot be read.
        """
        batch = Batch(self, [], self.position)
        size = 0
        while len(batch.records) < MOST_RECORDS and size < MOST_BYTES:
            end = self._end()
            number = self._number_from(batch.end, end)
            if number is None:
                break  # nobody writes to it, or nothing was written yet
            if number != batch.end.segment:
                batch.end = Position(number, 0)
            is_complete = end is None or number < end.segment
            limit = _READ_BYTES
            if end and not is_complete:
                limit = min(limit, end.offset - batch.end.offset)
            data = self._read(batch.end, limit)
            if not data:
                if not is_complete:
                    batch.is_last = True
                    break
                batch.end = Position(number + 1, 0)
                continue
            size = self._take_lines(batch, data, size)
        return batch if batch.end != self.position else None

    def _take_lines(self, batch: Batch, data: bytes, size: int) -> int:
        """Add the records of some data to a batch; return the bytes of all its records."""
        start = 0
        while start < len(data) and len(batch.records) < MOST_RECORDS and size < MOST_BYTES:
            stop = data.find(b"\n", start)
            if stop < 0 and start and len(data) >= _READ_BYTES:
                break  # the rest comes with the next read
            line = data[start : stop if stop >= 0 else len(data)]
            content = content_of(line)
            if content is None or content[:1] not in KINDS:
                batch.damaged.append(line)
            else:
                batch.records.append(Record(content[:1], content[2:]))
                size += len(content)
            start = stop + 1 if stop >= 0 else len(data)
        batch.end = Position(batch.end.segment, batch.end.offset + start)
        return size

    def advance(self, end: Position) -> None:
        """Forget what is before a position, and delete the segments before it.

        Raises:
            OSError: the position cannot be kept, or a segment not deleted.
        """
        try:
            for number in segment_numbers(self.owned.path):
                if number < end.segment:
                    segment_path(self.owned.path, number).unlink()
            write_cursor(self.owned.path, end)  # may need the place that has become free
        finally:
            self.position = end  # at last, for a process that ends as soon as all is done

    def _number_from(self, position: Position, end: Position | None) -> int | None:
        """Return the first segment that is not before a position."""
        if end and position.segment == end.segment:
            return position.segment
        numbers = segment_numbers(self.owned.path)
        return next((number for number in numbers if number >= position.segment), None)

    def _read(self, position: Position, most: int) -> bytes:
        if most <= 0:
            return b""
        path = segment_path(self.owned.path, position.segment)
        descriptor = os.open(path, os.O_RDONLY | _BINARY)
        try:
            os.lseek(descriptor, position.offset, os.SEEK_SET)
            return os.read(descriptor, most)
        finally:
            os.close(descriptor)


class MemorySource:
    """Records for which the disk had no place; they are lost with this process."""

    MOST = 1_000

    def __init__(self) -> None:
        self._contents: deque[bytes] = deque()

    def __len__(self) -> int:
        return len(self._contents)

    def add(self, contents: Sequence[bytes]) -> bool:
        """Keep records; False if there are too many."""
        if len(self._contents) + len(contents) > self.MOST:
            return False
        self._contents.extend(contents)
        return True

    def read(self) -> Batch | None:
        """Return the oldest records; None if there are none."""
        taken = [self._contents[i] for i in range(min(len(self._contents), 25))]
        if not taken:
            return None
        records = [Record(content[:1], content[2:]) for content in taken]
        return Batch(self, records, Position(0, len(taken)))

    def advance(self, end: Position) -> None:
        """Forget as many of the oldest records as the position says."""
        for _ in range(end.offset):
            self._contents.popleft()

    def take_all(self) -> list[bytes]:
        """Return all records, for the disk that has a place again."""
        taken = list(self._contents)
        self._contents.clear()
        return taken

    def give_back(self, contents: Sequence[bytes]) -> None:
        """Keep records again that were taken."""
        self._contents.extendleft(reversed(contents))
