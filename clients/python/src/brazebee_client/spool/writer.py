"""Appends records to the segments of this process. The caller serializes the calls."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Sequence

from brazebee_client.spool.lines import framed
from brazebee_client.spool.ownership import OwnedDirectory
from brazebee_client.spool.segments import Position, segment_path

SEGMENT_BYTES = 1_000_000
MOST_UNFLUSHED = 8
"""Full segments that wait to be flushed to the disk; then the caller does it."""

_sync = getattr(os, "fdatasync", os.fsync)


class Writer:
    """The segments that one process writes."""

    def __init__(self, owned: OwnedDirectory, sync: str) -> None:
        self.owned = owned
        self._sync = sync
        self._number = 0
        self._size = 0
        self._descriptor = -1
        self._is_dirty = False
        self._to_flush: list[int] = []

    @property
    def position(self) -> Position:
        """The end of what is written."""
        return Position(self._number, self._size)

    def append(self, contents: Sequence[bytes]) -> int:
        """Write records together and return their bytes: all are there afterwards, or none.

        One call of the kernel has them in its cache, where they outlive this process.

        Raises:
            OSError: the disk is full, or the directory is gone.
        """
        data = b"".join(map(framed, contents))
        if self._descriptor < 0 or self._size >= SEGMENT_BYTES:
            self._open_next()
        try:
            _write_whole(self._descriptor, data)
            if self._sync == "always":
                _sync(self._descriptor)
        except OSError:
            self._abandon()
            raise
        self._size += len(data)
        self._is_dirty = True
        return len(data)

    def retire(self, position: Position) -> bool:
        """End the current segment if it ends at a position, so that it can be deleted."""
        if position != self.position or self._descriptor < 0 or self._size == 0:
            return False
        os.close(self._descriptor)
        self._descriptor, self._is_dirty = -1, False
        return True

    def take_unflushed(self) -> list[int]:
        """Return copies of the descriptors that have to be flushed; the caller closes them."""
        taken, self._to_flush = self._to_flush, []
        if self._is_dirty and self._descriptor >= 0 and self._sync == "interval":
            taken.append(os.dup(self._descriptor))
            self._is_dirty = False
        return taken

    def close(self) -> None:
        """Close all files, of which those not flushed are left to the kernel."""
        for descriptor in [*self._to_flush, self._descriptor]:
            if descriptor >= 0:
                os.close(descriptor)
        self._to_flush, self._descriptor = [], -1

    def _open_next(self) -> None:
        path = segment_path(self.owned.path, self._number + 1)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        descriptor = os.open(path, flags, 0o600)
        if self._descriptor >= 0:
            if self._sync == "interval" and self._is_dirty:
                self._to_flush.append(self._descriptor)
                if len(self._to_flush) > MOST_UNFLUSHED:
                    flush(self.take_unflushed())
            else:
                os.close(self._descriptor)
        self._descriptor, self._size, self._is_dirty = descriptor, 0, False
        self._number += 1
        if self._sync == "always":
            _sync_folder(str(self.owned.path))
            _sync_folder(str(self.owned.path.parent))

    def _abandon(self) -> None:
        """Cut what was written of the records, and go on in another segment."""
        with contextlib.suppress(OSError):  # a part of a line is no line, nor before another one
            os.ftruncate(self._descriptor, self._size)
            if self._size == 0:
                segment_path(self.owned.path, self._number).unlink()
        os.close(self._descriptor)
        self._descriptor = -1


def _write_whole(descriptor: int, data: bytes) -> None:
    if os.write(descriptor, data) < len(data):
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
    if os.name == "nt":
        return  # Windows does not open folders
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
