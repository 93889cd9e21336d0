"""The spool of one process: what calls write into, and what the sender reads from."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from enum import Enum
from functools import partial
from pathlib import Path

from brazebee_client.spool.ownership import directories_left, new_directory
from brazebee_client.spool.refused import RefusedRecords
from brazebee_client.spool.segments import (
    START,
    Position,
    directory_bytes,
    segment_path,
    write_cursor,
)
from brazebee_client.spool.sources import Batch, MemorySource, SegmentSource, Source
from brazebee_client.spool.writer import Writer, flush
from brazebee_client.warnings import Warnings

RETIRE_BYTES = 64_000
"""Size from which a segment is deleted once all of it is sent, rather than appended to."""

MOST_DAMAGED_BYTES = 1_000_000
"""Bytes of unreadable lines that are kept for an examination."""

BROKEN_SECONDS = 1.0
"""How long the disk is left alone after a failure."""

_DAMAGED = "damaged.log"


class Kept(Enum):
    """Where a record is."""

    ON_DISK = "on disk"
    IN_MEMORY = "in memory"
    NOWHERE = "nowhere"


class Spool:
    """Records on disk, and in memory while the disk fails.

    One lock guards it. Nothing waits for the network while holding it.
    """

    def __init__(self, path: Path, max_bytes: int, sync: str, warnings: Warnings) -> None:
        self.path = path
        self.refused = RefusedRecords(path)
        self.memory = MemorySource()
        self._max_bytes = max_bytes
        self._sync = sync
        self._warnings = warnings
        self._lock = threading.RLock()  # a handler of a signal may record something, too
        self._mine: tuple[Writer, SegmentSource] | None = None
        self._left: list[SegmentSource] = []
        self._turn = 0
        self._bytes = 0
        self._broken_until = 0.0

    def add(self, contents: Sequence[bytes]) -> Kept:
        """Keep records, all or none of them; it never raises."""
        with self._lock:
            try:
                if self._bytes + sum(map(len, contents)) > self._max_bytes:
                    return Kept.NOWHERE
                if time.monotonic() >= self._broken_until:
                    self._bytes += (self._writer or self._open()).append(contents)
                    return Kept.ON_DISK
            except OSError as error:
                self._broken_until = time.monotonic() + BROKEN_SECONDS
                self._warnings.warn(
                    "disk", "The spool cannot be written (%s); events stay in memory", error
                )
            return Kept.IN_MEMORY if self.memory.add(contents) else Kept.NOWHERE

    def read(self) -> Batch | None:
        """Return the next records, of each source in turn."""
        with self._lock:
            sources: list[Source] = [self.memory, *self._left]
            sources += [self._own] if self._own else []
        for _ in sources:
            self._turn += 1
            source = sources[self._turn % len(sources)]
            try:
                batch = source.read()
            except OSError as error:
                self._warnings.warn("read", "A part of the spool cannot be read: %s", error)
                continue
            if batch:
                return batch
            if isinstance(source, SegmentSource) and source in self._left:
                self._left.remove(source)
                with contextlib.suppress(OSError):
                    source.owned.remove()
        return None

    def done(self, batch: Batch) -> None:
        """Forget records that are sent or refused."""
        if batch.damaged:
            self._keep_damaged(batch.damaged)
        try:
            with self._lock if batch.source is self.memory else contextlib.nullcontext():
                batch.source.advance(batch.end)
        except OSError as error:
            self._warnings.warn("cursor", "What was sent cannot be noted: %s", error)
        if batch.source is self._own and batch.end.offset >= RETIRE_BYTES:
            self._retire()

    def position(self) -> Position:
        """Return the end of what this process has written."""
        with self._lock:
            return self._writer.position if self._writer else START

    def is_done(self, position: Position) -> bool:
        """Whether all is done up to a position, and nothing waits in memory."""
        with self._lock:
            own = self._own
            return not self.memory and (own is None or own.position >= position)

    def flush(self) -> None:
        """Flush to the disk what was written since the last time; it never raises."""
        try:
            with self._lock:
                taken = self._writer.take_unflushed() if self._writer else []
            flush(taken)
        except OSError as error:
            self._warnings.warn("flush", "The spool cannot be flushed to the disk: %s", error)

    def look_around(self) -> bool:
        """Take over what ended processes left, and measure the spool.

        Returns:
            Whether records of the memory are on disk now.
        """
        if self._writer and not self._writer.owned.path.exists():
            self._warnings.warn("gone", "%s was deleted with the events in it", self.path)
            self.close()
        with self._lock:
            self._left += [SegmentSource(owned) for owned in directories_left(self.path)]
            self._bytes = directory_bytes(self.path)
            if not self.memory:
                return False
            contents = self.memory.take_all()
            try:
                self._bytes += (self._writer or self._open()).append(contents)
            except OSError:
                self.memory.give_back(contents)
                return False
            return True

    def close(self) -> None:
        """Release everything; what is not sent stays on disk for another process."""
        with self._lock:
            writer, own, left = self._writer, self._own, self._left
            self._mine = None
            self._left = []
            if writer:
                writer.close()
        if writer and own:
            with contextlib.suppress(OSError):
                if own.position >= writer.position:
                    writer.owned.remove()
            writer.owned.release()
        for source in left:
            with contextlib.suppress(OSError):
                if source.read() is None:
                    source.owned.remove()
            source.owned.release()

    def has_records(self) -> bool:
        """Whether there may be records of other processes, which are perhaps gone."""
        return directory_bytes(self.path) > 0

    def before_fork(self) -> None:
        """Let no other thread use the spool while this one forks: a child copies open files."""
        self._lock.acquire()

    def after_fork(self) -> None:
        """Go on in the parent."""
        self._lock.release()

    def forget_after_fork(self) -> None:
        """Give up the parent's files and records in a child; they remain the parent's."""
        self._lock = threading.RLock()
        if self._writer:
            self._writer.close()
            self._writer.owned.release()
        for source in self._left:
            source.owned.release()
        self._mine = None
        self._left = []
        self.memory = MemorySource()

    def _open(self) -> Writer:
        self._bytes = directory_bytes(self.path)
        owned = new_directory(self.path)
        try:
            write_cursor(owned.path, START)  # it has its place before the disk is full
        except OSError:
            owned.remove()
            raise
        writer = Writer(owned, self._sync)
        made = writer, SegmentSource(owned, partial(self._end_of, writer))
        if self._mine is None:
            self._mine = made
        else:  # a handler of a signal has recorded something meanwhile
            owned.remove()
        return self._mine[0]

    def _end_of(self, writer: Writer) -> Position:
        with self._lock:  # while nothing is half written
            return writer.position

    @property
    def _writer(self) -> Writer | None:
        return self._mine[0] if self._mine else None

    @property
    def _own(self) -> SegmentSource | None:
        return self._mine[1] if self._mine else None

    def _retire(self) -> None:
        """Delete the segment that is being written if all of it is sent."""
        own = self._own
        with self._lock:
            if own is None or not self._writer or not self._writer.retire(own.position):
                return
        with contextlib.suppress(OSError):
            segment_path(own.owned.path, own.position.segment).unlink()

    def _keep_damaged(self, lines: Sequence[bytes]) -> None:
        total = sum(map(len, lines))
        path = self.path / _DAMAGED
        self._warnings.warn(
            "damaged",
            "%d damaged or unfinished lines (%d bytes) of the spool were set aside in %s",
            len(lines),
            total,
            path,
        )
        with contextlib.suppress(OSError):
            path.touch(mode=0o600)
            if path.stat().st_size + total <= MOST_DAMAGED_BYTES:
                with path.open("ab") as file:
                    file.write(b"\n".join([*lines, b""]))
