"""Locks on directories, which the kernel releases when their process ends, however it ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from uuid import uuid4

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


PREFIX = "py-"
LOCK = "lock"


class OwnedDirectory:
    """A directory of which this process holds the lock."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Let others own it; also after a fork, for the copy of the child."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def remove(self) -> None:
        """Delete it with its files, which are all sent."""
        try:
            for file in self.path.iterdir():
                if file.name != LOCK:
                    file.unlink()
            if sys.platform == "win32":  # which does not delete open files
                self.release()
            (self.path / LOCK).unlink()
            self.path.rmdir()
        finally:
            self.release()


def new_directory(spool: Path) -> OwnedDirectory:
    """Return a new directory of this process.

    Raises:
        OSError: it cannot be created.
    """
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        path = spool / f"{PREFIX}{uuid4().hex}"
        path.mkdir(mode=0o700)
        owned = _own(path)
        if owned:  # nobody took it for the directory of a process that is gone
            return owned


def directories_left(spool: Path) -> list[OwnedDirectory]:
    """Return the directories of processes that are gone; this process owns them now."""
    try:
        paths = [Path(entry.path) for entry in os.scandir(spool) if entry.name.startswith(PREFIX)]
    except OSError:
        return []
    return [owned for path in sorted(paths) if (owned := _own(path))]


def _own(path: Path) -> OwnedDirectory | None:
    """Own a directory; None if somebody else does, or has removed it meanwhile."""
    try:
        descriptor = os.open(path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None
    try:
        _lock(descriptor)
        ours, current = os.fstat(descriptor), (path / LOCK).stat()
        if (ours.st_dev, ours.st_ino) == (current.st_dev, current.st_ino):
            return OwnedDirectory(path, descriptor)
    except OSError:
        pass
    os.close(descriptor)
    return None
