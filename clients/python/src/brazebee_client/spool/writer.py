"""Appends records to the segments of this process. The caller serializes the calls."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Sequence

from brazebee_client.spool.lines import framed
from brazebee_client.spool.ownership import OwnedDirectory
from brazebee_client.spool.segments import START, Position, segment_path

SEGMENT_BYTES = 1_000_000
MOST_UNFLUSHED = 8
"""Full segments that wait to be flushed to the disk; then the caller does it."""

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND

_sync = getattr(os, "fdatasync", os.fsync)


class Writer:
    """The segments that one process writes.

    A handler of a signal may raise in the middle of any call, or append something itself. So what
    matters is asked of the file, and a segment is exchanged for the next one in one assignment.
    """

    def __init__(self, owned: OwnedDirectory, sync: str) -> None:
        self.owned = owned
        self._sync = sync
        self._current = (0, -1)  # the number and the descriptor of a segment
        self._end = START
        self._size = 0
        self._is_dirty = False
        self._to_flush: list[int] = []

    @property
    def position(self) -> Position:
        """The end of what is written."""
        number, descriptor = self._current
        return Position(number, os.fstat(descriptor).st_size) if descriptor >= 0 else self._end

    def append(self, contents: Sequence[bytes]) -> int:
        """Write records together and return their bytes: all are there afterwards, or none.

        One call of the kernel has them in its cache, where they outlive this process.

        Raises:
            OSError: the disk is full, or the directory is gone.
        """
        data = b"".join(map(framed, contents))
        if self._current[1] < 0 or self._size >= SEGMENT_BYTES:
            self._open_next()
        descriptor = self._current[1]
        written = 0
        try:
            self._is_dirty = True
            written = os.write(descriptor, data)
            _check_whole(written, data)
            if self._sync == "always":
                _sync(descriptor)
        except OSError:
            self._abandon(written)
            raise
        self._size += written
        return written

    def retire(self, position: Position) -> bool:
        """End the current segment if it ends at a position, so that it can be deleted."""
        if self._current[1] < 0 or position.offset == 0 or position != self.position:
            return False
        self._leave()
        return True

    def take_unflushed(self) -> list[int]:
        """Return copies of the descriptors that have to be flushed; the caller closes them."""
        taken, self._to_flush = self._to_flush, []
        if self._is_dirty and self._current[1] >= 0 and self._sync == "interval":
            taken.append(os.dup(self._current[1]))
            self._is_dirty = False
        return taken

    def close(self) -> None:
        """Close all files, of which those not flushed are left to the kernel."""
        flushing, self._to_flush = self._to_flush, []
        for descriptor in flushing:
            os.close(descriptor)
        if self._current[1] >= 0:
            self._leave()

    def _open_next(self) -> None:
        number, descriptor = self._current[0], -1
        while descriptor < 0:
            number += 1
            with contextlib.suppress(FileExistsError):  # of a call that was broken off
                descriptor = os.open(segment_path(self.owned.path, number), _FLAGS, 0o600)
        if self._current[0] >= number:  # a handler of a signal has opened one meanwhile
            os.close(descriptor)
            segment_path(self.owned.path, number).unlink()
            return
        (_, former), self._current = self._current, (number, descriptor)
        was_dirty, self._is_dirty, self._size = self._is_dirty, False, 0
        if former >= 0 and was_dirty and self._sync == "interval":
            self._to_flush.append(former)
            if len(self._to_flush) > MOST_UNFLUSHED:
                flush(self.take_unflushed())
        elif former >= 0:
            os.close(former)
        if self._sync == "always":
            _sync_folder(str(self.owned.path))
            _sync_folder(str(self.owned.path.parent))

    def _abandon(self, written: int) -> None:
        """Cut what was written of the records, and go on in another segment."""
        number, descriptor = self._current
        with contextlib.suppress(OSError):  # a part of a line is no line, nor before another one
            size = os.fstat(descriptor).st_size - written
            os.ftruncate(descriptor, size)
            if size == 0:
                segment_path(self.owned.path, number).unlink()
        self._leave()

    def _leave(self) -> None:
        """Close the current segment; the next record begins another one."""
        end = self.position
        self._end = end if end.offset else self._end  # an empty one is deleted, or skipped
        (_, descriptor), self._current = self._current, (self._current[0], -1)
        os.close(descriptor)


def _check_whole(written: int, data: bytes) -> None:
    if written < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def flush(descriptors: Sequence[int]) -> None:
    """Flush files to the disk and close them.

    Raises:
        OSError: the disk failed.
    """
    failure = None
    for descriptor in descriptors:
        try:
            _sync(descriptor)
        except OSError as error:  # noqa: PERF203 -- the others are flushed and closed all the same
            failure = error
        finally:
            os.close(descriptor)
    if failure:
        raise failure


def _sync_folder(path: str) -> None:
    if sys.platform == "win32":
        return  # Windows does not open folders
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
